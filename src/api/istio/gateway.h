#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/fields.h"
#include "api/place.h"

namespace weft::api::istio {

struct Server {
  enum class Protocol : std::uint8_t {
    kHttp,
    kHttp2,
    kGrpc,
    kGrpcWeb,
    kTcp,
    kOther  ///< a word that is none of these; checks find it, and the server is not opened
  };
  Place where;
  std::uint16_t port = 0;
  Protocol protocol = Protocol::kOther;
  std::vector<std::string> hosts;  ///< as written: "name", or with "namespace/", "./" or "*/" before it
  bool is_tcp() const { return protocol == Protocol::kTcp; }
};

/// Istio's Gateway, as its spec says it. Immutable once it is shared; any thread.
struct Gateway {
  Labels selector;
  std::vector<Server> servers;
};

/// Of any spec, checked or not: what is absent or wrong reads as absent, and places stay what they are. A
/// pure function; any thread.
Gateway read_gateway(const Json& spec);

}  // namespace weft::api::istio
