#pragma once

#include "proxy/filters/filter_config.h"

namespace weft::proxy {

/// For browsers, which can neither speak HTTP/2 frames nor read trailers (grpc/doc/PROTOCOL-WEB.md): their
/// requests, application/grpc-web and its text form in base64, become gRPC, and the trailers of the response
/// the last frame of its body. Other requests, and responses that are not gRPC, pass as they are; CORS is
/// left to others. As Envoy's filter, but that suffixes such as +json pass and base64 may be padded anywhere.
HttpFilterFactory grpc_web_filter();

}  // namespace weft::proxy
