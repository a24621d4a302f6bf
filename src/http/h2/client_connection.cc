#include "http/h2/client_connection.h"

#include <algorithm>

namespace weft::http::h2 {
namespace {

/// A server that takes no byte for so long is broken, whatever its streams wait for.
constexpr Duration kWriteTimeout = 300s;

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<net::Stream> stream, const ClientLimits& limits)
    : ClientLimits(limits),
      Connection(Framing::Role::kClient, *stream, ClientLimits::http2, ClientLimits::limits),
      stream_(std::move(stream)),
      change_(stream_->loop(), [this] {
        if (on_change_) on_change_();
      }) {
  tasks_.spawn(run());
}

ClientConnection::~ClientConnection() {
  tasks_.cancel_all();
  while (streams_) {
    ClientStream* const first = streams_;
    streams_ = first->next;
    delete first;
  }
  if (broken_) {
    stream_->close(true);
    return;
  }
  framing_.terminate(ErrorCode::kNoError, {});
  framing_.pump();
  const std::string_view last = framing_.output();
  const iovec part{const_cast<char*>(last.data()), last.size()};
  if (!last.empty()) static_cast<void>(stream_->try_write(std::span(&part, 1)));
  stream_->close();
}

net::Task<void> ClientConnection::run() {
  net::TaskScope writer;
  writer.spawn(write_all());
  // A server may keep silent from the first byte on.
  expect_settings_ack();
  arm_clock();
  net::IoError how = co_await read_all();
  broken_ = true;
  // That it is us who ended the connection, or a limit of ours, is no cancellation of any request's, and not
  // its time.
  if (how == net::IoError::kClosed || how == net::IoError::kTimeout) how = net::IoError::kReset;
  for (ClientStream* stream = streams_; stream; stream = stream->next) stream->on_lost(how);
  change_.schedule();
}

std::uint32_t ClientConnection::capacity() const {
  if (over()) return 0;
  const std::uint32_t max =
      std::min(framing_.remote_max_streams(), ClientLimits::http2.max_concurrent_streams);
  return max > active_ ? max - active_ : 0;
}

bool ClientConnection::over() const {
  return broken_ || going_away_ || framing_.over() || stream_->closed() || !framing_.ids_left();
}

bool ClientConnection::may_begin() const { return !over() && active_ <= framing_.remote_max_streams(); }

ClientExchange& ClientConnection::start() {
  auto* const stream = new ClientStream(stream_->loop(), framing_, *this, exchanges_ > 0 || parked_);
  stream->next = streams_;
  if (streams_) streams_->previous = stream;
  streams_ = stream;
  ++active_;
  ++exchanges_;
  return *stream;
}

void ClientConnection::finish(ClientExchange& exchange) {
  auto& stream = static_cast<ClientStream&>(exchange);
  stream.end();
  if (stream.id() == 0) --exchanges_;  // nothing of it was sent
  (stream.previous ? stream.previous->next : streams_) = stream.next;
  if (stream.next) stream.next->previous = stream.previous;
  delete &stream;
  --active_;
  if (active_ == 0 && over() && !broken_) framing_.terminate(ErrorCode::kNoError, {});
}

void ClientConnection::on_settings() {
  settings_known_ = true;
  for (ClientStream* stream = streams_; stream; stream = stream->next) stream->on_settings();
  change_.schedule();
}

void ClientConnection::on_goaway(std::int32_t, ErrorCode) {
  going_away_ = true;
  change_.schedule();
}

void ClientConnection::on_time(TimePoint) { static_cast<void>(on_fed()); }

/// A connection that ends by our own finding is no use any more, from now on.
bool ClientConnection::on_fed() {
  if (!framing_.over() || broken_) return false;
  if (going_away_ && active_ == 0) return false;
  broken_ = true;
  for (ClientStream* stream = streams_; stream; stream = stream->next) stream->on_lost(net::IoError::kReset);
  change_.schedule();
  return false;
}

Duration ClientConnection::write_timeout() const {
  return limits_.write_timeout.count() ? limits_.write_timeout : kWriteTimeout;
}

}  // namespace weft::http::h2
