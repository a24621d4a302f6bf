#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "http/server_session.h"
#include "net/socket.h"
#include "tls/context.h"

namespace weft::http {

struct ServerOptions {
  /// One more takes the place of the one that has been idle for longest: without a request, with an
  /// unfinished head, or with a body that is not wanted. When all have a request it waits.
  std::size_t max_connections = 1024;
  ServerSessionOptions session = {
      .first_byte_timeout = 10s, .request_timeout = 60s, .cancel_reads_when_gone = true};
  tls::ContextSource tls = {};       ///< empty: plain
  Duration handshake_timeout = 10s;  ///< of TLS
  /// For a client that does not read its response, from the request's head on; 0: none.
  Duration response_timeout = 0s;
};

/// A Handler that is told who connected.
using PeerHandler = std::function<net::Task<void>(ServerExchange&, const net::Address& peer)>;

/// An HTTP/1 server on one loop, plain or under TLS: for APIs, webhooks, the proxy's admin pages, and tests.
/// The data plane builds on ServerSession itself.
///
/// Owner: the program that needs the port. Thread: the loop's.
/// How it ends: drain() lets responses in progress end; the destructor ends everything at once.
class Server {
 public:
  /// TCP, or a Unix path: an old socket there is replaced, and only its owner may connect (0600).
  static Result<std::unique_ptr<Server>> listen(net::Loop& loop, const net::Address& at, Handler handler,
                                                ServerOptions options = {});
  static Result<std::unique_ptr<Server>> adopt(net::Loop& loop, std::unique_ptr<net::Listener> listener,
                                               Handler handler, ServerOptions options = {});
  static Result<std::unique_ptr<Server>> listen(net::Loop& loop, const net::Address& at, PeerHandler handler,
                                                ServerOptions options = {});
  virtual ~Server() = default;
  virtual net::Address address() const = 0;
  /// Stops accepting and resumes when the last connection has ended.
  virtual net::Task<void> drain() = 0;
};

/// The whole body of a request. Error: kTooLarge beyond `limit` bytes.
net::Task<Result<std::string>> read_all(ServerExchange& exchange, std::size_t limit);
/// A whole response.
net::Task<Result<void>> respond(ServerExchange& exchange, int status, std::string_view content_type,
                                std::string_view body);

/// The part of a request's path before '?', and the value of one query parameter, percent-decoded; nullopt
/// when absent.
std::string_view path_of(std::string_view target);
std::optional<std::string> query_parameter(std::string_view target, std::string_view name);
std::string percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);

/// A listening Unix socket that only its owner may connect to, replacing what an earlier process left there.
Result<net::Fd> make_private_unix_socket(const net::Address& at);

}  // namespace weft::http
