#include "http/server_session.h"

#include "http/auto_session.h"
#include "http/h1/server_connection.h"
#include "http/h2/server_connection.h"

namespace weft::http {

std::unique_ptr<ServerSession> make_server_session(Protocol protocol, net::Stream& stream,
                                                   const ServerSessionOptions& options,
                                                   ServerSession::Observer* observer) {
  if (protocol == Protocol::kHttp2) return std::make_unique<h2::ServerConnection>(stream, options, observer);
  if (protocol == Protocol::kAuto) return std::make_unique<AutoSession>(stream, options, observer);
  return std::make_unique<h1::ServerConnection>(stream, options, observer);
}

}  // namespace weft::http
