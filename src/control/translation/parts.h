#pragma once

#include <set>

#include "control/translation/resource_set.h"
#include "control/translation/translate.h"

/// The parts translate() is made of; each adds resources to the set.
namespace weft::control {

/// Outbound clusters of every service and subset, and their endpoints.
void add_outbound_clusters(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);
void add_sidecar_clusters(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);
void add_outbound_listeners(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);
void add_inbound_listener(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);
void add_outbound_routes(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);
/// Listeners and routes from Gateways with their VirtualServices, and from Ingresses.
void add_gateway(ResourceSet& into, const Inputs& inputs, const ProxyIdentity& proxy);

/// A port of the proxy's own pod that some service sends to.
struct InboundPort {
  std::uint16_t number = 0;
  Protocol protocol = Protocol::kSniff;
  std::string operation;  ///< "<host>:<port>" of that service
};
/// Sorted by number, each once.
std::vector<InboundPort> inbound_ports(const Registry& registry, const ProxyIdentity& proxy);

/// A server of an Istio Gateway that passes bytes on.
bool is_tcp_server(const api::Json& server);

/// The hosts that a rule and a server of an Istio Gateway in `gateway_ns` have in common.
std::set<std::string> common_hosts(const VirtualService& rule, const api::Json& server,
                                   std::string_view gateway_ns);

/// Whether the Ingress is for our class: named "istio" by field or annotation, by a class whose controller is
/// Istio's, or not at all (there is no other controller here).
bool is_our_ingress(const World& world, const api::Object& ingress);
/// The service and port an Ingress backend means; the port is 0 when there is no such service or port name.
struct Backend {
  std::string host;
  std::uint16_t port = 0;
};
Backend ingress_backend(const Registry& registry, const api::Json& backend, std::string_view ns);

}  // namespace weft::control
