#include "http/server_session.h"

#include "http/h1/server_connection.h"

namespace weft::http {

std::unique_ptr<ServerSession> make_server_session(Protocol, net::Stream& stream,
                                                   const ServerSessionOptions& options,
                                                   ServerSession::Observer* observer) {
  return std::make_unique<h1::ServerConnection>(stream, options, observer);
}

}  // namespace weft::http
