#include <algorithm>
#include <set>

#include "base/strings.h"
#include "control/remarks/remarks.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

/// The ports of one machine's gateway that `weft up` leads to from outside: of its Service, and of its pod.
constexpr std::uint16_t kOutside[] = {80, 8080};

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
  for (const auto& pod : scene.snapshot.all(kinds::pod()))
    if (Labels labels = pod->labels(); is_gateway(labels) && !labels.contains(std::string(kGatewayNameLabel)))
      all.push_back(std::move(labels));
  return all;
}

bool is_any_pods(const Labels& selector, const ObjectSnapshot& snapshot) {
  return !selector.empty() && std::ranges::any_of(snapshot.all(kinds::pod()), [&](const api::ObjectPtr& pod) {
    return has_labels(*pod, selector);
  });
}

void check_selector(Remarks& made, const Labels& selector, const std::vector<Labels>& all,
                    const Scene& scene) {
  if (std::ranges::any_of(all, [&](const Labels& labels) { return contains(labels, selector); })) return;
  std::vector<std::string> there;
  for (const Labels& labels : all)
    if (auto role = labels.find("istio"); role != labels.end()) there.push_back("istio=" + role->second);
  std::string text = is_any_pods(selector, scene.snapshot)
                         ? "the pods that its selector (" + pairs(selector) + ") matches are no gateways"
                         : "its selector (" + pairs(selector) + ") matches no gateway";
  if (scene.ground == Ground::kCluster)
    text += "; gateways are pods with label istio=ingressgateway or istio=ingress";
  made.push_back({Remark::Kind::kNoEffect, "spec.selector", text + instead_of(pairs(selector), there)});
}

void check_outside(Remarks& made, std::string field, std::uint16_t port, const Scene& scene) {
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

void check_backend(Remarks& made, const std::optional<api::networking::Backend>& backend,
                   const std::string& field, std::string_view ns, const Scene& scene) {
  if (!backend) return;
  Backend found = ingress_backend(scene.registry, *backend, ns);
  if (found.port != 0) return;
  const Service* service = scene.registry.find(found.host);
  const auto* const name = std::get_if<std::string>(&backend->port);
  const std::string word = name ? *name : std::to_string(std::get<std::uint16_t>(backend->port));
  made.push_back({Remark::Kind::kWaits, field,
                  service ? "waits for port " + word + " of backend " + found.host +
                                instead_of(word, port_words(*service))
                          : "waits for backend " + found.host + ": there is no such service" +
                                scene.services_like(found.host, ns)});
}

/// "host /path Exact" of each rule, with its place.
std::map<std::string, std::string> places(const api::networking::Ingress& ingress) {
  std::map<std::string, std::string> made;
  for (const api::networking::IngressRule& rule : ingress.rules)
    for (const api::networking::IngressPath& path : rule.paths)
      made.try_emplace(rule.host + " " + path.path + " " + std::string(to_string(path.type)),
                       path.where.to_string() + ".path");
  return made;
}

void check_older(Remarks& made, const Typed<api::networking::Ingress>& ingress, const Scene& scene) {
  for (const auto& [place, field] : places(*ingress.spec)) {
    const auto first = scene.ingress_paths().find(place);
    if (first != scene.ingress_paths().end() && first->second->key() != ingress.object->key())
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
void check_port(Remarks& made, const api::istio::Server& server,
                const std::vector<const Typed<api::istio::Gateway>*>& older_ones) {
  for (const auto* other : older_ones)
    for (const api::istio::Server& theirs : other->spec->servers)
      if (theirs.port == server.port && theirs.is_tcp() != server.is_tcp())
        return made.push_back({Remark::Kind::kNoEffect, server.where.to_string() + ".port",
                               "port " + std::to_string(server.port) + " is " +
                                   (theirs.is_tcp() ? "TCP" : "HTTP") + " in Gateway " +
                                   std::string(other->object->ns()) + "/" +
                                   std::string(other->object->name()) + ", which is older and has it"});
}

/// On a cluster each Gateway has pods of its own. One machine has one gateway for all, so that equal
/// listeners are one.
void check_shared(Remarks& made, const ApiGateway& gateway, const Scene& scene) {
  const api::ObjectPtr self = scene.snapshot.find(gateway.object->key());
  for (const auto& other : scene.snapshot.typed().all<api::gateway_api::Gateway>()) {
    if (!self || other.object == self || !older(other.object, self)) continue;
    if (!is_our_class(scene.snapshot, other.spec->class_name)) continue;
    for (const api::gateway_api::Listener& theirs : other.spec->listeners)
      for (const api::gateway_api::Listener& listener : gateway.spec->listeners)
        if (theirs.port == listener.port && theirs.host == listener.host)
          made.push_back({Remark::Kind::kNoEffect, listener.where.to_string(),
                          "one machine has one gateway for all Gateways: Gateway " +
                              std::string(other.object->ns()) + "/" + std::string(other.object->name()) +
                              " is older and has this port and host, and of equal matches its routes hold"});
  }
}

/// The Gateways before this one that some gateway's pods serve together with it.
std::vector<const Typed<api::istio::Gateway>*> older_beside(const Typed<api::istio::Gateway>& gateway,
                                                            const std::vector<Labels>& pods,
                                                            const Scene& scene) {
  const api::ObjectPtr self = scene.snapshot.find(gateway.object->key());
  std::vector<const Typed<api::istio::Gateway>*> found;
  for (const auto& other : scene.snapshot.typed().all<api::istio::Gateway>())
    if (self && other.object != self && older(other.object, self) &&
        std::ranges::any_of(pods, [&](const Labels& pod) {
          return contains(pod, gateway.spec->selector) && contains(pod, other.spec->selector);
        }))
      found.push_back(&other);
  return found;
}

}  // namespace

const std::map<std::string, api::ObjectPtr>& Scene::ingress_paths() const {
  if (ingress_paths_) return *ingress_paths_;
  ingress_paths_.emplace();
  for (const auto& ingress : snapshot.typed().all<api::networking::Ingress>()) {
    if (!is_our_ingress(snapshot, ingress)) continue;
    for (const auto& [place, field] : places(*ingress.spec)) {
      api::ObjectPtr& first = (*ingress_paths_)[place];
      if (!first || older(ingress.object, first)) first = ingress.object;
    }
  }
  return *ingress_paths_;
}

Remarks remarks_on(const Typed<api::istio::Gateway>& gateway, const Scene& scene) {
  Remarks made;
  add_faults(made, *gateway.object, scene);
  const std::vector<Labels> pods = gateways(scene);
  check_selector(made, gateway.spec->selector, pods, scene);
  const auto older_ones = older_beside(gateway, pods, scene);
  const std::vector<api::istio::Server>& servers = gateway.spec->servers;
  for (const api::istio::Server& server : servers) check_port(made, server, older_ones);
  for (const api::istio::Server& server : servers)
    check_outside(made, server.where.to_string() + ".port.number", server.port, scene);
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
  for (const std::string_view name : ingress.annotation_keys())
    if (std::ranges::any_of(kOthers, [&](std::string_view prefix) { return name.starts_with(prefix); }))
      made.push_back(
          {Remark::Kind::kNoEffect, "metadata.annotations",
           std::string(name) + " is for another ingress controller, and nothing here does what it says"});
}

Remarks remarks_on(const Typed<api::networking::Ingress>& ingress, const Scene& scene) {
  Remarks made;
  const std::string_view ns = ingress.object->ns();
  if (!is_our_ingress(scene.snapshot, ingress)) {
    if (scene.ground == Ground::kOneMachine)
      made.push_back({Remark::Kind::kNoEffect, "spec.ingressClassName",
                      "Ingresses of class " + ingress.spec->class_name +
                          " are nobody's here; write istio, or leave it out"});
    return made;
  }
  add_faults(made, *ingress.object, scene);
  check_backend(made, ingress.spec->default_backend, "spec.defaultBackend", ns, scene);
  for (const api::networking::IngressRule& rule : ingress.spec->rules)
    for (const api::networking::IngressPath& path : rule.paths)
      check_backend(made, path.backend, path.where.to_string() + ".backend", ns, scene);
  check_annotations(made, *ingress.object);
  check_older(made, ingress, scene);
  return made;
}

Remarks remarks_on(const ApiGateway& gateway, const Scene& scene) {
  Remarks made;
  const api::Object& object = *gateway.object;
  add_faults(made, object, scene);
  if (made.empty()) add(made, gateway.valid, "spec");
  for (const ApiListener& listener : gateway.listeners) {
    const std::string field = listener.spec->where.to_string();
    if (listener.accepted.reason == "PortUnavailable") add(made, listener.accepted, field + ".port");
    add(made, listener.conflict, field);
    add(made, listener.resolved, field + ".allowedRoutes.kinds");
    check_outside(made, field + ".port", listener.spec->port, scene);
  }
  if (scene.ground != Ground::kOneMachine) return made;
  check_shared(made, gateway, scene);
  constexpr const char* kNothingMade =
      "nothing is made for a Gateway on one machine; it has an effect on a cluster only";
  if (gateway.spec->infrastructure)
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
  for (const ApiParent& parent : route.parents)
    if (parent.accepted.reason != "UnsupportedValue")
      add(made, parent.accepted, parent.reference->where.to_string());
  if (route.spec->parents.empty())
    made.push_back(
        {Remark::Kind::kNoEffect, "spec", "it names no Gateway in parentRefs, and none serves it"});
  else if (route.parents.empty())
    made.push_back(
        {Remark::Kind::kNoEffect, "spec.parentRefs", "none of its Gateways is of a class of ours"});
  add(made, route.resolved, "spec.rules");
  return made;
}

}  // namespace weft::control
