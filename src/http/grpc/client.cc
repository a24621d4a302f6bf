#include "http/grpc/client.h"

#include "http/grpc/client_stream.h"
#include "http/grpc/session_limits.h"
#include "tls/stream.h"

namespace weft::http::grpc {
namespace {

class SessionClient final : public Client {
 public:
  explicit SessionClient(std::unique_ptr<net::Stream> transport)
      : connection_(std::make_shared<h2::ClientConnection>(
            std::move(transport), h2::ClientLimits{limits_.heads(), limits_.http2()})) {}
  /// Calls that still exist keep the connection, and see it end.
  ~SessionClient() override {
    if (connection_.use_count() > 1) connection_->stream().close();
  }

  std::unique_ptr<MessageStream> open(std::string_view path, std::string_view authority,
                                      const Headers& metadata) override {
    RequestHead head;
    head.method = "POST";
    head.scheme = "http";
    head.path = path;
    head.authority = authority;
    head.headers.add("content-type", "application/grpc");
    head.headers.add(HeaderId::kTe, "trailers");
    for (const Headers::Field each : metadata) head.headers.add(each.name, each.value);
    return std::make_unique<ClientStream>(connection_, std::move(head), limits_.max_message);
  }

 private:
  const SessionLimits limits_ = {};
  std::shared_ptr<h2::ClientConnection> connection_;
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
