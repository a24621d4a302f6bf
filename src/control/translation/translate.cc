#include "control/translation/translate.h"

#include "control/translation/parts.h"

namespace weft::control {

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

bool is_gateway(const Labels& labels) {
  auto role = labels.find("istio");
  if (role != labels.end() && (role->second == "ingressgateway" || role->second == "ingress")) return true;
  return labels.contains(std::string(kGatewayNameLabel));
}

}  // namespace weft::control
