#include <algorithm>
#include <set>

#include "base/strings.h"
#include "control/remarks/remarks.h"
#include "control/translation/parts.h"
#include "control/translation/route_match.h"
#include "xds/proto/route.pb.h"

namespace weft::control {
namespace {

std::string shown(const api::Object& object) {
  return std::string(object.ns()) + "/" + std::string(object.name());
}

bool speaks_http(const ServicePort& port) {
  return is_http(port.protocol) || port.protocol == Protocol::kSniff;
}

std::vector<std::string> port_names(const Service& service) {
  std::vector<std::string> names;
  for (const ServicePort& port : service.ports) names.push_back(std::to_string(port.number));
  return names;
}

std::vector<std::string> subset_names(const Destination& destination) {
  std::vector<std::string> names;
  for (const api::istio::Subset* subset : destination.subsets) names.push_back(subset->name);
  return names;
}

/// What is to be said of a rule in `ns` for a host that is an ExternalName. Null: it is none.
std::optional<Remark> about_alias(const std::string& host, std::string_view ns, const Scene& scene,
                                  std::string field) {
  const std::string to = scene.registry.resolve_destination(host, ns);
  if (to == host) return std::nullopt;
  const std::string is = " is an ExternalName for " + to + ", ";
  const Service* service = scene.registry.find(to);
  if (!service)
    return Remark{Remark::Kind::kWaits, std::move(field),
                  "waits for host " + host + ": it" + is + "which is no service of the mesh"};
  return Remark{Remark::Kind::kNoEffect, std::move(field),
                host + is + "and a call to it is one to that: write " + service->name +
                    (service->ns == ns ? "" : "." + service->ns)};
}

std::vector<const api::istio::MatchScope*> matches_of(const VirtualService& rule, Layer layer) {
  static const api::istio::MatchScope kAnything;
  std::vector<const api::istio::MatchScope*> found;
  const auto add_any = [&](const auto& matches) {
    if (matches.empty()) found.push_back(&kAnything);
  };
  if (layer == Layer::kHttp)
    for (const api::istio::HttpRoute& route : rule.spec->http) {
      add_any(route.matches);
      for (const api::istio::HttpMatch& each : route.matches) found.push_back(&each.scope);
    }
  else
    for (const api::istio::TcpRoute& route : rule.spec->tcp) {
      add_any(route.matches);
      for (const api::istio::MatchScope& each : route.matches) found.push_back(&each);
    }
  return found;
}

bool holds_everywhere(const api::istio::MatchScope& scope) {
  return scope.understood && scope.port == 0 && scope.gateways.empty() && scope.source_labels.empty();
}

/// Takes every request that comes to it, from anywhere: no route after it is reached.
bool takes_everything(const api::istio::HttpRoute& route) {
  return route.matches.empty() || std::ranges::any_of(route.matches, [](const api::istio::HttpMatch& each) {
           envoy::config::route::v3::RouteMatch made;
           set_route_match(made, each.request);
           return holds_everywhere(each.scope) && is_catch_all(made);
         });
}

bool takes_everything(const api::istio::TcpRoute& route) {
  return route.matches.empty() || std::ranges::any_of(route.matches, holds_everywhere);
}

/// Calls in the mesh that the rule has matches for: the port, 0 where it may be any, and the caller's labels.
using Calls = std::vector<std::pair<std::uint16_t, const Labels*>>;

/// `service` is what is called, where it is one.
Calls calls_by_matches(const VirtualService& rule, Layer layer, const Service* service) {
  Calls calls;
  for (const api::istio::MatchScope* match : matches_of(rule, layer)) {
    const bool in_mesh =
        match->gateways.empty() || std::ranges::find(match->gateways, kMesh) != match->gateways.end();
    if (!in_mesh) continue;
    if (!service) calls.emplace_back(match->port, &match->source_labels);
    if (!service) continue;
    for (const ServicePort& each : service->ports) {
      const bool passes = layer == Layer::kHttp ? speaks_http(each) : !is_http(each.protocol);
      if (passes && (match->port == 0 || match->port == each.number))
        calls.emplace_back(each.number, &match->source_labels);
    }
  }
  return calls;
}

/// Everything about one VirtualService.
class VirtualServiceRemarks {
 public:
  VirtualServiceRemarks(const VirtualService& rule, const Scene& scene)
      : rule_(rule), scene_(scene), object_(*rule.object) {}

  Remarks all() && {
    add_faults(made_, object_, scene_);
    for (std::size_t i = 0; i < rule_.hosts.size(); ++i) host(i);
    for (std::size_t i = 0; i < rule_.gateways.size(); ++i) gateway(i);
    for (const api::istio::HttpRoute& route : rule_.spec->http) {
      for (const api::istio::HttpMatch& each : route.matches) match(each.scope);
      for (const api::istio::WeightedDestination& to : route.destinations()) destination(to);
    }
    for (const api::istio::TcpRoute& route : rule_.spec->tcp) {
      for (const api::istio::MatchScope& each : route.matches) match(each);
      for (const api::istio::WeightedDestination& to : route.destinations) destination(to);
    }
    unreached("spec.http", rule_.spec->http);
    unreached("spec.tcp", rule_.spec->tcp);
    return std::move(made_);
  }

 private:
  void waits(std::string field, std::string text) {
    made_.push_back({Remark::Kind::kWaits, std::move(field), std::move(text)});
  }
  void no_effect(std::string field, std::string text) {
    made_.push_back({Remark::Kind::kNoEffect, std::move(field), std::move(text)});
  }
  void unreached(const std::string& field, const auto& routes) {
    const auto first = std::ranges::find_if(routes, [](const auto& each) { return takes_everything(each); });
    if (routes.end() - first < 2) return;
    const auto at = static_cast<std::size_t>(first - routes.begin());
    const auto place = [&](std::size_t index) { return field + "[" + std::to_string(index) + "]"; };
    no_effect(place(at + 1), "is never reached: " + place(at) + " matches everything");
  }
  bool has_http() const { return !rule_.spec->http.empty(); }
  bool has_tcp() const { return !rule_.spec->tcp.empty(); }
  void host(std::size_t index);
  const VirtualService* hidden_by(const std::string& host) const;
  void host_at_gateways(std::size_t index);
  void service(const std::string& host, const std::string& field);
  void gateway(std::size_t index);
  using Gateway = Typed<api::istio::Gateway>;
  const Gateway* find_gateway(std::string_view name) const;
  std::set<std::string> namespaces_of(const Gateway& gateway) const;
  void subset_at_gateways(const std::string& host, std::string_view subset, const std::string& field);
  void match(const api::istio::MatchScope& match);
  void tcp_server(const std::string& name, const Gateway& gateway, const std::string& field);
  void destination(const api::istio::WeightedDestination& weighted);

  const VirtualService& rule_;
  const Scene& scene_;
  const api::Object& object_;
  Remarks made_;
};

/// Of "namespace/name".
const VirtualServiceRemarks::Gateway* VirtualServiceRemarks::find_gateway(std::string_view name) const {
  const auto slash = name.find('/');
  return scene_.snapshot.typed().find<api::istio::Gateway>(name.substr(0, slash), name.substr(slash + 1));
}

/// An older rule for the host, where those leave no call of the mesh to this one; else null.
const VirtualService* VirtualServiceRemarks::hidden_by(const std::string& host) const {
  std::vector<const VirtualService*> older;
  for (const VirtualService* other : scene_.mesh_rules(host)) {
    if (other == &rule_) break;
    if (other->visible_from(object_.ns())) older.push_back(other);
  }
  const VirtualService* found = nullptr;
  for (const Layer layer : {Layer::kHttp, Layer::kTcp})
    for (const auto& [port, labels] : calls_by_matches(rule_, layer, scene_.registry.find(host))) {
      const auto decides = [&](const VirtualService* other) {
        return other->decides(layer, {kMesh, port, *labels});
      };
      const auto first = std::ranges::find_if(older, decides);
      if (first == older.end()) return nullptr;
      if (!found) found = *first;
    }
  if (found) return found;
  // Not even without the older ones would it have a call.
  const auto is_alike = [&](const VirtualService* other) {
    return (has_http() && !other->spec->http.empty()) || (has_tcp() && !other->spec->tcp.empty());
  };
  const auto alike = std::ranges::find_if(older, is_alike);
  return alike == older.end() ? nullptr : *alike;
}

void VirtualServiceRemarks::host(std::size_t index) {
  if (!rule_.applies_to(kMesh)) return host_at_gateways(index);
  const std::string& name = rule_.hosts[index];
  const std::string field = item("spec.hosts", index);
  const bool is_name = !name.starts_with('*') && !scene_.registry.find(name);
  if (auto remark = is_name ? about_alias(name, object_.ns(), scene_, field) : std::nullopt)
    return made_.push_back(std::move(*remark));
  if (const VirtualService* other = hidden_by(name))
    return no_effect(field, "VirtualService " + shown(*other->object) +
                                " is older and has this host; for a call in the mesh the oldest that has a "
                                "route decides, and none is left to this one, so write both into one");
  if (name.starts_with('*')) return;
  if (scene_.registry.find(name)) return service(name, field);
  // Other names are hosts outside of the mesh; rules for them hold at every HTTP port.
  if (name.ends_with(".svc.cluster.local"))
    waits(field,
          "waits for host " + name + ": there is no such service" + scene_.services_like(name, object_.ns()));
  else if (has_tcp() && !has_http())
    no_effect(field, "TCP routes are for services of the mesh, and " + name + " is none");
}

/// When no server has any host of the rule, its gateways say so.
void VirtualServiceRemarks::host_at_gateways(std::size_t index) {
  VirtualService alone = rule_;
  alone.hosts = {rule_.hosts[index]};
  bool others = false;
  for (const std::string& name : rule_.gateways) {
    const Gateway* gateway = find_gateway(name);
    if (!gateway) return;
    for (const api::istio::Server& server : gateway->spec->servers) {
      if (!common_hosts(alone, server, gateway->object->ns()).empty()) return;
      others = others || !common_hosts(rule_, server, gateway->object->ns()).empty();
    }
  }
  if (others)
    no_effect(item("spec.hosts", index),
              "no server of " + some_of(rule_.gateways) + " has host " + alone.hosts.front());
}

void VirtualServiceRemarks::service(const std::string& host, const std::string& field) {
  const Service& service = *scene_.registry.find(host);
  if (service.ports.empty()) return;
  if (has_http() && std::ranges::none_of(service.ports, speaks_http)) {
    std::string ports;
    for (const ServicePort& port : service.ports)
      ports += (ports.empty() ? "" : ", ") + std::to_string(port.number) +
               (port.name.empty() ? "" : " (" + port.name + ")");
    no_effect(field, "HTTP routes have no effect for " + host + ": no port of it is HTTP, " + ports +
                         " pass as TCP; name the port http-… or give it appProtocol: http");
  }
  if (has_tcp() && !has_http() &&
      std::ranges::all_of(service.ports, [](const ServicePort& port) { return is_http(port.protocol); }))
    no_effect(field, "TCP routes have no effect for " + host + ": every port of it is HTTP");
}

void VirtualServiceRemarks::gateway(std::size_t index) {
  const std::string& name = rule_.gateways[index];
  if (name == kMesh) return;
  const std::string field = item("spec.gateways", index);
  const Gateway* found = find_gateway(name);
  if (!found) {
    std::vector<std::string> there;
    for (const auto& each : scene_.snapshot.all(kinds::gateway()))
      there.push_back(each->ns() == object_.ns() ? std::string(each->name()) : shown(*each));
    return waits(field, "waits for gateway " + name + ": there is none of that name" +
                            instead_of(name.substr(name.find('/') + 1), there));
  }
  if (!rule_.spec->exported && !namespaces_of(*found).contains(std::string(object_.ns())))
    return no_effect(field, "exportTo keeps the rule in namespace " + std::string(object_.ns()) +
                                ", where no pod of gateway " + name + " runs");
  std::vector<std::string> hosts;
  bool http = false, tcp = false, common = false;
  for (const api::istio::Server& server : found->spec->servers) {
    (server.is_tcp() ? tcp : http) = true;
    common = common || !common_hosts(rule_, server, found->object->ns()).empty();
    hosts.insert(hosts.end(), server.hosts.begin(), server.hosts.end());
  }
  if (!common)
    no_effect(field,
              "no server of gateway " + name + " has a host of this rule; its hosts are " + some_of(hosts));
  else if (has_http() && !http && !has_tcp())
    no_effect(field, "gateway " + name + " has no HTTP server, and the rule no TCP route");
  else if (has_tcp() && !tcp && !has_http())
    no_effect(field, "gateway " + name + " has no TCP server, and the rule no HTTP route");
  else if (has_tcp() && tcp)
    tcp_server(name, *found, field);
}

/// Where pods of the gateway run, which decides what exportTo lets them have. One machine's gateway has no
/// Pod.
std::set<std::string> VirtualServiceRemarks::namespaces_of(const Gateway& gateway) const {
  if (scene_.ground == Ground::kOneMachine) return {std::string(kRootNamespace)};
  std::set<std::string> found;
  for (const auto& pod : scene_.snapshot.all(kinds::pod()))
    if (has_labels(*pod, gateway.spec->selector)) found.emplace(pod->ns());
  return found;
}

/// A match may narrow the rule's gateways, and name no others.
void VirtualServiceRemarks::match(const api::istio::MatchScope& match) {
  for (std::size_t i = 0; i < match.gateways.size(); ++i) {
    const std::string name = gateway_name(match.gateways[i], object_.ns());
    if (!rule_.applies_to(name))
      no_effect(item(match.where.to_string() + ".gateways", i),
                "no request comes by " + name + ": it is not among the rule's gateways, which are " +
                    some_of(rule_.gateways));
  }
}

/// Bytes name no host: of the rules for a TCP server one says where they go.
void VirtualServiceRemarks::tcp_server(const std::string& name, const Gateway& gateway,
                                       const std::string& field) {
  const std::string_view ns = gateway.object->ns();
  for (const VirtualService& other : scene_.rules.virtual_services()) {
    if (&other == &rule_) return;
    if (!other.applies_to(name) || other.spec->tcp.empty()) continue;
    for (const api::istio::Server& server : gateway.spec->servers)
      if (server.is_tcp() && !common_hosts(other, server, ns).empty() &&
          !common_hosts(rule_, server, ns).empty())
        return no_effect(field, "VirtualService " + shown(*other.object) +
                                    " is older and has the TCP server of gateway " + name +
                                    ", which takes the routes of one rule");
  }
}

void VirtualServiceRemarks::destination(const api::istio::WeightedDestination& weighted) {
  const api::istio::Destination& to = weighted.destination;
  const std::string field = weighted.where.to_string() + ".destination";
  std::string host = scene_.registry.resolve_destination(to.host, object_.ns());
  const Service* service = scene_.registry.find(host);
  if (!service)
    return waits(field + ".host", "waits for host " + host + ": there is no such service" +
                                      scene_.services_like(host, object_.ns()));
  if (to.port != 0 && !service->find_port(to.port))
    waits(field + ".port.number", "waits for port " + std::to_string(to.port) + " of host " + host +
                                      instead_of("", port_names(*service)));
  if (to.subset.empty()) return;
  const Destination destination = scene_.rules.destination(host, object_.ns());
  std::vector<std::string> names = subset_names(destination);
  if (std::ranges::find(names, to.subset) != names.end())
    return subset_at_gateways(host, to.subset, field + ".subset");
  waits(field + ".subset", "waits for subset " + to.subset + " of host " + host +
                               ": no DestinationRule defines it" + instead_of(to.subset, names));
}

/// A subset that this namespace has may be kept from the gateways that the rule is for.
void VirtualServiceRemarks::subset_at_gateways(const std::string& host, std::string_view subset,
                                               const std::string& field) {
  for (const std::string& name : rule_.gateways) {
    const Gateway* gateway = name == kMesh ? nullptr : find_gateway(name);
    if (!gateway) continue;
    for (const std::string& ns : namespaces_of(*gateway)) {
      const std::vector<std::string> names = subset_names(scene_.rules.destination(host, ns));
      if (std::ranges::find(names, subset) == names.end())
        return no_effect(field, "subset " + std::string(subset) + " of host " + host +
                                    " is not there for gateway " + name +
                                    ": no DestinationRule that defines it "
                                    "is exported to namespace " +
                                    ns + ", where its pods run");
    }
  }
}

/// The values that the labels of `wanted` have on the service's pods: "version=v1, version=v2".
std::vector<std::string> labels_there(const Service& service, const Labels& wanted,
                                      const Registry& registry) {
  std::set<std::string> found;
  for (const ServicePort& port : service.ports)
    for (const Endpoint& endpoint : registry.endpoints(service, port))
      for (const auto& [key, value] : wanted)
        if (auto has = endpoint.labels.find(key); has != endpoint.labels.end())
          found.insert(key + "=" + has->second);
  return {found.begin(), found.end()};
}

bool has_pods(const Service& service, const Labels& wanted, const Registry& registry) {
  return std::ranges::any_of(service.ports, [&](const ServicePort& port) {
    const auto& endpoints = registry.endpoints(service, port);
    return std::ranges::any_of(endpoints,
                               [&](const Endpoint& each) { return contains(each.labels, wanted); });
  });
}

/// Some Deployment is about to have such pods.
bool is_promised(const Service& service, const Labels& wanted, const ObjectSnapshot& snapshot) {
  for (const api::KindInfo* kind : {kinds::deployment(), kinds::replica_set()})
    for (const auto& each : snapshot.all(kind)) {
      if (each->ns() != service.ns) continue;
      const Labels labels = template_labels(*each);
      if (contains(labels, service.selector) && contains(labels, wanted)) return true;
    }
  return false;
}

std::string pairs(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += (text.empty() ? "" : ",") + key + "=" + value;
  return text;
}

}  // namespace

Remarks remarks_on(const VirtualService& rule, const Scene& scene) {
  return VirtualServiceRemarks(rule, scene).all();
}

Remarks remarks_on(const DestinationRule& rule, const Scene& scene) {
  Remarks made;
  const api::Object& object = *rule.object;
  add_faults(made, object, scene);
  const Service* service = scene.registry.find(rule.host);
  if (!service && !rule.host.starts_with('*')) {
    if (auto remark = about_alias(rule.host, object.ns(), scene, "spec.host")) {
      made.push_back(std::move(*remark));
      return made;
    }
    made.push_back({Remark::Kind::kWaits, "spec.host",
                    "waits for host " + rule.host + ": there is no such service" +
                        scene.services_like(rule.host, object.ns())});
    return made;
  }
  const std::vector<api::istio::Subset>& subsets = rule.spec->subsets;
  for (const DestinationRule* other : scene.destination_rules(object.ns(), rule.host)) {
    if (other == &rule) break;
    if (rule.spec->policy && other->spec->policy)
      made.push_back({Remark::Kind::kNoEffect, "spec.trafficPolicy",
                      "DestinationRule " + shown(*other->object) +
                          " is older and has a trafficPolicy for this host, which holds"});
    for (const api::istio::Subset& subset : subsets)
      for (const api::istio::Subset& theirs : other->spec->subsets)
        if (theirs.name == subset.name)
          made.push_back({Remark::Kind::kNoEffect, subset.where.to_string(),
                          "DestinationRule " + shown(*other->object) + " is older and defines subset " +
                              theirs.name + " of this host, which holds"});
  }
  if (!service || !has_pods(*service, {}, scene.registry)) return made;
  for (const api::istio::Subset& subset : subsets) {
    const Labels& wanted = subset.labels;
    if (has_pods(*service, wanted, scene.registry) || is_promised(*service, wanted, scene.snapshot)) continue;
    made.push_back({Remark::Kind::kWaits, subset.where.to_string() + ".labels",
                    "subset " + subset.name + " waits for pods: none of the service has " + pairs(wanted) +
                        instead_of(pairs(wanted), labels_there(*service, wanted, scene.registry))});
  }
  return made;
}

}  // namespace weft::control
