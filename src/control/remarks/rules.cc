#include <algorithm>
#include <set>

#include "base/strings.h"
#include "control/json.h"
#include "control/remarks/remarks.h"
#include "control/translation/parts.h"

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
  for (const Subset& subset : destination.subsets) names.push_back(subset.name);
  return names;
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
    for (std::string_view list : {"http", "tcp"}) {
      const api::Json& routes = json::list(object_.spec(), list);
      for (std::size_t i = 0; i < routes.size(); ++i) {
        matches(json::list(routes[i], "match"), item("spec." + std::string(list), i) + ".match");
        const api::Json& to = json::list(routes[i], "route");
        for (std::size_t j = 0; j < to.size(); ++j)
          destination(json::map(to[j], "destination"),
                      item(item("spec." + std::string(list), i) + ".route", j) + ".destination");
      }
    }
    return std::move(made_);
  }

 private:
  void waits(std::string field, std::string text) {
    made_.push_back({Remark::Kind::kWaits, std::move(field), std::move(text)});
  }
  void no_effect(std::string field, std::string text) {
    made_.push_back({Remark::Kind::kNoEffect, std::move(field), std::move(text)});
  }
  bool has(std::string_view list) const { return !json::list(object_.spec(), list).empty(); }
  void host(std::size_t index);
  void host_at_gateways(std::size_t index);
  void service(const std::string& host, const std::string& field);
  void gateway(std::size_t index);
  std::set<std::string> namespaces_of(const api::Object& gateway) const;
  void subset_at_gateways(const std::string& host, std::string_view subset, const std::string& field);
  void matches(const api::Json& list, const std::string& field);
  void tcp_server(const std::string& name, const api::Object& gateway, const std::string& field);
  void destination(const api::Json& to, const std::string& field);

  const VirtualService& rule_;
  const Scene& scene_;
  const api::Object& object_;
  Remarks made_;
};

void VirtualServiceRemarks::host(std::size_t index) {
  if (!rule_.applies_to(kMesh)) return host_at_gateways(index);
  const std::string& name = rule_.hosts[index];
  const std::string field = item("spec.hosts", index);
  for (const VirtualService* other : scene_.mesh_rules(name)) {
    if (other == &rule_) break;
    if (!other->visible_from(object_.ns())) continue;
    return no_effect(field, "VirtualService " + shown(*other->object) +
                                " is older and has this host; for a host of the mesh the oldest holds alone, "
                                "so write both into one");
  }
  if (name.starts_with('*')) return;
  if (scene_.registry.find(name)) return service(name, field);
  // Other names are hosts outside of the mesh; rules for them hold at every HTTP port.
  if (name.ends_with(".svc.cluster.local"))
    waits(field,
          "waits for host " + name + ": there is no such service" + scene_.services_like(name, object_.ns()));
  else if (has("tcp") && !has("http"))
    no_effect(field, "TCP routes are for services of the mesh, and " + name + " is none");
}

/// When no server has any host of the rule, its gateways say so.
void VirtualServiceRemarks::host_at_gateways(std::size_t index) {
  VirtualService alone = rule_;
  alone.hosts = {rule_.hosts[index]};
  bool others = false;
  for (const std::string& name : rule_.gateways) {
    const auto slash = name.find('/');
    const api::ObjectPtr gateway =
        scene_.world.find({kinds::gateway(), name.substr(0, slash), name.substr(slash + 1)});
    if (!gateway) return;
    for (const auto& server : json::list(gateway->spec(), "servers")) {
      if (!common_hosts(alone, server, gateway->ns()).empty()) return;
      others = others || !common_hosts(rule_, server, gateway->ns()).empty();
    }
  }
  if (others)
    no_effect(item("spec.hosts", index),
              "no server of " + some_of(rule_.gateways) + " has host " + alone.hosts.front());
}

void VirtualServiceRemarks::service(const std::string& host, const std::string& field) {
  const Service& service = *scene_.registry.find(host);
  if (service.ports.empty()) return;
  if (has("http") && std::ranges::none_of(service.ports, speaks_http)) {
    std::string ports;
    for (const ServicePort& port : service.ports)
      ports += (ports.empty() ? "" : ", ") + std::to_string(port.number) +
               (port.name.empty() ? "" : " (" + port.name + ")");
    no_effect(field, "HTTP routes have no effect for " + host + ": no port of it is HTTP, " + ports +
                         " pass as TCP; name the port http-… or give it appProtocol: http");
  }
  if (has("tcp") && !has("http") &&
      std::ranges::all_of(service.ports, [](const ServicePort& port) { return is_http(port.protocol); }))
    no_effect(field, "TCP routes have no effect for " + host + ": every port of it is HTTP");
}

void VirtualServiceRemarks::gateway(std::size_t index) {
  const std::string& name = rule_.gateways[index];
  if (name == kMesh) return;
  const std::string field = item("spec.gateways", index);
  auto slash = name.find('/');
  api::ObjectPtr found = scene_.world.find({kinds::gateway(), name.substr(0, slash), name.substr(slash + 1)});
  if (!found) {
    std::vector<std::string> there;
    for (const auto& each : scene_.world.all(kinds::gateway()))
      there.push_back(each->ns() == object_.ns() ? std::string(each->name()) : shown(*each));
    return waits(field, "waits for gateway " + name + ": there is none of that name" +
                            instead_of(name.substr(slash + 1), there));
  }
  if (!rule_.exported && !namespaces_of(*found).contains(std::string(object_.ns())))
    return no_effect(field, "exportTo keeps the rule in namespace " + std::string(object_.ns()) +
                                ", where no pod of gateway " + name + " runs");
  std::vector<std::string> hosts;
  bool http = false, tcp = false, common = false;
  for (const auto& server : json::list(found->spec(), "servers")) {
    (is_tcp_server(server) ? tcp : http) = true;
    common = common || !common_hosts(rule_, server, found->ns()).empty();
    for (const auto& host : json::list(server, "hosts"))
      if (host.is_string()) hosts.push_back(host.get<std::string>());
  }
  if (!common)
    no_effect(field,
              "no server of gateway " + name + " has a host of this rule; its hosts are " + some_of(hosts));
  else if (has("http") && !http && !has("tcp"))
    no_effect(field, "gateway " + name + " has no HTTP server, and the rule no TCP route");
  else if (has("tcp") && !tcp && !has("http"))
    no_effect(field, "gateway " + name + " has no TCP server, and the rule no HTTP route");
  else if (has("tcp") && tcp)
    tcp_server(name, *found, field);
}

/// Where pods of the gateway run, which decides what exportTo lets them have. One machine's gateway has no
/// Pod.
std::set<std::string> VirtualServiceRemarks::namespaces_of(const api::Object& gateway) const {
  if (scene_.ground == Ground::kOneMachine) return {std::string(kRootNamespace)};
  const Labels selector = labels_from(json::map(gateway.spec(), "selector"));
  std::set<std::string> found;
  for (const auto& pod : scene_.world.all(kinds::pod()))
    if (has_labels(*pod, selector)) found.emplace(pod->ns());
  return found;
}

/// A match may narrow the rule's gateways, and name no others.
void VirtualServiceRemarks::matches(const api::Json& list, const std::string& field) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const api::Json& names = json::list(list[i], "gateways");
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (!names[j].is_string()) continue;
      const std::string name = gateway_name(names[j].get_ref<const std::string&>(), object_.ns());
      if (!rule_.applies_to(name))
        no_effect(item(item(field, i) + ".gateways", j),
                  "no request comes by " + name + ": it is not among the rule's gateways, which are " +
                      some_of(rule_.gateways));
    }
  }
}

/// Bytes name no host: of the rules for a TCP server one says where they go.
void VirtualServiceRemarks::tcp_server(const std::string& name, const api::Object& gateway,
                                       const std::string& field) {
  for (const VirtualService& other : scene_.rules.virtual_services()) {
    if (&other == &rule_) return;
    if (!other.applies_to(name) || json::list(other.object->spec(), "tcp").empty()) continue;
    for (const auto& server : json::list(gateway.spec(), "servers"))
      if (is_tcp_server(server) && !common_hosts(other, server, gateway.ns()).empty() &&
          !common_hosts(rule_, server, gateway.ns()).empty())
        return no_effect(field, "VirtualService " + shown(*other.object) +
                                    " is older and has the TCP server of gateway " + name +
                                    ", which takes the routes of one rule");
  }
}

void VirtualServiceRemarks::destination(const api::Json& to, const std::string& field) {
  std::string host = scene_.registry.resolve_destination(json::text(to, "host"), object_.ns());
  const Service* service = scene_.registry.find(host);
  if (!service)
    return waits(field + ".host", "waits for host " + host + ": there is no such service" +
                                      scene_.services_like(host, object_.ns()));
  std::int64_t port = json::number(json::map(to, "port"), "number");
  if (port != 0 && !service->find_port(static_cast<std::uint16_t>(port)))
    waits(field + ".port.number", "waits for port " + std::to_string(port) + " of host " + host +
                                      instead_of("", port_names(*service)));
  std::string_view subset = json::text(to, "subset");
  if (subset.empty()) return;
  const Destination destination = scene_.rules.destination(host, object_.ns());
  std::vector<std::string> names = subset_names(destination);
  if (std::ranges::find(names, subset) != names.end())
    return subset_at_gateways(host, subset, field + ".subset");
  waits(field + ".subset", "waits for subset " + std::string(subset) + " of host " + host +
                               ": no DestinationRule defines it" + instead_of(subset, names));
}

/// A subset that this namespace has may be kept from the gateways that the rule is for.
void VirtualServiceRemarks::subset_at_gateways(const std::string& host, std::string_view subset,
                                               const std::string& field) {
  for (const std::string& name : rule_.gateways) {
    const auto slash = name.find('/');
    if (slash == name.npos) continue;
    const api::ObjectPtr gateway =
        scene_.world.find({kinds::gateway(), name.substr(0, slash), name.substr(slash + 1)});
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
bool is_promised(const Service& service, const Labels& wanted, const World& world) {
  for (const api::KindInfo* kind : {kinds::deployment(), kinds::replica_set()})
    for (const auto& each : world.all(kind)) {
      if (each->ns() != service.ns) continue;
      const Labels labels =
          labels_from(json::map(json::map(json::map(each->spec(), "template"), "metadata"), "labels"));
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
    made.push_back({Remark::Kind::kWaits, "spec.host",
                    "waits for host " + rule.host + ": there is no such service" +
                        scene.services_like(rule.host, object.ns())});
    return made;
  }
  const api::Json& subsets = json::list(object.spec(), "subsets");
  for (const DestinationRule* other : scene.destination_rules(object.ns(), rule.host)) {
    if (other == &rule) break;
    if (!json::map(object.spec(), "trafficPolicy").empty() &&
        !json::map(other->object->spec(), "trafficPolicy").empty())
      made.push_back({Remark::Kind::kNoEffect, "spec.trafficPolicy",
                      "DestinationRule " + shown(*other->object) +
                          " is older and has a trafficPolicy for this host, which holds"});
    for (std::size_t i = 0; i < subsets.size(); ++i)
      for (const auto& theirs : json::list(other->object->spec(), "subsets"))
        if (json::text(theirs, "name") == json::text(subsets[i], "name"))
          made.push_back({Remark::Kind::kNoEffect, item("spec.subsets", i),
                          "DestinationRule " + shown(*other->object) + " is older and defines subset " +
                              std::string(json::text(theirs, "name")) + " of this host, which holds"});
  }
  if (!service || !has_pods(*service, {}, scene.registry)) return made;
  for (std::size_t i = 0; i < subsets.size(); ++i) {
    Labels wanted = labels_from(json::map(subsets[i], "labels"));
    if (has_pods(*service, wanted, scene.registry) || is_promised(*service, wanted, scene.world)) continue;
    made.push_back({Remark::Kind::kWaits, item("spec.subsets", i) + ".labels",
                    "subset " + std::string(json::text(subsets[i], "name")) +
                        " waits for pods: none of the service has " + pairs(wanted) +
                        instead_of(pairs(wanted), labels_there(*service, wanted, scene.registry))});
  }
  return made;
}

}  // namespace weft::control
