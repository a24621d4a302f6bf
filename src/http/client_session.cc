#include "http/client_session.h"

#include "http/h1/client_connection.h"

namespace weft::http {

std::unique_ptr<ClientSession> make_client_session(Protocol, std::unique_ptr<net::Stream> stream,
                                                   const Limits& limits) {
  return std::make_unique<h1::ClientConnection>(std::move(stream), limits);
}

}  // namespace weft::http
