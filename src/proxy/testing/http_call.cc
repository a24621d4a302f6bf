#include "proxy/testing/http_call.h"

namespace weft::proxy::testing {

HttpCall::HttpCall(http::ClientSession& session, Message request)
    : session_(session), exchange_(&session.start()) {
  tasks_.spawn(run(std::move(request)));
}

HttpCall::~HttpCall() { end(); }

void HttpCall::end() {
  tasks_.cancel_all();
  if (auto* const exchange = std::exchange(exchange_, nullptr)) session_.finish(*exchange);
}

net::Task<void> HttpCall::run(Message request) {
  const Result<void> over = co_await exchange(request);
  if (!over) {
    error = over.error();
    response.status = 0;
  }
  done_ = true;
}

net::Task<Result<void>> HttpCall::exchange(const Message& request) {
  co_return co_await net::both(send(request), receive());
}

net::Task<Result<void>> HttpCall::send(const Message& request) {
  const bool bodiless = !request.has_body && request.body.empty() && request.trailers.empty();
  WEFT_CO_CHECK(co_await exchange_->send_head(request.head, bodiless));
  if (bodiless) co_return Result<void>{};
  // What a server does not take any more is no failure: its response decides.
  const bool last = request.trailers.empty();
  Result<void> sent = co_await exchange_->send_body(request.body, last);
  if (sent && !last) sent = co_await exchange_->send_trailers(request.trailers);
  co_return Result<void>{};
}

net::Task<Result<void>> HttpCall::receive() {
  for (;;) {
    http::ResponseHead head;
    WEFT_CO_CHECK(co_await exchange_->read_head(head));
    if (head.status >= 200) {
      response = std::move(head);
      break;
    }
    interims.push_back(std::move(head));
  }
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange_->read_body());
    body.append(chunk.data);
    if (chunk.trailers) trailers = *chunk.trailers;
    if (chunk.end) co_return Result<void>{};
  }
}

Message get(std::string path) {
  Message message;
  message.head.method = "GET";
  message.head.path = std::move(path);
  message.head.authority = "test";
  message.head.scheme = "http";
  return message;
}

}  // namespace weft::proxy::testing
