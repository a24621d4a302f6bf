#include "http/grpc/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <list>

#include "base/log.h"
#include "http/grpc/session.h"
#include "http/server.h"
#include "http/turns.h"
#include "net/keepalive.h"
#include "net/signal.h"
#include "tls/stream.h"

namespace weft::http::grpc {
namespace {

std::size_t half_of_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return static_cast<std::size_t>(limit.rlim_cur / 2);
}

class SocketServer final : public Server {
 public:
  SocketServer(std::unique_ptr<net::Listener> listener, std::map<std::string, Method> methods,
               tls::ContextSource tls, ServerLimits limits)
      : listener_(std::move(listener)), methods_(std::move(methods)), tls_(std::move(tls)), limits_(limits) {
    limits_.max_connections = std::min(limits_.max_connections, half_of_descriptors());
    if (listener_) tasks_.spawn(accept_all());
  }
  net::Address address() const override { return listener_ ? listener_->local_address() : net::Address(); }
  ServerCounts counts() const override { return counts_; }
  void serve(std::unique_ptr<net::Stream> connection, net::Socket::Credentials peer) override {
    std::string name = name_of(peer);
    if (!make_room(name)) return connection->close(true);
    tasks_.spawn(serve_stream(*this, std::move(connection), std::move(name), peer));
  }

 private:
  /// A connection's place among those that there may be, given back however its task ends.
  struct Place {
    Place(SocketServer& owner, std::string from, net::Loop& loop)
        : server(owner), peer(std::move(from)), since(loop.now()), close_asked(loop) {
      ++server.counts_.open;
      ++server.counts_.strangers;
      ++server.strangers_of_[peer];
      at = server.strangers_.insert(server.strangers_.end(), this);
    }
    ~Place() {
      --server.counts_.open;
      if (stranger) no_stranger();
    }
    void no_stranger() {
      stranger = false;
      server.strangers_.erase(at);
      --server.counts_.strangers;
      const auto count = server.strangers_of_.find(peer);
      if (--count->second == 0) server.strangers_of_.erase(count);
    }
    /// Its place is free from now on; its task ends in a later turn.
    void close() {
      no_stranger();
      closing = true;
      close_asked.notify();
    }

    SocketServer& server;
    const std::string peer;
    const TimePoint since;
    net::Signal close_asked;
    bool stranger = true, closing = false;
    std::list<Place*>::iterator at;
  };

  static std::string peer_of(const net::Socket& socket) {
    const net::Address from = socket.peer_address();
    if (from.is_ip()) return from.ip();
    const auto process = socket.peer_credentials();
    return process ? name_of(*process) : "unknown";
  }
  static std::string name_of(const net::Socket::Credentials& process) {
    return "pid " + std::to_string(process.pid);
  }

  net::Task<void> accept_all() {
    for (unsigned accepted = 1;; ++accepted) {
      auto socket = co_await listener_->accept();
      if (!socket) co_return;
      std::string peer = peer_of(**socket);
      net::Loop& loop = (*socket)->loop();
      const auto closed_before = counts_.closed_at_limit;
      if (accepted % kConnectionsInATurn == 0) co_await loop.yield();
      if (!make_room(peer)) continue;
      net::ask_for_keepalive((*socket)->fd());
      tasks_.spawn(serve_socket(*this, std::move(*socket), std::move(peer)));
      // What was closed for this one ends before the next is taken: else a burst would keep all of them.
      if (counts_.closed_at_limit != closed_before) co_await loop.yield();
    }
  }

  /// Whether another connection of that peer may be, if need be in the place of an older stranger.
  bool make_room(const std::string& peer) {
    const auto of_peer = strangers_of_.find(peer);
    if (of_peer != strangers_of_.end() && of_peer->second >= limits_.max_strangers_per_peer) {
      close_for_room(**std::ranges::find(strangers_, peer, &Place::peer));
    } else if (counts_.strangers >= limits_.max_strangers) {
      close_for_room(*strangers_.front());
    }
    if (counts_.open < limits_.max_connections) return true;
    if (!strangers_.empty()) {
      close_for_room(*strangers_.front());
      return true;
    }
    ++counts_.rejected;
    note("a connection is rejected: all places are taken");
    return false;
  }

  void close_for_room(Place& place) {
    ++counts_.closed_at_limit;
    note("too many connections of strangers: the oldest is closed");
    place.close();
  }

  void note(std::string_view what) {
    const TimePoint now = SteadyClock::now();
    if (now < quiet_until_) return;
    quiet_until_ = now + 10s;
    WEFT_LOG(kWarn, "grpc", what, {"open", counts_.open}, {"strangers", counts_.strangers});
  }

  static net::Task<void> serve_socket(SocketServer& server, std::unique_ptr<net::Socket> socket,
                                      std::string peer) {
    Place place(server, std::move(peer), socket->loop());
    static_cast<void>(co_await net::both(converse(server, place, std::move(socket)), until_closed(place)));
  }

  static net::Task<void> serve_stream(SocketServer& server, std::unique_ptr<net::Stream> stream,
                                      std::string name, net::Socket::Credentials peer) {
    Place place(server, std::move(name), stream->loop());
    static_cast<void>(
        co_await net::both(converse_plainly(server, place, std::move(stream), peer), until_closed(place)));
  }

  static net::Task<Result<void>> until_closed(Place& place) {
    while (!place.closing) co_await place.close_asked.wait();
    co_return fail(Error::downstream(Code::kExhausted, "its place was needed"));
  }

  /// One connection; its calls end with it. Always ends with an error, so that the task that watches over it
  /// ends too.
  static net::Task<Result<void>> converse(SocketServer& server, Place& place,
                                          std::unique_ptr<net::Socket> socket) {
    const auto peer = socket->peer_credentials();
    if (!server.tls_) co_return co_await converse_plainly(server, place, std::move(socket), peer);
    if (!co_await says_something(server, *socket)) co_return silent(server);
    const TimePoint deadline = socket->loop().now() + server.limits_.first_bytes;
    auto made = co_await tls::handshake(std::move(socket), server.tls_(), deadline);
    if (!made) co_return silent(server);
    if ((*made)->protocol() != "h2") co_return fail(Error::downstream(Code::kUnsupported, "not HTTP/2"));
    co_return co_await hold_session(server, place, std::move(*made), peer);
  }

  static net::Task<Result<void>> converse_plainly(SocketServer& server, Place& place,
                                                  std::unique_ptr<net::Stream> stream,
                                                  std::optional<net::Socket::Credentials> peer) {
    if (!co_await says_something(server, *stream)) co_return silent(server);
    co_return co_await hold_session(server, place, std::move(stream), peer);
  }

  /// Until it has said anything a connection costs no more than its descriptor.
  static net::Task<bool> says_something(SocketServer& server, net::Stream& stream) {
    stream.set_read_deadline(stream.loop().now() + server.limits_.first_bytes);
    for (;;) {
      if (co_await stream.readable() != net::IoError::kNone) co_return false;
      char byte;
      const net::IoResult first = stream.peek({&byte, 1});
      if (first.error == net::IoError::kWouldBlock) continue;
      stream.unpeek();
      stream.set_read_deadline(kNever);
      co_return first.ok();
    }
  }

  static net::Task<Result<void>> hold_session(SocketServer& server, Place& place,
                                              std::unique_ptr<net::Stream> transport,
                                              std::optional<net::Socket::Credentials> peer) {
    net::Loop& loop = transport->loop();
    Session session(
        std::move(transport),
        [&](MessageStream& stream, Session::Opening head) {
          return call(server, place, peer, stream, std::move(head));
        },
        server.limits_.session);
    static_cast<void>(co_await net::both(run(session), watch_over(server, place, session, loop)));
    co_return fail(Error::downstream(Code::kClosed, "the connection has ended"));
  }

  static std::unexpected<Error> silent(SocketServer& server) {
    ++server.counts_.closed_as_silent;
    return fail(Error::downstream(Code::kTimeout, "nothing came in time"));
  }

  static net::Task<Result<void>> run(Session& session) {
    co_await session.run();
    co_return fail(Error::downstream(Code::kClosed, "the session has ended"));
  }

  /// Ends when the peer has not introduced itself in time, or has no calls for long.
  static net::Task<Result<void>> watch_over(SocketServer& server, Place& place, Session& session,
                                            net::Loop& loop) {
    co_await loop.sleep_until(place.since + server.limits_.introduction);
    if (place.stranger) co_return silent(server);
    for (;;) {
      const bool unused = session.idle();
      co_await loop.sleep(server.limits_.unused);
      if (unused && session.idle()) co_return silent(server);
    }
  }

  static net::Task<void> call(SocketServer& server, Place& place,
                              std::optional<net::Socket::Credentials> peer, MessageStream& stream,
                              Session::Opening head) {
    const auto method = server.methods_.find(head.path);
    if (method == server.methods_.end()) {
      stream.finish(kUnimplemented, "there is no method " + head.path);
      co_return;
    }
    const auto admitted = [&place] {
      if (place.stranger) place.no_stranger();
    };
    co_await method->second(Call{head.path, peer, std::move(head.metadata), stream, admitted});
  }

  std::unique_ptr<net::Listener> listener_;
  std::map<std::string, Method> methods_;
  tls::ContextSource tls_;
  ServerLimits limits_;
  ServerCounts counts_;
  std::list<Place*> strangers_;  ///< the oldest first
  std::map<std::string, std::size_t> strangers_of_;
  TimePoint quiet_until_{};
  net::TaskScope tasks_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(net::Loop& loop, const net::Address& at,
                                               std::map<std::string, Method> methods, tls::ContextSource tls,
                                               ServerLimits limits) {
  std::unique_ptr<net::Listener> listener;
  if (at.is_unix()) {
    WEFT_TRY(net::Fd fd, make_private_unix_socket(at));
    WEFT_TRY(listener, net::Listener::adopt(loop, std::move(fd), false));
  } else {
    WEFT_TRY(listener, net::Listener::listen(loop, at));
  }
  return std::make_unique<SocketServer>(std::move(listener), std::move(methods), std::move(tls), limits);
}

std::unique_ptr<Server> Server::without_port(std::map<std::string, Method> methods, ServerLimits limits) {
  return std::make_unique<SocketServer>(nullptr, std::move(methods), tls::ContextSource(), limits);
}

}  // namespace weft::http::grpc
