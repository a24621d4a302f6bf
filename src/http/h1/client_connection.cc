#include "http/h1/client_connection.h"

#include "http/turns.h"
#include "http/websocket.h"

namespace weft::http::h1 {
namespace {

ResponseParser::Asked asked_by(std::string_view method) {
  using Asked = ResponseParser::Asked;
  return method == "HEAD" ? Asked::kHead : method == "CONNECT" ? Asked::kTunnel : Asked::kMessage;
}

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<net::Stream> stream, const Limits& limits)
    : stream_(std::move(stream)), parser_(limits), decoder_(limits), out_(*stream_) {}

ClientConnection::~ClientConnection() { stream_->close(in_exchange_ && !between_exchanges()); }

bool ClientConnection::between_exchanges() const {
  if (broken_ || out_.cut()) return false;
  return !in_exchange_ ||
         (request_sent_ && out_.empty() && response_complete() && parser_.keep_alive() && input_.empty());
}

bool ClientConnection::usable() const {
  // Bytes that no request has asked for belong to no response, whether they were read or wait in the kernel:
  // the next request must not get them as its response (RFC 9112 §9.2).
  return between_exchanges() && !stream_->closed() && !stream_->peer_ended() && !stream_->peer_broken() &&
         stream_->quiet();
}

ClientExchange& ClientConnection::start() {
  WEFT_ASSERT(between_exchanges());
  in_exchange_ = in_progress_ = true;
  ++exchanges_;
  head_started_ = head_read_ = head_sent_ = request_sent_ = false;
  sent_ = received_ = 0;
  return *this;
}

void ClientConnection::finish(ClientExchange&) {
  in_progress_ = false;
  if (!head_sent_ && !broken_) {
    in_exchange_ = false;
    --exchanges_;
  }
  if (!between_exchanges()) stream_->close(true);
}

void ClientConnection::on_change(std::function<void()> action) {
  if (!action) return stream_->on_idle_event({});
  stream_->on_idle_event([action = std::move(action)](net::ReadyHandler::Ready) { action(); });
}

/// RFC 8441 §5: a client of HTTP/2 has no key for its WebSocket, and a server of HTTP/1 wants one.
bool ClientConnection::write_head(const RequestHead& head) {
  expected_accept_.clear();
  if (head.version != Version::k2 || !websocket::is_token_of(head.upgrade) ||
      head.headers.get(websocket::kKey))
    return write_request_head(out_.text(), head, body_form_);
  RequestHead with_key = head;
  const std::string key = websocket::new_key();
  with_key.headers.add(websocket::kKey, key);
  expected_accept_ = websocket::accept_of(key);
  return write_request_head(out_.text(), with_key, body_form_);
}

/// RFC 6455 §4.1: without it the server may be none of WebSocket. Who has sent no key wants none of it.
Result<void> ClientConnection::take_accept(ResponseHead& head) {
  if (head.status != 101 || expected_accept_.empty()) return {};
  if (head.headers.get(websocket::kAccept) == expected_accept_) {
    head.headers.remove(websocket::kAccept);
    return {};
  }
  broken_ = true;
  return fail(Error::upstream(Code::kInvalid, Retry::kNever,
                              "the server's sec-websocket-accept is not that of our key"));
}

net::Task<Result<void>> ClientConnection::send_head(const RequestHead& head, bool end) {
  head_sent_ = true;
  asked_ = asked_by(head.method);
  body_form_ = BodyForm::kNone;
  if (!end) body_form_ = head.content_length ? BodyForm::kLength : BodyForm::kChunked;
  length_left_ = head.content_length.value_or(0);
  if (!write_head(head)) {
    broken_ = true;
    co_return fail(Error::internal(Code::kInternal, "a value in the request's head holds a line end"));
  }
  if (!end) co_return Result<void>{};
  WEFT_CO_CHECK(outcome(co_await out_.flush()));
  request_sent_ = true;
  co_return Result<void>{};
}

net::Task<Result<void>> ClientConnection::send_body(std::string_view data, bool end) {
  if (body_form_ == BodyForm::kLength) {
    const bool wrong = data.size() > length_left_ || (end && data.size() != length_left_);
    if (wrong) {
      broken_ = true;
      co_return fail(Error::internal(Code::kInternal, "the request's body does not fit its length"));
    }
    length_left_ -= data.size();
  }
  sent_ += data.size();
  net::IoError error;
  if (body_form_ == BodyForm::kChunked) {
    const ChunkFrame frame(data.size(), end);
    error = co_await out_.write({frame.before, data, frame.after});
  } else {
    error = co_await out_.write({.data = data});
  }
  WEFT_CO_CHECK(outcome(error));
  request_sent_ = end;
  co_return Result<void>{};
}

net::Task<Result<void>> ClientConnection::send_trailers(const Headers& trailers) {
  if (body_form_ != BodyForm::kChunked || !write_trailers(out_.text(), trailers))
    co_return co_await send_body({}, true);
  WEFT_CO_CHECK(outcome(co_await out_.flush()));
  request_sent_ = true;
  co_return Result<void>{};
}

net::Task<Result<void>> ClientConnection::flush() {
  if (out_.nothing_to_flush()) co_return Result<void>{};
  co_return outcome(co_await out_.flush());
}

Result<void> ClientConnection::outcome(net::IoError error) {
  if (error == net::IoError::kNone) return {};
  broken_ = true;
  return fail(read_error(error, "writing the request"));
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
  if (!out_.nothing_to_flush()) WEFT_CO_CHECK(co_await flush());
  parser_.start(into, asked_);
  for (;;) {
    if (!input_.empty()) {
      head_started_ = true;
      const HeadStep step = parser_.feed(input_.view());
      input_.consume(step.consumed);
      if (step.rejection) {
        broken_ = true;
        co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, std::string(step.rejection.reason)));
      }
      if (step.done) break;
    }
    const net::IoError error = co_await fill();
    if (error != net::IoError::kNone) {
      broken_ = true;
      co_return fail(read_error(error, "reading the response's head"));
    }
  }
  WEFT_CO_CHECK(take_accept(into));
  if (into.status >= 200 || into.status == 101) {
    head_read_ = true;
    decoder_.start(parser_.framing(), parser_.of_the_connection());
    if (input_.empty() && decoder_.done()) input_.release();
  }
  co_return Result<void>{};
}

net::Task<Result<BodyChunk>> ClientConnection::read_body() {
  if (decoder_.done()) co_return BodyChunk{{}, true};
  for (;;) {
    if (!input_.empty()) {
      // Before anything is taken: the reader may be cancelled meanwhile, and the next one continues here.
      if (++pieces_ % kPiecesInATurn == 0) co_await stream_->loop().yield();
      const BodyStep step = decoder_.decode(input_.view());
      input_.consume(step.consumed);
      if (step.rejection) {
        broken_ = true;
        co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, std::string(step.rejection.reason)));
      }
      received_ += step.data.size();
      if (!step.data.empty() || step.done) co_return BodyChunk{step.data, step.done, decoder_.trailers()};
    }
    const net::IoError error = co_await fill();
    if (error == net::IoError::kNone) continue;
    broken_ = true;
    if (error == net::IoError::kEnd && decoder_.end_of_input()) co_return BodyChunk{{}, true};
    co_return fail(read_error(error, "reading the response's body"));
  }
}

ServerExchange::Upgraded ClientConnection::upgrade() {
  broken_ = true;
  ServerExchange::Upgraded result{stream_.get(), std::string(input_.view())};
  input_.consume(result.read_ahead.size());
  input_.release();
  return result;
}

}  // namespace weft::http::h1
