#include "http/grpc/server.h"

#include "http/grpc/session.h"
#include "http/server.h"
#include "tls/stream.h"

namespace weft::http::grpc {
namespace {

constexpr Duration kHandshakeTimeout = 10s;

class SocketServer final : public Server {
 public:
  SocketServer(std::unique_ptr<net::Listener> listener, std::map<std::string, Method> methods,
               tls::ContextSource tls)
      : listener_(std::move(listener)), methods_(std::move(methods)), tls_(std::move(tls)) {
    tasks_.spawn(accept_all());
  }
  net::Address address() const override { return listener_->local_address(); }

 private:
  net::Task<void> accept_all() {
    for (;;) {
      auto socket = co_await listener_->accept();
      if (!socket) co_return;
      tasks_.spawn(serve(*this, std::move(*socket)));
    }
  }

  /// One connection; its calls end with it.
  static net::Task<void> serve(SocketServer& server, std::unique_ptr<net::Socket> socket) {
    const auto peer = socket->peer_credentials();
    std::unique_ptr<net::Stream> transport;
    if (server.tls_) {
      net::Loop& loop = socket->loop();
      auto made = co_await tls::handshake(std::move(socket), server.tls_(), loop.now() + kHandshakeTimeout);
      if (!made || (*made)->protocol() != "h2") co_return;
      transport = std::move(*made);
    } else {
      transport = std::move(socket);
    }
    net::TaskScope calls;
    Session session(std::move(transport), [&](std::unique_ptr<SessionStream> stream, Session::Opening head) {
      calls.spawn(call(server, peer, std::move(stream), std::move(head)));
    });
    co_await session.run();
    co_await calls.join();
  }

  static net::Task<void> call(SocketServer& server, std::optional<net::Socket::Credentials> peer,
                              std::unique_ptr<SessionStream> stream, Session::Opening head) {
    const auto method = server.methods_.find(head.path);
    if (method == server.methods_.end()) {
      stream->finish(kUnimplemented, "there is no method " + head.path);
    } else {
      co_await method->second(Call{head.path, peer, std::move(head.metadata), *stream});
      stream->finish(kOk, {});
    }
    co_await stream->drained();
  }

  std::unique_ptr<net::Listener> listener_;
  std::map<std::string, Method> methods_;
  tls::ContextSource tls_;
  net::TaskScope tasks_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, const net::Address& at,
                                               std::map<std::string, Method> methods,
                                               tls::ContextSource tls) {
  std::unique_ptr<net::Listener> listener;
  if (at.is_unix()) {
    WEFT_TRY(net::Fd fd, make_private_unix_socket(at));
    WEFT_TRY(listener, net::Listener::adopt(loop, std::move(fd), false));
  } else {
    WEFT_TRY(listener, net::Listener::listen(loop, at));
  }
  return std::make_unique<SocketServer>(std::move(listener), std::move(methods), std::move(tls));
}

}  // namespace weft::http::grpc
