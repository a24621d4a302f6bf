#include "control/translation/translate.h"

#include <algorithm>
#include <array>

#include "control/translation/parts.h"

namespace weft::control {

bool is_proxys_own(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 6> kOwn = {15000, 15001, 15006, 15020, 15021, 15090};
  return std::ranges::find(kOwn, port) != kOwn.end();
}

ResourceSet translate(const Inputs& inputs, const ProxyIdentity& proxy) {
  ResourceSet set;
  add_outbound_clusters(set, inputs, proxy);
  if (proxy.kind == ProxyIdentity::Kind::kGateway) {
    add_gateway(set, inputs, proxy);
  } else {
    add_sidecar_clusters(set, inputs, proxy);
    add_outbound_listeners(set, inputs, proxy);
    add_outbound_routes(set, inputs, proxy);
    add_inbound_listener(set, inputs, proxy);
  }
  return set;
}

}  // namespace weft::control
