#include "http/grpc/client.h"

#include "http/grpc/session.h"
#include "tls/stream.h"

namespace weft::http::grpc {
namespace {

class SessionClient final : public Client {
 public:
  explicit SessionClient(std::unique_ptr<net::Stream> transport) : session_(std::move(transport), {}) {
    tasks_.spawn(session_.run());
  }
  std::unique_ptr<MessageStream> open(std::string_view path, std::string_view authority,
                                      const Headers& metadata) override {
    return session_.open(path, authority, metadata);
  }

 private:
  Session session_;
  net::TaskScope tasks_;
};

}  // namespace

net::Task<Result<std::unique_ptr<Client>>> Client::connect(net::Loop& loop, net::Address to,
                                                           ConnectOptions options) {
  WEFT_CO_TRY(
      auto socket,
      co_await net::connect(
          loop, to,
          {.deadline = options.deadline, .bind_source = {}, .mark = options.mark, .keepalive = true}));
  if (!options.tls) co_return over(std::move(socket));
  WEFT_CO_TRY(auto stream, co_await tls::handshake(std::move(socket), options.tls, options.deadline));
  if (stream->protocol() != "h2")
    co_return fail(Error::upstream(Code::kUnsupported, Retry::kNever, "the server does not speak HTTP/2"));
  co_return over(std::move(stream));
}

std::unique_ptr<Client> Client::over(std::unique_ptr<net::Stream> transport) {
  return std::make_unique<SessionClient>(std::move(transport));
}

}  // namespace weft::http::grpc
