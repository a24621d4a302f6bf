#pragma once

#include <set>

#include "control/translation/proof.h"
#include "control/translation/resource_set.h"
#include "control/translation/route_builder.h"
#include "control/translation/route_table.h"
#include "control/translation/translate.h"

/// The parts that a translation is made of.
namespace weft::control {

/// A port of the proxy's own pod that some service sends to.
struct InboundPort {
  std::uint16_t number = 0;
  Protocol protocol = Protocol::kSniff;
  std::string operation;  ///< "<host>:<port>" of that service
};
/// Those of the proxy's pod, sorted by number, each once.
std::vector<InboundPort> inbound_ports(const Registry& registry, const ProxyIdentity& proxy);

/// The cluster that responds to nothing.
void add_black_hole(ResourceLists& into);
/// The clusters of a service and its subsets as `proxy` sees them, and their endpoints.
void add_service_clusters(ResourceLists& into, const PushContext& push, const Service& service,
                          const ProxyIdentity& proxy);
/// The same with what rules say of the service.
void add_service_clusters(ResourceLists& into, const PushContext& push, const Service& service,
                          const Destination& rule, ProxyIdentity::Kind kind);
/// What a sidecar needs for its own pod: where everything is captured, and what goes to the application.
void add_inbound_clusters(ResourceLists& into, std::span<const InboundPort> ports, bool ipv6);
void add_inbound_listeners(ResourceLists& into, std::span<const InboundPort> ports, bool ipv6);
/// The listeners of services, at their ports and addresses.
void add_outbound_listeners(ResourceLists& into, const PushContext& push, const ProxyIdentity& proxy);
/// Listeners and routes from Gateways with their VirtualServices, and from Ingresses. Without a proof as they
/// are written.
void add_gateway(ResourceLists& into, const PushContext& push, const ProxyIdentity& proxy, Proof* proof);

/// The numbers of ports at which some service is HTTP.
std::set<std::uint16_t> http_ports(const Registry& registry);
/// The route table of a service's port at its addresses.
std::string sniffed_table(const Service& service, const ServicePort& port);
/// Addresses at which a service's port is known by its address.
std::vector<std::string> addresses_of(const Registry& registry, const Service& service,
                                      const ServicePort& port);

/// The virtual host of a service's port: the routes of the rule that decides, or when it is null one to its
/// cluster. `scope` says for whom. A rule that decides and has no route that could be told responds with 404.
HostPiecePtr service_host(const Service& service, const ServicePort& port, const VirtualService* rule,
                          const RouteScope& scope, Proof* proof);
/// The same in the table of that port alone, where every name is the service's.
HostPiecePtr only_host(const Service& service, const ServicePort& port, const VirtualService* rule,
                       const RouteScope& scope, Proof* proof);
/// Of a host that a rule names and no service has; null when the rule has no route here.
HostPiecePtr foreign_host(const std::string& name, const VirtualService& rule, const RouteScope& scope,
                          Proof* proof);
/// For everything else: where it was sent to.
HostPiecePtr allow_any_host(Proof* proof);

/// What of the host is to be sent; null: nothing. Without a proof all of it.
HostPiecePtr piece_of(const envoy::config::route::v3::VirtualHost& host, Proof* proof);
/// The table of these, without those that are null; with a proof each domain in one of them only.
Resource table_of_pieces(const std::string& name, std::vector<HostPiecePtr> hosts, Proof* proof);

/// The hosts that a rule and a server of an Istio Gateway in `gateway_ns` have in common.
std::set<std::string> common_hosts(const VirtualService& rule, const api::istio::Server& server,
                                   std::string_view gateway_ns);

/// Whether the Ingress is for our class: named "istio" by field or annotation, by a class whose controller is
/// Istio's, or not at all (there is no other controller here).
bool is_our_ingress(const ObjectSnapshot& snapshot, const Typed<api::networking::Ingress>& ingress);
/// The service and port an Ingress backend means; the port is 0 when there is no such service or port name.
struct Backend {
  std::string host;
  std::uint16_t port = 0;
};
Backend ingress_backend(const Registry& registry, const api::networking::Backend& backend,
                        std::string_view ns);

}  // namespace weft::control
