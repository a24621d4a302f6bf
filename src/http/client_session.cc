#include "http/client_session.h"

#include "http/h1/client_connection.h"
#include "http/h2/client_connection.h"

namespace weft::http {

std::unique_ptr<ClientSession> make_client_session(Protocol protocol, std::unique_ptr<net::Stream> stream,
                                                   const Limits& limits, const Http2Limits& http2) {
  if (protocol == Protocol::kHttp2)
    return std::make_unique<h2::ClientConnection>(std::move(stream), h2::ClientLimits{limits, http2});
  return std::make_unique<h1::ClientConnection>(std::move(stream), limits);
}

}  // namespace weft::http
