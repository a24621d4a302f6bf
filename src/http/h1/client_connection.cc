#include "http/h1/client_connection.h"

#include <array>

namespace weft::http::h1 {

ClientConnection::ClientConnection(std::unique_ptr<net::Stream> stream, const Limits& limits)
    : stream_(std::move(stream)), parser_(limits), decoder_(limits) {}

ClientConnection::~ClientConnection() { stream_->close(in_exchange_ && !usable()); }

bool ClientConnection::usable() const {
  if (broken_ || stream_->closed() || stream_->peer_ended() || stream_->peer_broken()) return false;
  if (!in_exchange_) return true;
  // Bytes behind a response belong to nobody: whatever they are, the next request must not be answered by
  // them.
  return request_sent_ && response_complete() && parser_.keep_alive() && input_.empty();
}

ClientExchange& ClientConnection::start() {
  WEFT_ASSERT(usable());
  in_exchange_ = true;
  ++exchanges_;
  head_started_ = head_read_ = request_sent_ = false;
  sent_ = received_ = 0;
  out_.clear();
  return *this;
}

net::Task<Result<void>> ClientConnection::send_head(const RequestHead& head, bool end) {
  to_head_ = head.method == "HEAD";
  body_form_ = BodyForm::kNone;
  if (!end && head.upgrade.empty()) body_form_ = head.content_length ? BodyForm::kLength : BodyForm::kChunked;
  length_left_ = head.content_length.value_or(0);
  write_request_head(out_, head, body_form_);
  request_sent_ = end;
  if (!end) co_return Result<void>{};
  co_return co_await write_out({}, {});
}

net::Task<Result<void>> ClientConnection::send_body(std::string_view data, bool end) {
  std::string_view tail;
  if (body_form_ == BodyForm::kLength) {
    const bool wrong = data.size() > length_left_ || (end && data.size() != length_left_);
    if (wrong) {
      broken_ = true;
      co_return fail(Error::internal(Code::kInternal, "the request's body does not fit its length"));
    }
    length_left_ -= data.size();
  } else if (body_form_ == BodyForm::kChunked) {
    if (!data.empty()) write_chunk_size(out_, data.size());
    tail = data.empty() ? (end ? kLastChunk : std::string_view{})
                        : (end ? std::string_view("\r\n0\r\n\r\n") : std::string_view("\r\n"));
  }
  sent_ += data.size();
  WEFT_CO_CHECK(co_await write_out(data, tail));
  request_sent_ = end;
  co_return Result<void>{};
}

net::Task<Result<void>> ClientConnection::flush() {
  if (out_.empty()) co_return Result<void>{};
  co_return co_await write_out({}, {});
}

net::Task<Result<void>> ClientConnection::write_out(std::string_view data, std::string_view tail) {
  std::array<std::string_view, 3> parts{out_, data, tail};
  for (;;) {
    std::array<iovec, 3> pieces;
    std::size_t count = 0;
    for (const std::string_view part : parts)
      if (!part.empty()) pieces[count++] = {const_cast<char*>(part.data()), part.size()};
    if (count == 0) break;
    const net::IoResult result = stream_->try_write({pieces.data(), count});
    std::size_t written = result.bytes;
    for (std::string_view& part : parts) {
      const std::size_t step = std::min(written, part.size());
      part.remove_prefix(step);
      written -= step;
    }
    if (result.ok()) continue;
    net::IoError error = result.error;
    if (error == net::IoError::kWouldBlock) error = co_await stream_->writable();
    if (error != net::IoError::kNone) {
      broken_ = true;
      co_return fail(read_error(error, "writing the request"));
    }
  }
  out_.clear();
  if (out_.capacity() > ReadBuffer::kBlock) out_ = {};
  co_return Result<void>{};
}

/// Reads once, waiting as long as it takes, without holding a buffer meanwhile.
net::Task<net::IoError> ClientConnection::fill() {
  net::IoResult got{0, net::IoError::kWouldBlock};
  // A connection that just sent a request has nothing to read yet, and knows it: no call is wasted on asking.
  for (;;) {
    const net::IoError waited = co_await stream_->readable();
    if (waited != net::IoError::kNone) co_return waited;
    got = input_.fill(*stream_);
    if (got.error != net::IoError::kWouldBlock) co_return got.error;
    input_.release();
  }
}

Error ClientConnection::read_error(net::IoError error, std::string_view doing) const {
  Error result = net::to_error(error, Blame::kUpstream, doing);
  // A reset may come from a server that had taken the request.
  if (!reused() || head_started_ || head_read_ || error != net::IoError::kEnd) result.retry = Retry::kNever;
  return result;
}

net::Task<Result<void>> ClientConnection::read_head(ResponseHead& into) {
  if (!out_.empty()) WEFT_CO_CHECK(co_await flush());
  parser_.start(into, to_head_);
  for (;;) {
    if (!input_.empty()) {
      head_started_ = true;
      const HeadStep step = parser_.feed(input_.view());
      input_.consume(step.consumed);
      if (step.refusal) {
        broken_ = true;
        co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, std::string(step.refusal.reason)));
      }
      if (step.done) break;
    }
    const net::IoError error = co_await fill();
    if (error != net::IoError::kNone) {
      broken_ = true;
      co_return fail(read_error(error, "reading the response's head"));
    }
  }
  if (into.status >= 200 || into.status == 101) {
    head_read_ = true;
    decoder_.start(parser_.framing());
    if (input_.empty() && decoder_.done()) input_.release();
  }
  co_return Result<void>{};
}

net::Task<Result<BodyChunk>> ClientConnection::read_body() {
  if (decoder_.done()) co_return BodyChunk{{}, true};
  for (;;) {
    if (!input_.empty()) {
      const BodyStep step = decoder_.decode(input_.view());
      input_.consume(step.consumed);
      if (step.refusal) {
        broken_ = true;
        co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, std::string(step.refusal.reason)));
      }
      received_ += step.data.size();
      if (!step.data.empty() || step.done) co_return BodyChunk{step.data, step.done};
    }
    const net::IoError error = co_await fill();
    if (error == net::IoError::kNone) continue;
    broken_ = true;
    if (error == net::IoError::kEnd && decoder_.end_of_input()) co_return BodyChunk{{}, true};
    co_return fail(read_error(error, "reading the response's body"));
  }
}

void ClientConnection::reset() {
  broken_ = true;
  stream_->close(true);
}

ServerExchange::Upgraded ClientConnection::upgrade() {
  broken_ = true;
  ServerExchange::Upgraded result{stream_.get(), std::string(input_.view())};
  input_.consume(result.read_ahead.size());
  input_.release();
  return result;
}

}  // namespace weft::http::h1
