#include "http/grpc/session.h"

#include <utility>

#include "http/grpc/server_stream.h"

namespace weft::http::grpc {
namespace {

/// The time between two messages has no limit; a silent peer is asked whether it is there, and when it has
/// no calls its place is the server's to take back.
ServerSessionOptions options_of(const SessionLimits& limits) {
  return {.limits = limits.heads(),
          .idle_timeout = 0s,
          .body_timeout = 0s,
          .cancel_when_over = true,
          .http2 = limits.http2()};
}

}  // namespace

Session::Session(std::unique_ptr<net::Stream> transport, Serve serve, const SessionLimits& limits)
    : transport_(std::move(transport)),
      serve_(std::move(serve)),
      max_message_(limits.max_message),
      options_(options_of(limits)),
      handler_([this](ServerExchange& exchange) { return call(exchange); }),
      connection_(*transport_, options_) {}

net::Task<void> Session::run() {
  co_await connection_.serve(handler_);
  broken_ = true;
}

net::Task<void> Session::call(ServerExchange& exchange) {
  Opening opening{std::move(exchange.request().path), std::move(exchange.request().headers)};
  ServerStream stream(exchange, transport_->loop(), max_message_);
  co_await serve_(stream, std::move(opening));
  stream.finish(kOk, {});
  co_await stream.drained();
}

}  // namespace weft::http::grpc
