#include <algorithm>
#include <set>

#include "base/strings.h"
#include "base/time.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/route_builder.h"

namespace weft::control {
namespace {

constexpr std::uint16_t kOutboundPort = 15001;
constexpr std::uint16_t kInboundPort = 15006;

void add_listener(ResourceLists& into, const listener::Listener& made,
                  std::vector<std::string> route_tables) {
  add(into, Type::kListener, {made.name(), serialize(made), std::move(route_tables)});
}

listener::Listener make_listener(std::string name, std::string_view ip, std::uint16_t port) {
  listener::Listener made;
  made.set_name(std::move(name));
  set_address(*made.mutable_address(), ip, port);
  made.set_traffic_direction(core::OUTBOUND);
  return made;
}

std::string name_of(std::string_view ip, std::uint16_t port) {
  return std::string(ip) + "_" + std::to_string(port);
}

void add_virtual_outbound(ResourceLists& into, bool ipv6) {
  listener::Listener made = make_listener("virtualOutbound", "0.0.0.0", kOutboundPort);
  set_all_addresses(made, kOutboundPort, ipv6);
  made.mutable_use_original_dst()->set_value(true);
  auto& loop = *made.add_filter_chains();
  loop.set_name("virtualOutbound-blackhole");
  loop.mutable_filter_chain_match()->mutable_destination_port()->set_value(kOutboundPort);
  add_tcp_filter(loop, kBlackHole);
  auto& rest = *made.mutable_default_filter_chain();
  rest.set_name("virtualOutbound-catchall-tcp");
  add_tcp_filter(rest, kPassthrough);
  add_listener(into, made, {});
}

/// The listener that all HTTP services of a port number share. At their own addresses it is HTTP whatever
/// comes; elsewhere it may be anything, and first bytes tell.
void add_http_listener(ResourceLists& into, std::uint16_t port, const std::vector<std::string>& addresses,
                       bool grpc_web) {
  listener::Listener made = make_listener(name_of("0.0.0.0", port), "0.0.0.0", port);
  made.mutable_bind_to_port()->set_value(false);
  add_http_inspector(made);
  auto manager = make_http_manager(Side::kOutbound, "outbound_" + name_of("0.0.0.0", port));
  if (grpc_web) add_grpc_web(manager);
  set_rds(manager, std::to_string(port));
  if (!addresses.empty()) {
    auto& declared = *made.add_filter_chains();
    declared.set_name("declared-http");
    match_addresses(declared, addresses);
    add_http_filter(declared, manager);
  }
  auto& http = *made.add_filter_chains();
  http.set_name("sniffed-http");
  match_http(http);
  add_http_filter(http, manager);
  auto& rest = *made.mutable_default_filter_chain();
  rest.set_name("PassthroughFilterChain");
  add_tcp_filter(rest, kPassthrough);
  add_listener(into, made, {std::to_string(port)});
}

/// Where the bytes of one service's TCP port go: to its cluster, or where a rule sends them.
tcp_proxy::TcpProxy tcp_destination(const PushContext& push, const ProxyIdentity& proxy,
                                    const Service& service, const ServicePort& port) {
  std::string name = outbound_cluster(port.number, "", service.host);
  tcp_proxy::TcpProxy to = make_tcp_proxy(name);
  const RouteScope scope{push, proxy, std::string(kMesh), port.number};
  const VirtualService* rule = push.rules.for_mesh(service.host, proxy.ns, Layer::kTcp, scope.approach());
  if (!rule || !set_tcp_destination(to, *rule, scope)) to.set_cluster(name);
  return to;
}

void add_address_listener(ResourceLists& into, const std::string& ip, const ServicePortRef& of,
                          const tcp_proxy::TcpProxy& tcp) {
  listener::Listener made = make_listener(name_of(ip, of.port->number), ip, of.port->number);
  made.mutable_bind_to_port()->set_value(false);
  std::vector<std::string> tables;
  if (of.port->protocol == Protocol::kSniff) {
    add_http_inspector(made);
    auto& http = *made.add_filter_chains();
    match_http(http);
    auto manager = make_http_manager(Side::kOutbound, "outbound_" + made.name());
    tables.push_back(sniffed_table(*of.service, *of.port));
    set_rds(manager, tables.back());
    add_http_filter(http, manager);
    add_tcp_filter(*made.mutable_default_filter_chain(), tcp);
  } else {
    add_tcp_filter(*made.add_filter_chains(), tcp);
  }
  add_listener(into, made, std::move(tables));
}

/// Which service's port an address and a port number belong to: headless Services may share theirs.
using Claims = std::map<std::pair<std::uint16_t, std::string>, ServicePortRef>;

Claims claims_of(const Registry& registry) {
  Claims claims;
  for (const Service& service : registry.services()) {
    for (const ServicePort& port : service.ports) {
      if (port.protocol == Protocol::kUdp) continue;
      const ServicePortRef claim{&service, &port};
      for (std::string& ip : addresses_of(registry, service, port)) {
        auto [place, made] = claims.try_emplace({port.number, std::move(ip)}, claim);
        if (!made && decides_before(claim, place->second)) place->second = claim;
      }
    }
  }
  return claims;
}

bool has_grpc_web(const Registry& registry, std::uint16_t number) {
  return std::ranges::any_of(registry.services(), [&](const Service& service) {
    const ServicePort* port = service.find_port(number);
    return port && port->protocol == Protocol::kGrpcWeb;
  });
}

void add_inbound_http(listener::Listener& made, const InboundPort& port) {
  auto& chain = *made.add_filter_chains();
  chain.set_name(name_of("0.0.0.0", port.number));
  if (port.protocol == Protocol::kSniff) match_http(chain);
  chain.mutable_filter_chain_match()->mutable_destination_port()->set_value(port.number);
  auto manager = make_http_manager(Side::kInbound, "inbound_" + chain.name());
  if (port.protocol == Protocol::kGrpcWeb) add_grpc_web(manager);
  auto& table = *manager.mutable_route_config();
  table.set_name(inbound_cluster(port.number));
  table.mutable_validate_clusters()->set_value(false);
  auto& host = *table.add_virtual_hosts();
  host.set_name("inbound|http|" + std::to_string(port.number));
  host.add_domains("*");
  auto& made_route = *host.add_routes();
  made_route.set_name("default");
  made_route.mutable_match()->set_prefix("/");
  made_route.mutable_route()->set_cluster(inbound_cluster(port.number));
  set_timeout(*made_route.mutable_route(), 0ms);
  made_route.mutable_decorator()->set_operation(port.operation + "/*");
  add_http_filter(chain, manager);
}

void add_inbound_tcp(listener::Listener& made, const InboundPort& port) {
  auto& chain = *made.add_filter_chains();
  chain.set_name(name_of("0.0.0.0", port.number) + "-tcp");
  chain.mutable_filter_chain_match()->mutable_destination_port()->set_value(port.number);
  add_tcp_filter(chain, inbound_cluster(port.number));
}

}  // namespace

std::string sniffed_table(const Service& service, const ServicePort& port) {
  return service.host + ":" + std::to_string(port.number);
}

std::vector<std::string> addresses_of(const Registry& registry, const Service& service,
                                      const ServicePort& port) {
  if (!service.headless) return service.cluster_ips;
  std::set<std::string> ips;
  for (const Endpoint& endpoint : registry.endpoints(service, port))
    if (endpoint.port == port.number) ips.insert(endpoint.ip);
  return {ips.begin(), ips.end()};
}

std::set<std::uint16_t> http_ports(const Registry& registry) {
  std::set<std::uint16_t> ports;
  for (const Service& service : registry.services())
    for (const ServicePort& port : service.ports)
      if (is_http(port.protocol)) ports.insert(port.number);
  return ports;
}

std::vector<InboundPort> inbound_ports(const Registry& registry, const ProxyIdentity& proxy) {
  std::map<std::uint16_t, ServicePortRef> ports;
  const Workload* workload = registry.workload(proxy.ns, proxy.pod);
  for (const Service& service : registry.services_of(proxy.ns)) {
    if (service.selector.empty() || !contains(proxy.labels, service.selector)) continue;
    for (const ServicePort& port : service.ports) {
      std::uint16_t number = port.target;
      if (!port.target_name.empty() && workload) number = workload->find_port(port.target_name);
      if (number == 0 || port.protocol == Protocol::kUdp) continue;
      const ServicePortRef claim{&service, &port};
      auto [place, made] = ports.try_emplace(number, claim);
      if (!made && decides_before(claim, place->second)) place->second = claim;
    }
  }
  std::vector<InboundPort> sorted;
  for (const auto& [number, of] : ports)
    sorted.push_back({number, of.port->protocol, of.service->host + ":" + std::to_string(of.port->number)});
  return sorted;
}

void add_outbound_listeners(ResourceLists& into, const PushContext& push, const ProxyIdentity& proxy) {
  const Claims claims = claims_of(push.registry);
  std::map<std::uint16_t, std::vector<std::string>> declared;
  for (std::uint16_t port : http_ports(push.registry)) declared[port];
  for (const auto& [place, of] : claims) {
    if (is_http(of.port->protocol)) {
      declared[place.first].push_back(place.second);
    } else {
      add_address_listener(into, place.second, of, tcp_destination(push, proxy, *of.service, *of.port));
    }
  }
  for (const auto& [port, addresses] : declared)
    add_http_listener(into, port, addresses, has_grpc_web(push.registry, port));
}

void add_inbound_listeners(ResourceLists& into, std::span<const InboundPort> ports, bool ipv6) {
  add_virtual_outbound(into, ipv6);
  listener::Listener made = make_listener("virtualInbound", "0.0.0.0", kInboundPort);
  set_all_addresses(made, kInboundPort, ipv6);
  made.set_traffic_direction(core::INBOUND);
  add_original_destination(made);
  std::vector<std::uint16_t> sniffed;
  for (const InboundPort& port : ports)
    if (port.protocol == Protocol::kSniff) sniffed.push_back(port.number);
  if (!sniffed.empty()) add_http_inspector(made, sniffed);
  auto& loop = *made.add_filter_chains();
  loop.set_name("virtualInbound-blackhole");
  loop.mutable_filter_chain_match()->mutable_destination_port()->set_value(kInboundPort);
  add_tcp_filter(loop, kBlackHole);
  for (const InboundPort& port : ports) {
    if (is_http(port.protocol) || port.protocol == Protocol::kSniff) add_inbound_http(made, port);
    if (!is_http(port.protocol)) add_inbound_tcp(made, port);
  }
  auto& rest = *made.mutable_default_filter_chain();
  rest.set_name("virtualInbound");
  add_tcp_filter(rest, kInboundPassthrough);
  add_listener(into, made, {});
}

}  // namespace weft::control
