#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "http/grpc/session_limits.h"
#include "http/grpc/stream.h"
#include "http/message.h"
#include "net/socket.h"
#include "tls/context.h"

namespace weft::http::grpc {

/// One call as a method sees it; `stream` lives as long as the method's task.
struct Call {
  std::string path;
  std::optional<net::Socket::Credentials> peer;  ///< Unix sockets: who connected
  Headers metadata;                              ///< the request's fields but those that begin with ':'
  MessageStream& stream;
  /// To be called when it is known who calls: the connection then counts as one of a known peer.
  std::function<void()> admitted = {};
};

/// Ends the call with finish(); a method that returns without it has finished with kOk.
using Method = std::function<net::Task<void>(Call)>;

/// Whom a server lets in, and for how long it waits for them to say who they are. A connection is a
/// stranger's until one of its calls was admitted(). A new one is always accepted, and at a limit the
/// stranger is closed who has been there longest: one that comes to talk is known after some milliseconds.
struct ServerLimits {
  std::size_t max_connections = 4096;  ///< of all peers; at most half of the descriptors that there are
  std::size_t max_strangers = 256;
  std::size_t max_strangers_per_peer = 32;  ///< of an IP address, or a process behind a Unix socket
  Duration first_bytes = 10s;               ///< for the first bytes, and then as long for a TLS handshake
  Duration introduction = 30s;              ///< from the connection to the first admitted call
  Duration unused = 300s;                   ///< without any call
  SessionLimits session = SessionLimits::for_server();
};

/// What became of connections, since the start.
struct ServerCounts {
  std::size_t open = 0, strangers = 0;
  std::uint64_t closed_at_limit = 0;   ///< strangers that gave their place to newer ones
  std::uint64_t closed_as_silent = 0;  ///< no first bytes, no handshake, no admitted call in time
  std::uint64_t rejected = 0;          ///< all places are taken by known peers
};

/// A gRPC server over HTTP/2, with prior knowledge or under TLS.
///
/// Owner: the program that needs the port. Thread: the loop's. How it ends: the destructor cancels every
/// call.
class Server {
 public:
  /// TCP, or a Unix path that only its owner may connect to. Methods by path ("/package.Service/Method").
  static Result<std::unique_ptr<Server>> listen(net::Loop& loop, const net::Address& at,
                                                std::map<std::string, Method> methods,
                                                tls::ContextSource tls = {}, ServerLimits limits = {});
  /// Without a port: it has the connections that serve() gives it.
  static std::unique_ptr<Server> without_port(std::map<std::string, Method> methods,
                                              ServerLimits limits = {});
  virtual ~Server() = default;
  /// A connection accepted elsewhere, with prior knowledge; one for which there is no room is closed.
  virtual void serve(std::unique_ptr<net::Stream> connection, net::Socket::Credentials peer) = 0;
  virtual ServerCounts counts() const = 0;
  virtual net::Address address() const = 0;  ///< empty: without a port
};

}  // namespace weft::http::grpc
