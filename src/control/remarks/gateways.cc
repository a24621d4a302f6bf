#include <algorithm>
#include <set>

#include "base/strings.h"
#include "control/json.h"
#include "control/remarks/remarks.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

/// The ports of one machine's gateway that `weft up` leads to from outside: of its Service, and of its pod.
constexpr std::int64_t kOutside[] = {80, 8080};

std::string pairs(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += (text.empty() ? "" : ",") + key + "=" + value;
  return text.empty() ? "any" : text;
}

/// One machine's gateway has no Pod.
std::vector<Labels> gateways(const Scene& scene) {
  if (scene.ground == Ground::kOneMachine)
    return {{{"app", "istio-ingressgateway"}, {"istio", "ingressgateway"}}};
  std::vector<Labels> all;
  for (const auto& pod : scene.world.all(kinds::pod()))
    if (Labels labels = pod->labels(); is_gateway(labels) && !labels.contains(std::string(kGatewayNameLabel)))
      all.push_back(std::move(labels));
  return all;
}

bool is_any_pods(const Labels& selector, const World& world) {
  return !selector.empty() && std::ranges::any_of(world.all(kinds::pod()), [&](const api::ObjectPtr& pod) {
    return has_labels(*pod, selector);
  });
}

void check_selector(Remarks& made, const api::Object& gateway, const std::vector<Labels>& all,
                    const Scene& scene) {
  const Labels selector = labels_from(json::map(gateway.spec(), "selector"));
  if (std::ranges::any_of(all, [&](const Labels& labels) { return contains(labels, selector); })) return;
  std::vector<std::string> there;
  for (const Labels& labels : all)
    if (auto role = labels.find("istio"); role != labels.end()) there.push_back("istio=" + role->second);
  std::string text = is_any_pods(selector, scene.world)
                         ? "the pods that its selector (" + pairs(selector) + ") matches are no gateways"
                         : "its selector (" + pairs(selector) + ") matches no gateway";
  if (scene.ground == Ground::kCluster)
    text += "; gateways are pods with label istio=ingressgateway or istio=ingress";
  made.push_back({Remark::Kind::kNoEffect, "spec.selector", text + instead_of(pairs(selector), there)});
}

void check_outside(Remarks& made, std::string field, std::int64_t port, const Scene& scene) {
  if (scene.ground != Ground::kOneMachine || std::ranges::find(kOutside, port) != std::end(kOutside)) return;
  made.push_back({Remark::Kind::kNoEffect, std::move(field),
                  "port " + std::to_string(port) +
                      " is open inside of the mesh only: on one machine --ingress-port leads to port 80 (or "
                      "8080) of the gateway"});
}

/// The names of a service's ports and their numbers, as an Ingress may say them.
std::vector<std::string> port_words(const Service& service) {
  std::vector<std::string> words;
  for (const ServicePort& port : service.ports) {
    words.push_back(std::to_string(port.number));
    if (!port.name.empty()) words.push_back(port.name);
  }
  return words;
}

void check_backend(Remarks& made, const api::Json& backend, const std::string& field,
                   const api::Object& ingress, const Scene& scene) {
  if (backend.empty()) return;
  Backend found = ingress_backend(scene.registry, backend, ingress.ns());
  if (found.port != 0) return;
  const Service* service = scene.registry.find(found.host);
  const api::Json& wanted = json::map(json::map(backend, "service"), "port");
  std::string word(json::text(wanted, "name"));
  if (word.empty()) word = std::to_string(json::number(wanted, "number"));
  made.push_back({Remark::Kind::kWaits, field,
                  service ? "waits for port " + word + " of backend " + found.host +
                                instead_of(word, port_words(*service))
                          : "waits for backend " + found.host + ": there is no such service" +
                                scene.services_like(found.host, ingress.ns())});
}

/// "host /path Exact" of each rule, with its place.
std::map<std::string, std::string> places(const api::Object& ingress) {
  std::map<std::string, std::string> made;
  const api::Json& rules = json::list(ingress.spec(), "rules");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const api::Json& paths = json::list(json::map(rules[i], "http"), "paths");
    for (std::size_t j = 0; j < paths.size(); ++j) {
      std::string host = to_lower(json::text(rules[i], "host"));
      made.try_emplace((host.empty() ? "*" : host) + " " + std::string(json::text(paths[j], "path")) + " " +
                           std::string(json::text(paths[j], "pathType")),
                       item(item("spec.rules", i) + ".http.paths", j) + ".path");
    }
  }
  return made;
}

void check_older(Remarks& made, const api::Object& ingress, const Scene& scene) {
  for (const auto& [place, field] : places(ingress)) {
    const auto first = scene.ingress_paths().find(place);
    if (first != scene.ingress_paths().end() && first->second->key() != ingress.key())
      made.push_back({Remark::Kind::kNoEffect, field,
                      "Ingress " + std::string(first->second->ns()) + "/" +
                          std::string(first->second->name()) +
                          " is older and has this path of this host, which holds"});
  }
}

/// A bad finding of the Gateway API's reading as a remark.
void add(Remarks& made, const Finding& finding, std::string field) {
  if (finding.good) return;
  Remark::Kind kind = Remark::Kind::kNoEffect;
  if (finding.reason == "BackendNotFound" || finding.reason == "NoMatchingParent")
    kind = Remark::Kind::kWaits;
  made.push_back({kind, std::move(field), finding.message});
}

/// A port is HTTP or TCP, and pods that both Gateways select have one listener for it. `older_ones` have them
/// in common with `gateway`.
void check_port(Remarks& made, const api::Json& server, std::string field,
                const std::vector<api::ObjectPtr>& older_ones) {
  const auto number = json::number(json::map(server, "port"), "number");
  for (const api::ObjectPtr& other : older_ones)
    for (const auto& theirs : json::list(other->spec(), "servers"))
      if (json::number(json::map(theirs, "port"), "number") == number &&
          is_tcp_server(theirs) != is_tcp_server(server))
        return made.push_back({Remark::Kind::kNoEffect, std::move(field),
                               "port " + std::to_string(number) + " is " +
                                   (is_tcp_server(theirs) ? "TCP" : "HTTP") + " in Gateway " +
                                   std::string(other->ns()) + "/" + std::string(other->name()) +
                                   ", which is older and has it"});
}

/// On a cluster each Gateway has pods of its own. One machine has one gateway for all, so that equal
/// listeners are one.
void check_shared(Remarks& made, const ApiGateway& gateway, const Scene& scene) {
  const api::ObjectPtr self = scene.world.find(gateway.object->key());
  const auto host_of = [](const api::Json& listener) {
    return std::string(json::text(listener, "hostname"));
  };
  const api::Json& listeners = json::list(gateway.object->spec(), "listeners");
  for (const auto& other : scene.world.all(kinds::api_gateway())) {
    if (!self || other == self || !older(other, self)) continue;
    if (!is_our_class(scene.world, json::text(other->spec(), "gatewayClassName"))) continue;
    for (const auto& theirs : json::list(other->spec(), "listeners"))
      for (std::size_t i = 0; i < listeners.size(); ++i)
        if (json::number(theirs, "port") == json::number(listeners[i], "port") &&
            host_of(theirs) == host_of(listeners[i]))
          made.push_back({Remark::Kind::kNoEffect, item("spec.listeners", i),
                          "one machine has one gateway for all Gateways: Gateway " +
                              std::string(other->ns()) + "/" + std::string(other->name()) +
                              " is older and has this port and host, and of equal matches its routes hold"});
  }
}

/// The Gateways before this one that some gateway's pods serve together with it.
std::vector<api::ObjectPtr> older_beside(const api::Object& gateway, const std::vector<Labels>& pods,
                                         const Scene& scene) {
  const auto serve = [](const api::Object& one, const Labels& pod) {
    return contains(pod, labels_from(json::map(one.spec(), "selector")));
  };
  const api::ObjectPtr self = scene.world.find(gateway.key());
  std::vector<api::ObjectPtr> found;
  for (const auto& other : scene.world.all(kinds::gateway()))
    if (self && other != self && older(other, self) && std::ranges::any_of(pods, [&](const Labels& pod) {
          return serve(gateway, pod) && serve(*other, pod);
        }))
      found.push_back(other);
  return found;
}

}  // namespace

const std::map<std::string, api::ObjectPtr>& Scene::ingress_paths() const {
  if (ingress_paths_) return *ingress_paths_;
  ingress_paths_.emplace();
  for (const auto& ingress : world.all(kinds::ingress())) {
    if (!is_our_ingress(world, *ingress)) continue;
    for (const auto& [place, field] : places(*ingress)) {
      api::ObjectPtr& first = (*ingress_paths_)[place];
      if (!first || older(ingress, first)) first = ingress;
    }
  }
  return *ingress_paths_;
}

Remarks remarks_on_gateway(const api::Object& gateway, const Scene& scene) {
  Remarks made;
  add_faults(made, gateway, scene);
  const std::vector<Labels> pods = gateways(scene);
  check_selector(made, gateway, pods, scene);
  const std::vector<api::ObjectPtr> older_ones = older_beside(gateway, pods, scene);
  const api::Json& servers = json::list(gateway.spec(), "servers");
  for (std::size_t i = 0; i < servers.size(); ++i)
    check_port(made, servers[i], item("spec.servers", i) + ".port", older_ones);
  for (std::size_t i = 0; i < servers.size(); ++i)
    check_outside(made, item("spec.servers", i) + ".port.number",
                  json::number(json::map(servers[i], "port"), "number"), scene);
  return made;
}

/// What other controllers are told by annotations: who may come in, among others.
void check_annotations(Remarks& made, const api::Object& ingress) {
  constexpr std::string_view kOthers[] = {"nginx.ingress.kubernetes.io/",
                                          "nginx.org/",
                                          "haproxy.org/",
                                          "haproxy-ingress.github.io/",
                                          "traefik.ingress.kubernetes.io/",
                                          "konghq.com/",
                                          "alb.ingress.kubernetes.io/",
                                          "ingress.kubernetes.io/"};
  for (const auto& [name, value] : json::map(json::map(ingress.body, "metadata"), "annotations").items())
    if (std::ranges::any_of(kOthers, [&](std::string_view prefix) { return name.starts_with(prefix); }))
      made.push_back({Remark::Kind::kNoEffect, "metadata.annotations",
                      name + " is for another ingress controller, and nothing here does what it says"});
}

Remarks remarks_on_ingress(const api::Object& ingress, const Scene& scene) {
  Remarks made;
  if (!is_our_ingress(scene.world, ingress)) {
    std::string name(json::text(ingress.spec(), "ingressClassName"));
    if (scene.ground == Ground::kOneMachine)
      made.push_back({Remark::Kind::kNoEffect, "spec.ingressClassName",
                      "Ingresses of class " + name + " are nobody's here; write istio, or leave it out"});
    return made;
  }
  add_faults(made, ingress, scene);
  check_backend(made, json::map(ingress.spec(), "defaultBackend"), "spec.defaultBackend", ingress, scene);
  const api::Json& rules = json::list(ingress.spec(), "rules");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const api::Json& paths = json::list(json::map(rules[i], "http"), "paths");
    for (std::size_t j = 0; j < paths.size(); ++j)
      check_backend(made, json::map(paths[j], "backend"),
                    item(item("spec.rules", i) + ".http.paths", j) + ".backend", ingress, scene);
  }
  check_annotations(made, ingress);
  check_older(made, ingress, scene);
  return made;
}

Remarks remarks_on(const ApiGateway& gateway, const Scene& scene) {
  Remarks made;
  const api::Object& object = *gateway.object;
  add_faults(made, object, scene);
  if (made.empty()) add(made, gateway.valid, "spec");
  for (std::size_t i = 0; i < gateway.listeners.size(); ++i) {
    const ApiListener& listener = gateway.listeners[i];
    const std::string field = item("spec.listeners", i);
    if (listener.accepted.reason == "PortUnavailable") add(made, listener.accepted, field + ".port");
    add(made, listener.conflict, field);
    add(made, listener.resolved, field + ".allowedRoutes.kinds");
    check_outside(made, field + ".port", listener.port, scene);
  }
  if (scene.ground != Ground::kOneMachine) return made;
  check_shared(made, gateway, scene);
  constexpr const char* kNothingMade =
      "nothing is made for a Gateway on one machine; it has an effect on a cluster only";
  if (!json::map(object.spec(), "infrastructure").empty())
    made.push_back({Remark::Kind::kNoEffect, "spec.infrastructure", kNothingMade});
  for (const char* name : {"networking.istio.io/service-type", "gateway.istio.io/name-override"})
    if (!object.annotation(name).empty())
      made.push_back(
          {Remark::Kind::kNoEffect, "metadata.annotations", std::string(name) + ": " + kNothingMade});
  return made;
}

Remarks remarks_on(const ApiRoute& route, const Scene& scene) {
  Remarks made;
  add_faults(made, *route.object, scene);
  const api::Json& references = json::list(route.object->spec(), "parentRefs");
  for (const ApiParent& parent : route.parents) {
    std::size_t index = 0;
    while (index < references.size() && &references[index] != parent.reference) ++index;
    if (parent.accepted.reason != "UnsupportedValue")
      add(made, parent.accepted, item("spec.parentRefs", index));
  }
  if (references.empty())
    made.push_back(
        {Remark::Kind::kNoEffect, "spec", "it names no Gateway in parentRefs, and none serves it"});
  else if (route.parents.empty())
    made.push_back(
        {Remark::Kind::kNoEffect, "spec.parentRefs", "none of its Gateways is of a class of ours"});
  add(made, route.resolved, "spec.rules");
  return made;
}

}  // namespace weft::control
