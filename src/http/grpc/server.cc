#include "http/grpc/server.h"

#include "http/grpc/session.h"
#include "http/server.h"

namespace weft::http::grpc {
namespace {

class SocketServer final : public Server {
 public:
  SocketServer(std::unique_ptr<net::Listener> listener, std::map<std::string, Method> methods)
      : listener_(std::move(listener)), methods_(std::move(methods)) {
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
    net::TaskScope calls;
    Session session(std::move(socket), [&](std::unique_ptr<SessionStream> stream, std::string path) {
      calls.spawn(call(server, peer, std::move(stream), std::move(path)));
    });
    co_await session.run();
    co_await calls.join();
  }

  static net::Task<void> call(SocketServer& server, std::optional<net::Socket::Credentials> peer,
                              std::unique_ptr<SessionStream> stream, std::string path) {
    const auto method = server.methods_.find(path);
    if (method == server.methods_.end()) {
      stream->finish(kUnimplemented, "there is no method " + path);
    } else {
      co_await method->second(Call{path, peer, *stream});
      stream->finish(kOk, {});
    }
    co_await stream->drained();
  }

  std::unique_ptr<net::Listener> listener_;
  std::map<std::string, Method> methods_;
  net::TaskScope tasks_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, const net::Address& at,
                                               std::map<std::string, Method> methods) {
  std::unique_ptr<net::Listener> listener;
  if (at.is_unix()) {
    WEFT_TRY(net::Fd fd, make_private_unix_socket(at));
    WEFT_TRY(listener, net::Listener::adopt(loop, std::move(fd), false));
  } else {
    WEFT_TRY(listener, net::Listener::listen(loop, at));
  }
  return std::make_unique<SocketServer>(std::move(listener), std::move(methods));
}

}  // namespace weft::http::grpc
