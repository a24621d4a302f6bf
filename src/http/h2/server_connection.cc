#include "http/h2/server_connection.h"

#include <algorithm>

#include "http/time_limit.h"
#include "http/turns.h"

namespace weft::http::h2 {
namespace {

/// A client that asks again at once finds everything where it was.
constexpr Duration kRestAfter = 1s;

/// What RFC 9113 §8.1.1 calls malformed gets no response.
bool is_malformed(const Rejection& rejection) { return rejection.rule.starts_with('G'); }

}  // namespace

ServerConnection::ServerConnection(net::Stream& stream, const ServerSessionOptions& options,
                                   Observer* observer)
    : Connection(Framing::Role::kServer, stream, options.http2, options.limits),
      options_(options),
      observer_(observer),
      idle_since_(stream.loop().now()) {}

ServerConnection::~ServerConnection() {
  while (streams_) {
    ServerStream* const first = streams_;
    streams_ = first->next;
    delete first;
  }
}

net::Task<void> ServerConnection::serve(const Handler& handler) {
  handler_ = &handler;
  net::TaskScope writer, handlers;
  tasks_ = &handlers;
  writer.spawn(write_all());
  arm_clock();
  const net::IoError how = co_await read_all();
  for (ServerStream* stream = streams_; stream; stream = stream->next) stream->on_lost(how);
  while (on_fed()) {
  }
  if (options_.cancel_when_over) {
    co_await transport_.loop().yield();
    handlers.cancel_all();
  }
  co_await handlers.join();
  tasks_ = nullptr;
  transport_.close(how != net::IoError::kEnd && !framing_.over());
}

Stream* ServerConnection::on_request_begins(std::int32_t id) {
  // A stream that its client has reset counts here until its handler has ended: a client that resets and asks
  // again is let do so, but not without end. Open streams are counted by nghttp2.
  if (active_ / 2 >= limits_.max_concurrent_streams) return nullptr;
  auto* const stream = new ServerStream(transport_.loop(), framing_, *this, id);
  stream->next = streams_;
  if (streams_) streams_->previous = stream;
  streams_ = stream;
  ++active_;
  return stream;
}

/// Looks at the heads that have come: a few in each turn, and those of streams that are over already for
/// nothing.
bool ServerConnection::on_fed() {
  unsigned begun = 0;
  std::size_t looked_at = 0;
  for (; looked_at < begun_.size() && begun < kRequestsInATurn; ++looked_at)
    begun += begin(*begun_[looked_at]);
  begun_.erase(begun_.begin(), begun_.begin() + static_cast<std::ptrdiff_t>(looked_at));
  if (framing_.in_head()) arm_clock();
  return !begun_.empty();
}

bool ServerConnection::begin(ServerStream& stream) {
  const Rejection& rejection = stream.head_rejection();
  if (rejection && observer_) observer_->on_head_rejected(rejection, stream.request());
  if (rejection && !stream.over() && is_malformed(rejection))
    framing_.reset(stream, ErrorCode::kProtocolError);
  // A client that is being left gets no more work done.
  if (stream.over() || framing_.over() || (rejection && is_malformed(rejection))) {
    remove(stream);
    return false;
  }
  ++requests_;
  if (options_.max_requests != 0 && requests_ >= options_.max_requests) begin_drain();
  if (stream.request().scheme.empty()) stream.request().scheme = options_.scheme;
  tasks_->spawn(rejection ? reject(stream) : run(stream));
  return true;
}

net::Task<void> ServerConnection::run(ServerStream& stream) {
  const std::string& method = stream.request().method;
  if (options_.cancel_reads_when_gone && (method == "GET" || method == "HEAD"))
    co_await stream.run_until_gone(*handler_);
  else
    co_await (*handler_)(stream);
  if (!stream.finished()) co_await stream.finish();
  remove(stream);
}

net::Task<void> ServerConnection::reject(ServerStream& stream) {
  co_await stream.reject();
  if (!stream.finished()) co_await stream.finish();
  remove(stream);
}

void ServerConnection::on_body_rejected(const Rejection& rejection) {
  if (observer_) observer_->on_body_rejected(rejection);
}

void ServerConnection::on_fault() {
  if (observer_) observer_->on_connection_rejected();
}

void ServerConnection::remove(ServerStream& stream) {
  (stream.previous ? stream.previous->next : streams_) = stream.next;
  if (stream.next) stream.next->previous = stream.previous;
  delete &stream;
  if (--active_ != 0) return;
  idle_since_ = now();
  rest_due_ = idle_since_ + kRestAfter;
  if (drain_ == Drain::kFinal) framing_.terminate(ErrorCode::kNoError, {});
  if (observer_) observer_->on_idle();
  arm_clock();
}

void ServerConnection::drain() {
  if (active_ == 0 && transport_.quiet()) return framing_.terminate(ErrorCode::kNoError, {});
  begin_drain();
}

void ServerConnection::end_with_next_response() { begin_drain(); }

/// RFC 9113 §6.8: a request that is on its way while the client learns of it is served.
void ServerConnection::begin_drain() {
  if (drain_ != Drain::kNo) return;
  drain_ = Drain::kAnnounced;
  framing_.announce_goaway();
  framing_.ping(PingReason::kDrain);
  drain_due_ = now() + options_.drain_timeout;
  arm_clock();
}

void ServerConnection::end_drain() {
  if (drain_ != Drain::kAnnounced) return;
  drain_ = Drain::kFinal;
  drain_due_ = kNever;
  if (active_ == 0)
    framing_.terminate(ErrorCode::kNoError, {});
  else
    framing_.goaway();
}

void ServerConnection::on_ping_ack(PingReason reason) {
  if (reason == PingReason::kDrain) end_drain();
}

TimePoint ServerConnection::idle_due() const {
  const bool first = requests_ == 0 && options_.first_byte_timeout != Duration::zero();
  return after(idle_since_, first ? options_.first_byte_timeout : options_.idle_timeout);
}

TimePoint ServerConnection::next_due() const {
  TimePoint due = drain_due_;
  if (active_ == 0) due = std::min({due, idle_due(), rest_due_});
  if (framing_.in_head()) due = std::min(due, after(framing_.head_since(), options_.header_timeout));
  return due;
}

void ServerConnection::on_time(TimePoint time) {
  if (time >= drain_due_) end_drain();
  if (active_ == 0 && time >= rest_due_) {
    framing_.rest();
    rest_due_ = kNever;
  }
  if (active_ == 0 && time >= idle_due()) framing_.terminate(ErrorCode::kNoError, {});
  if (framing_.in_head() && time >= after(framing_.head_since(), options_.header_timeout))
    framing_.terminate(ErrorCode::kEnhanceYourCalm, "a head did not come in time");
}

}  // namespace weft::http::h2
