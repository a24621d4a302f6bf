#include "http/grpc/server_stream.h"

#include "http/server.h"

namespace weft::http::grpc {

ServerStream::ServerStream(ServerExchange& exchange, net::Loop& loop, std::size_t max_message)
    : SessionStream(loop, max_message, Blame::kDownstream), exchange_(exchange) {
  exchange_.on_disconnect([this] { sending_failed(); });
  sending_.spawn(send_all());
}

ServerStream::~ServerStream() {
  sending_.cancel_all();
  exchange_.on_disconnect({});
}

void ServerStream::finish(int status, std::string_view message) {
  if (finished()) return;
  status_ = status;
  message_ = message;
  finish_sending();
}

ResponseHead& ServerStream::head() {
  ResponseHead& head = exchange_.response();
  head.status = 200;
  head.headers.add("content-type", "application/grpc");
  return head;
}

net::Task<Result<void>> ServerStream::send_piece(std::string_view bytes) {
  if (!exchange_.response_started()) WEFT_CO_CHECK(co_await exchange_.send_head(head(), false));
  co_return co_await exchange_.send_body(bytes, false);
}

net::Task<Result<void>> ServerStream::send_end() {
  const bool alone = !exchange_.response_started();
  Headers trailers;
  Headers& fields = alone ? head().headers : trailers;
  fields.add("grpc-status", std::to_string(status_));
  fields.add("grpc-message", percent_encode(message_));
  if (alone) co_return co_await exchange_.send_head(exchange_.response(), true);
  co_return co_await exchange_.send_trailers(trailers);
}

}  // namespace weft::http::grpc
