#include "http/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "http/turns.h"
#include "net/signal.h"
#include "tls/stream.h"

namespace weft::http {
namespace {

class SocketServer final : public Server {
 public:
  SocketServer(net::Loop& loop, std::unique_ptr<net::Listener> listener, PeerHandler handler,
               ServerOptions options)
      : listener_(std::move(listener)),
        handler_(std::move(handler)),
        options_(std::move(options)),
        slot_free_(loop) {
    tasks_.spawn(accept_all());
  }

  net::Address address() const override { return listener_->local_address(); }

  net::Task<void> drain() override {
    listener_->close();
    draining_ = true;
    for (Open* open = first_; open;) {
      Open* const next = open->next;  // drain() may end the connection before it returns
      if (open->session) open->session->drain();
      open = next;
    }
    co_await tasks_.join();
  }

 private:
  /// One of the connections there may be, from its acceptance until its end, whichever way that comes.
  struct Open final : ServerSession::Observer {
    Open(SocketServer& owner, std::unique_ptr<net::Stream> accepted)
        : server(owner), stream(std::move(accepted)), since(stream->loop().now()) {
      next = server.first_;
      if (next) next->previous = this;
      server.first_ = this;
      ++server.open_;
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() override {
      --server.open_;
      server.slot_free_.notify();
      (previous ? previous->next : server.first_) = next;
      if (next) next->previous = previous;
    }
    bool is_idle() const { return !stream->closed() && (!session || session->is_idle()); }
    void on_head_rejected(const Rejection&, const RequestHead&) override {}
    void on_body_rejected(const Rejection&) override {}
    void on_idle() override { server.slot_free_.notify(); }
    TimePoint idle_since() const { return session ? session->idle_since() : since; }

    SocketServer& server;
    std::unique_ptr<net::Stream> stream;
    TimePoint since;
    std::unique_ptr<ServerSession> session;  ///< once hands were shaken
    Open* next = nullptr;
    Open* previous = nullptr;
  };

  net::Task<void> accept_all() {
    for (unsigned accepted = 0;;) {
      auto socket = co_await listener_->accept();
      if (!socket) co_return;
      net::Loop& loop = (*socket)->loop();
      while (open_ >= options_.max_connections && !close_longest_idle()) co_await slot_free_.wait();
      tasks_.spawn(serve(*this, std::move(*socket)));
      if (++accepted % kConnectionsInATurn == 0) co_await loop.yield();
    }
  }

  /// False when every connection has a request.
  bool close_longest_idle() {
    Open* longest = nullptr;
    for (Open* open = first_; open; open = open->next)
      if (open->is_idle() && (!longest || open->idle_since() < longest->idle_since())) longest = open;
    if (longest) longest->stream->close();
    return longest != nullptr;
  }

  static net::Task<void> serve(SocketServer& server, std::unique_ptr<net::Socket> socket) {
    const net::Address peer = socket->peer_address();
    net::Loop& loop = socket->loop();
    tls::Stream* encrypted = nullptr;
    std::unique_ptr<net::Stream> stream;
    if (server.options_.tls) {
      auto made = tls::Stream::wrap(std::move(socket), server.options_.tls());
      if (!made) co_return;
      encrypted = made->get();
      stream = std::move(*made);
    } else {
      stream = std::move(socket);
    }
    Open open(server, std::move(stream));
    if (encrypted) {
      const auto shaken = co_await encrypted->shake_hands(loop.now() + server.options_.handshake_timeout);
      if (!shaken) co_return;
    }
    open.session = make_server_session(Protocol::kHttp1, *open.stream, server.options_.session, &open);
    if (server.draining_) open.session->drain();
    const Handler handler = [&server, &peer, &loop](ServerExchange& exchange) {
      const Duration limit = server.options_.response_timeout;
      if (limit != Duration::zero()) exchange.set_response_deadline(loop.now() + limit);
      return server.handler_(exchange, peer);
    };
    co_await open.session->serve(handler);
  }

  std::unique_ptr<net::Listener> listener_;
  PeerHandler handler_;
  ServerOptions options_;
  Open* first_ = nullptr;
  std::size_t open_ = 0;
  bool draining_ = false;
  net::Signal slot_free_;  ///< a connection has ended, or has no request any more
  net::TaskScope tasks_;
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<net::Fd> make_private_unix_socket(const net::Address& at) {
  const std::string path = at.to_string();
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) ::unlink(path.c_str());
  return net::make_listening_fd(at, {.owner_only = true});
}

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, const net::Address& at, Handler handler,
                                               ServerOptions options) {
  if (at.is_unix()) {
    WEFT_TRY(net::Fd fd, make_private_unix_socket(at));
    WEFT_TRY(auto listener, net::Listener::adopt(loop, std::move(fd), false));
    return adopt(loop, std::move(listener), std::move(handler), std::move(options));
  }
  WEFT_TRY(auto listener, net::Listener::listen(loop, at));
  return adopt(loop, std::move(listener), std::move(handler), std::move(options));
}

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, const net::Address& at, PeerHandler handler,
                                               ServerOptions options) {
  WEFT_TRY(auto listener, net::Listener::listen(loop, at));
  return std::make_unique<SocketServer>(loop, std::move(listener), std::move(handler), std::move(options));
}

Result<std::unique_ptr<Server>> Server::adopt(net::Loop& loop, std::unique_ptr<net::Listener> listener,
                                              Handler handler, ServerOptions options) {
  PeerHandler any_peer = [handler = std::move(handler)](ServerExchange& exchange, const net::Address&) {
    return handler(exchange);
  };
  return std::make_unique<SocketServer>(loop, std::move(listener), std::move(any_peer), std::move(options));
}

net::Task<Result<std::string>> read_all(ServerExchange& exchange, std::size_t limit) {
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
    if (body.size() + chunk.data.size() > limit)
      co_return fail(
          Error::downstream(Code::kTooLarge, "the body is larger than " + std::to_string(limit) + " bytes"));
    body.append(chunk.data);
    if (chunk.end) co_return body;
  }
}

net::Task<Result<void>> respond(ServerExchange& exchange, int status, std::string_view content_type,
                                std::string_view body) {
  ResponseHead head;
  head.status = status;
  if (!content_type.empty()) head.headers.add("content-type", content_type);
  head.content_length = body.size();
  WEFT_CO_CHECK(co_await exchange.send_head(head, body.empty()));
  if (!body.empty()) WEFT_CO_CHECK(co_await exchange.send_body(body, true));
  co_return Result<void>{};
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<std::string> query_parameter(std::string_view target, std::string_view name) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals)) == name)
      return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (escape) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
      continue;
    }
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

}  // namespace weft::http
