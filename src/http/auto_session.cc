#include "http/auto_session.h"

#include <array>
#include <string_view>

#include "http/time_limit.h"

namespace weft::http {
AutoSession::AutoSession(net::Stream& stream, const ServerSessionOptions& options, Observer* observer)
    : stream_(stream), options_(options), observer_(observer), since_(stream.loop().now()) {}

net::Task<void> AutoSession::serve(const Handler& handler) {
  const std::optional<Protocol> spoken = co_await recognize();
  if (!spoken) {
    stream_.close();
    co_return;
  }
  session_ = make_server_session(*spoken, stream_, options_, observer_);
  if (end_ == End::kNextResponse) session_->end_with_next_response();
  if (end_ == End::kDrain) session_->drain();
  co_await session_->serve(handler);
}

/// Nothing is taken from the stream. Null: the connection is over.
net::Task<std::optional<Protocol>> AutoSession::recognize() {
  const bool own_limit = options_.first_byte_timeout != Duration::zero();
  stream_.set_read_deadline(
      after(stream_.loop().now(), own_limit ? options_.first_byte_timeout : options_.idle_timeout));
  for (;;) {
    const net::IoError waited = co_await stream_.readable();
    // What has begun like the preface and does not go on has a limit of HTTP/1 to meet, which says so.
    const bool late = waited == net::IoError::kTimeout && begun_;
    if (waited != net::IoError::kNone && !late) co_return std::nullopt;
    std::array<char, kHttp2Preface.size()> bytes;
    const net::IoResult got = stream_.peek(bytes);
    if (got.error == net::IoError::kWouldBlock) continue;
    if (!got.ok()) co_return std::nullopt;
    const std::string_view seen(bytes.data(), got.bytes);
    const bool undecided = kHttp2Preface.starts_with(seen) && seen.size() < kHttp2Preface.size();
    if (undecided && !late && !stream_.peer_ended()) {
      if (!std::exchange(begun_, true)) {
        const Duration limit = end_ == End::kDrain ? options_.drain_limit() : options_.header_timeout;
        stream_.set_read_deadline(after(stream_.loop().now(), limit));
      }
      continue;
    }
    stream_.unpeek();
    co_return seen == kHttp2Preface ? Protocol::kHttp2 : Protocol::kHttp1;
  }
}

void AutoSession::drain() {
  if (session_) return session_->drain();
  const TimePoint now = stream_.loop().now();
  if (!begun_ && stream_.quiet()) {
    if (now >= since_ + kNewConnectionGrace) return stream_.close();
    stream_.set_read_deadline(since_ + kNewConnectionGrace);
  } else if (!begun_ || options_.header_timeout == Duration::zero()) {
    stream_.set_read_deadline(after(now, options_.drain_limit()));
  }
  end_ = End::kDrain;  // what has come already is served
}

void AutoSession::end_with_next_response() {
  if (session_) return session_->end_with_next_response();
  if (end_ == End::kNo) end_ = End::kNextResponse;
}

void AutoSession::follow_options() {
  if (session_) session_->follow_options();
}

}  // namespace weft::http
