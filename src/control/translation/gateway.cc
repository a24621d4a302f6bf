#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "api/admit.h"
#include "base/strings.h"
#include "control/translation/gateway_api_routes.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/route_builder.h"
#include "control/translation/route_match.h"

namespace weft::control {
namespace {

constexpr std::uint16_t kIngressPort = 80;
// On the pods of one machine's ingress: its address is open from the first moment, whatever rules there are.
constexpr const char* kAlwaysOpenLabel = "weft.dev/always-open";
constexpr std::string_view kNothingHere =
    "Nothing lets requests in here yet.\n"
    "The mesh is up, and no Gateway and no Ingress binds its ingress. Apply a Gateway with\n"
    "  selector: {istio: ingressgateway}\n"
    "and a VirtualService that names it under 'gateways'. What there is: weft get "
    "gateways,virtualservices,ingresses\n";

/// What one listening port of the gateway does, collected from every Gateway and Ingress that uses it.
struct Port {
  std::map<std::string, route::VirtualHost> hosts;  ///< by domain
  std::optional<tcp_proxy::TcpProxy> tcp;
  bool http = false;
  bool grpc_web = false;
  bool claimed_by_tcp = false;  ///< with or without a rule that says where to
};

using Ports = std::map<std::uint16_t, Port>;

route::VirtualHost& host_of(Port& port, const std::string& domain, std::uint16_t number) {
  auto [found, added] = port.hosts.try_emplace(domain);
  if (added) {
    found->second.set_name(domain + ":" + std::to_string(number));
    found->second.add_domains(domain);
    found->second.set_include_request_attempt_count(true);
  }
  return found->second;
}

/// What a server's host "namespace/name" allows: the name, when rules of `ns` may use it.
std::optional<std::string> server_host(std::string_view text, std::string_view gateway_ns,
                                       std::string_view ns) {
  std::string written = to_lower(text);
  auto slash = written.find('/');
  if (slash == written.npos) return written;
  std::string allowed = written.substr(0, slash);
  if (allowed == "." ? ns != gateway_ns : (allowed != "*" && allowed != ns)) return std::nullopt;
  return written.substr(slash + 1);
}

/// The narrower of both when one covers the other.
std::optional<std::string> intersection(const std::string& a, const std::string& b) {
  if (host_match(a, b) > 0) return b;
  if (host_match(b, a) > 0) return a;
  return std::nullopt;
}

void add_server(Ports& ports, const api::Object& gateway, const api::istio::Server& server,
                const PushContext& push, const ProxyIdentity& proxy) {
  std::uint16_t number = gateway_listener_port(push.registry, proxy, server.port);
  std::string name = std::string(gateway.ns()) + "/" + std::string(gateway.name());
  RouteScope scope{push, proxy, name, server.port};
  if (is_proxys_own(number)) return;  // no listener could be there; the Gateway's status says so
  Port& port = ports[number];
  // Of Gateways that say different things of one port the older has it; the other's status says so.
  if (server.is_tcp() ? port.http : port.claimed_by_tcp) return;
  if (server.is_tcp()) {
    port.claimed_by_tcp = true;
    for (const VirtualService* rule : push.rules.for_gateway(name, proxy.ns)) {
      if (port.tcp || common_hosts(*rule, server, gateway.ns()).empty()) continue;
      tcp_proxy::TcpProxy to = make_tcp_proxy("outbound_0.0.0.0_" + std::to_string(number));
      if (set_tcp_destination(to, *rule, scope)) port.tcp = std::move(to);
    }
    return;
  }
  port.http = true;
  port.grpc_web = port.grpc_web || server.protocol == api::istio::Server::Protocol::kGrpcWeb;
  for (const VirtualService* rule : push.rules.for_gateway(name, proxy.ns))
    for (const std::string& domain : common_hosts(*rule, server, gateway.ns()))
      add_rule_routes(host_of(port, domain, number), *rule, scope);
}

/// The port of the pod behind a Service's; 0 when it has a name that the pod does not know. `pod` may be
/// null.
std::uint16_t pod_port(const ServicePort& mapped, const Workload* pod) {
  return pod && !mapped.target_name.empty() ? pod->find_port(mapped.target_name) : mapped.target;
}

/// Where a Gateway of the Gateway API runs, seen from one proxy.
struct Place {
  bool here = false;
  const Service* service = nullptr;  ///< whose ports are the listeners'; null: they are the pod's own
};

/// A pod that was made for one Gateway serves it alone. A Gateway that names a Service is served by the pods
/// behind it, and one that names none by the ingress gateway of one machine.
Place place_of(const ApiGateway& gateway, const PushContext& push, const ProxyIdentity& proxy) {
  const api::Object& object = *gateway.object;
  auto made_for = proxy.labels.find(std::string(kGatewayNameLabel));
  if (made_for != proxy.labels.end()) return {made_for->second == object.name() && proxy.ns == object.ns()};
  std::string host = address_service(push.registry, gateway);
  if (host.empty()) host = full_host("istio-ingressgateway", "istio-system");
  const Service* service = push.registry.find(host);
  return {service && !service->selector.empty() && service->ns == proxy.ns &&
              contains(proxy.labels, service->selector),
          service};
}

void add_api_gateway(Ports& ports, const ApiGateway& gateway, const PushContext& push,
                     const ProxyIdentity& proxy) {
  Place place = place_of(gateway, push, proxy);
  if (!place.here || !gateway.valid.good) return;
  std::set<std::uint16_t> numbers;
  for (const ApiListener& listener : gateway.listeners)
    if (listener.serves()) numbers.insert(listener.spec->port);
  const Workload* pod = push.registry.workload(proxy.ns, proxy.pod);
  for (std::uint16_t written : numbers) {
    const ServicePort* mapped = place.service ? place.service->find_port(written) : nullptr;
    const std::uint16_t target = mapped ? pod_port(*mapped, pod) : 0;
    const std::uint16_t number = target != 0 ? target : written;
    Port& port = ports[number];
    if (port.claimed_by_tcp) continue;
    port.http = true;
    RouteScope scope{push, proxy, gateway.object->key().to_string(), written};
    for (auto& [domain, routes] : api_routes(gateway, scope)) {
      route::VirtualHost& host = host_of(port, domain, number);
      for (route::Route& made : routes) *host.add_routes() = std::move(made);
    }
  }
}

/// One path of an Ingress, or the backend that it gives to everything else.
struct IngressPath {
  std::string path;  ///< a prefix without the slash at its end: "" is every path
  bool exact = false;
  bool otherwise = false;  ///< a defaultBackend's: comes after every rule
  api::networking::Backend backend;
  std::string_view ns;
  std::size_t index = 0;  ///< as it was collected
};

/// By domain, of all Ingresses together: Kubernetes knows one table of paths for a host.
using IngressHosts = std::map<std::string, std::vector<IngressPath>>;

IngressPath ingress_path(const api::networking::IngressPath& from, std::string_view ns) {
  const bool exact = from.type == api::networking::IngressPath::Type::kExact;
  IngressPath made{from.path, exact, false, from.backend.value_or(api::networking::Backend()), ns};
  while (!made.exact && made.path.ends_with('/')) made.path.pop_back();
  return made;
}

void collect_ingress(IngressHosts& hosts, const Typed<api::networking::Ingress>& ingress) {
  const std::string_view ns = ingress.object->ns();
  std::set<std::string> own;
  for (const api::networking::IngressRule& rule : ingress.spec->rules) {
    own.insert(rule.host);
    for (const auto& path : rule.paths) hosts[rule.host].push_back(ingress_path(path, ns));
  }
  const auto& fallback = ingress.spec->default_backend;
  if (!fallback) return;
  own.insert("*");
  for (const std::string& domain : own) hosts[domain].push_back({"", false, true, *fallback, ns});
}

/// Kubernetes: the longest path first, of equals the exact one; then the older Ingress, as it is written.
void sort_paths(std::vector<IngressPath>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) paths[i].index = i;
  std::ranges::sort(paths, {}, [](const IngressPath& each) {
    return std::tuple(each.otherwise, -static_cast<std::ptrdiff_t>(each.path.size()), !each.exact,
                      each.index);
  });
}

/// `hosts` is the part of a route's match that says which hosts of the domain it is for.
void add_ingress_route(route::VirtualHost& host, const IngressPath& path,
                       const api::istio::RequestMatch& hosts, const PushContext& push) {
  Backend backend = ingress_backend(push.registry, path.backend, path.ns);
  add_plain_route(host, outbound_cluster(backend.port, "", backend.host),
                  backend.host + ":" + std::to_string(backend.port));
  auto& match = *host.mutable_routes(host.routes_size() - 1)->mutable_match();
  set_route_match(match, hosts);
  if (path.exact) {
    match.set_path(path.path);
  } else if (!path.path.empty()) {
    match.set_path_separated_prefix(path.path);
  }
}

/// A wildcard of an Ingress stands for one label; a domain's stands for several.
api::istio::StringMatch one_label(std::string_view domain) {
  return {api::istio::StringMatch::Form::kRegex,
          "(?i)[^.]+" + RE2::QuoteMeta(std::string(domain.substr(1))) + "\\.?(:[0-9]+)?"};
}

void add_ingresses(Ports& ports, const std::vector<const Typed<api::networking::Ingress>*>& ingresses,
                   const PushContext& push, const ProxyIdentity& proxy) {
  if (ingresses.empty()) return;
  IngressHosts hosts;
  for (const auto* ingress : ingresses) collect_ingress(hosts, *ingress);
  for (auto& [domain, paths] : hosts) sort_paths(paths);
  std::uint16_t number = gateway_listener_port(push.registry, proxy, kIngressPort);
  Port& port = ports[number];
  if (port.claimed_by_tcp) return;
  port.http = true;
  const auto everything = hosts.find("*");
  for (const auto& [domain, paths] : hosts) {
    const bool wild = domain.starts_with("*.");
    api::istio::RequestMatch inside, outside;
    if (wild) inside.authority = one_label(domain);
    auto& host = host_of(port, domain, number);
    for (const IngressPath& path : paths) add_ingress_route(host, path, inside, push);
    if (!wild || everything == hosts.end()) continue;
    outside.without_headers.push_back({":authority", one_label(domain)});
    for (const IngressPath& path : everything->second) add_ingress_route(host, path, outside, push);
  }
}

void add_listener(ResourceLists& into, std::uint16_t number, const Port& port, bool ipv6) {
  listener::Listener made;
  made.set_name("0.0.0.0_" + std::to_string(number));
  set_all_addresses(made, number, ipv6);
  made.set_traffic_direction(core::OUTBOUND);
  std::vector<std::string> tables;
  auto& chain = *made.add_filter_chains();
  if (port.http) {
    auto manager = make_http_manager(Side::kGateway, "outbound_" + made.name());
    tables.push_back("http." + std::to_string(number));
    if (port.grpc_web) add_grpc_web(manager);
    set_rds(manager, tables.back());
    add_http_filter(chain, manager);
  } else {
    add_tcp_filter(chain, *port.tcp);
  }
  add(into, Type::kListener, {made.name(), serialize(made), std::move(tables)});
}

/// Routes of several rules stand one after another; one that catches everything must not hide what follows.
void put_catch_alls_last(route::VirtualHost& host) {
  std::vector<route::Route> routes(host.routes().begin(), host.routes().end());
  host.clear_routes();
  for (bool last : {false, true})
    for (const auto& made : routes)
      if (is_catch_all(made.match()) == last) *host.add_routes() = made;
}

void add_table(ResourceLists& into, std::uint16_t number, Port& port, Proof* proof) {
  std::vector<HostPiecePtr> pieces;
  for (auto& [domain, host] : port.hosts) {
    put_catch_alls_last(host);
    pieces.push_back(piece_of(host, proof));
  }
  add(into, Type::kRoute, table_of_pieces("http." + std::to_string(number), std::move(pieces), proof));
}

/// A server that says more than weft does of it (TLS, client certificates, an address) stays closed: it would
/// let in more than it is written to.
void add_servers(Ports& ports, const Typed<api::istio::Gateway>& gateway, const PushContext& push,
                 const ProxyIdentity& proxy) {
  const auto faults = push.snapshot->faults(*gateway.object);
  for (const api::istio::Server& server : gateway.spec->servers)
    if (std::ranges::none_of(faults, [&](const auto& fault) { return api::concerns(fault, server.where); }))
      add_server(ports, *gateway.object, server, push, proxy);
}

/// A Gateway of either kind.
struct AnyGateway {
  const ApiGateway* of_api = nullptr;
  const Typed<api::istio::Gateway>* of_istio = nullptr;
};

/// The Gateways of both kinds in one order, for what they have in common is decided by age.
void add_gateways(Ports& ports, const PushContext& push, const ProxyIdentity& proxy) {
  std::multimap<api::ObjectPtr, AnyGateway, decltype(&older)> all(&older);
  for (const ApiGateway& gateway : push.gateway_api.gateways())
    all.emplace(gateway.object, AnyGateway{&gateway, nullptr});
  if (!proxy.labels.contains(std::string(kGatewayNameLabel)))
    for (const auto& gateway : push.snapshot->typed().all<api::istio::Gateway>())
      if (contains(proxy.labels, gateway.spec->selector))
        all.emplace(gateway.object, AnyGateway{nullptr, &gateway});
  for (const auto& [object, gateway] : all) {
    if (gateway.of_api)
      add_api_gateway(ports, *gateway.of_api, push, proxy);
    else
      add_servers(ports, *gateway.of_istio, push, proxy);
  }
}

/// A request before a rule opens the ingress gets a response that says what is missing.
void open_ingress(Ports& ports, const PushContext& push, const ProxyIdentity& proxy) {
  if (!proxy.labels.contains(kAlwaysOpenLabel)) return;
  const std::uint16_t number = gateway_listener_port(push.registry, proxy, kIngressPort);
  Port& port = ports[number];
  if (port.http || port.claimed_by_tcp) return;
  port.http = true;
  route::Route& made = *host_of(port, "*", number).add_routes();
  made.set_name("no-gateway");
  made.mutable_match()->set_prefix("/");
  made.mutable_direct_response()->set_status(404);
  made.mutable_direct_response()->mutable_body()->set_inline_string(std::string(kNothingHere));
}

}  // namespace

std::set<std::string> common_hosts(const VirtualService& rule, const api::istio::Server& server,
                                   std::string_view gateway_ns) {
  std::set<std::string> common;
  for (const std::string& written : server.hosts) {
    const auto allowed = server_host(written, gateway_ns, rule.object->ns());
    if (!allowed) continue;
    for (const std::string& host : rule.hosts)
      if (auto both = intersection(*allowed, host)) common.insert(*both);
  }
  return common;
}

std::uint16_t gateway_listener_port(const Registry& registry, const ProxyIdentity& proxy,
                                    std::uint16_t port) {
  const Workload* pod = registry.workload(proxy.ns, proxy.pod);
  for (const Service& service : registry.services_of(pod ? proxy.ns : kRootNamespace)) {
    bool in_front = pod ? !service.selector.empty() && contains(proxy.labels, service.selector)
                        : service.name == "istio-ingressgateway";
    const ServicePort* mapped = in_front ? service.find_port(port) : nullptr;
    if (!mapped) continue;
    if (const std::uint16_t target = pod_port(*mapped, pod); target != 0) return target;
  }
  return port;
}

bool is_our_ingress(const ObjectSnapshot& snapshot, const Typed<api::networking::Ingress>& ingress) {
  std::string_view name = ingress.spec->class_name;
  if (name.empty()) name = ingress.object->annotation("kubernetes.io/ingress.class");
  if (name.empty() || name == "istio") return true;
  const auto* named = snapshot.typed().find<api::networking::IngressClass>("", name);
  return named && named->spec->controller == "istio.io/ingress-controller";
}

Backend ingress_backend(const Registry& registry, const api::networking::Backend& backend,
                        std::string_view ns) {
  Backend found{registry.resolve_destination(full_host(backend.service, ns), ns), 0};
  const Service* service = registry.find(found.host);
  if (!service) return found;
  const auto* const name = std::get_if<std::string>(&backend.port);
  for (const ServicePort& candidate : service->ports)
    if (name ? candidate.name == *name : candidate.number == std::get<std::uint16_t>(backend.port))
      found.port = candidate.number;
  return found;
}

void add_gateway(ResourceLists& into, const PushContext& push, const ProxyIdentity& proxy, Proof* proof) {
  Ports ports;
  add_gateways(ports, push, proxy);
  const bool made_for_one = proxy.labels.contains(std::string(kGatewayNameLabel));
  bool takes_ingresses = proxy.labels.contains("istio") && (proxy.labels.at("istio") == "ingressgateway" ||
                                                            proxy.labels.at("istio") == "ingress");
  if (takes_ingresses && !made_for_one) {
    std::vector<const Typed<api::networking::Ingress>*> ours;
    for (const auto& ingress : push.snapshot->typed().all<api::networking::Ingress>())
      if (is_our_ingress(*push.snapshot, ingress)) ours.push_back(&ingress);
    std::ranges::sort(ours, older, &Typed<api::networking::Ingress>::object);
    add_ingresses(ports, ours, push, proxy);
  }
  open_ingress(ports, push, proxy);
  for (auto& [number, port] : ports) {
    if (!port.http && !port.tcp) continue;
    add_listener(into, number, port, proxy.ipv6);
    if (port.http) add_table(into, number, port, proof);
  }
}

}  // namespace weft::control
