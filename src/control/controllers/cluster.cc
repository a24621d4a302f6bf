#include <optional>
#include <set>

#include "control/control_plane.h"
#include "control/controllers/gateway_parts.h"
#include "control/controllers/view.h"
#include "control/json.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

void add_service_addresses(api::Json& into, const api::Object& service) {
  for (const auto& entry : json::list(json::map(service.status(), "loadBalancer"), "ingress"))
    for (std::string_view name : {"ip", "hostname"})
      if (std::string_view value = json::text(entry, name); !value.empty())
        into.push_back({{std::string(name), std::string(value)}});
  for (const auto& address : json::list(service.spec(), "externalIPs"))
    if (address.is_string()) into.push_back({{"ip", address}});
}

/// Where gateways can be reached: through their Services' load balancers, else at the nodes they run on.
api::Json gateway_addresses(const LinkIndex& links) {
  api::Json addresses = api::Json::array();
  std::set<std::string> nodes;
  for (const auto& each : links.found(topic(About::kIngressAddresses))) {
    const std::string_view role = each->kind == kinds::service()
                                      ? json::text(json::map(each->spec(), "selector"), "istio")
                                      : each->label("istio");
    if (!is_gateway_role(role)) continue;
    if (each->kind == kinds::service())
      add_service_addresses(addresses, *each);
    else if (std::string_view node = json::text(each->status(), "hostIP"); is_ready(*each) && !node.empty())
      nodes.emplace(node);
  }
  if (!addresses.empty()) return addresses;
  for (const std::string& node : nodes) addresses.push_back({{"ip", node}});
  return addresses;
}

/// A class that is not defined any more, or one of another controller's, is not ours. One machine also takes
/// Ingresses without a class; in a cluster those are another controller's.
api::ObjectPtr keep(const api::ObjectPtr& object) {
  if (object->kind == kinds::pod()) {
    std::string_view phase = json::text(object->status(), "phase");
    return phase == "Failed" || phase == "Succeeded" ? nullptr : object;
  }
  if (object->kind == kinds::deployment() || object->kind == kinds::service_account())
    return keep_part(object);
  if (object->kind != kinds::ingress()) return object;
  bool has_class = !api::networking::read_ingress(object->spec()).class_name.empty() ||
                   !object->annotation("kubernetes.io/ingress.class").empty();
  return has_class ? object : nullptr;
}

}  // namespace

Plan plan_cluster_ingresses(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  std::optional<api::Json> addresses;
  view.each(kinds::ingress(), plan, [&](const api::ObjectPtr& object) {
    const auto* ingress = snapshot.typed().find<api::networking::Ingress>(object->ns(), object->name());
    if (!ingress || !is_our_ingress(snapshot, *ingress) || is_terminating(*object)) return;
    if (!addresses) addresses = gateway_addresses(view.links());
    api::Json status = object->status();
    status["loadBalancer"] = addresses->empty() ? api::Json::object() : api::Json{{"ingress", *addresses}};
    if (addresses->empty() && json::map(object->status(), "loadBalancer").empty()) return;
    set_status(plan, *object, std::move(status));
  });
  return plan;
}

std::vector<Controller> cluster_controllers() {
  using namespace kinds;
  return {
      {"ingresses", {ingress(), ingress_class(), service(), pod()}, plan_cluster_ingresses},
      {"gateways",
       {gateway_class(), api_gateway(), http_route(), reference_grant(), service(), name_space(), pod(),
        deployment(), service_account()},
       plan_cluster_gateways,
       true},
      {"rules",
       {virtual_service(), destination_rule(), gateway(), service(), pod(), endpoint_slice(), deployment(),
        replica_set()},
       plan_cluster_rule_statuses,
       true},
  };
}

ControlPlaneOptions cluster_options() {
  ControlPlaneOptions options;
  // What is made of Deployments is the cluster's own affair; of theirs only a Gateway's concern us.
  std::erase_if(options.cache.kinds, [](const api::KindInfo* kind) { return kind == kinds::replica_set(); });
  options.cache.keep = keep;
  options.controllers = cluster_controllers();
  options.look_again = 50ms;
  options.ground = Ground::kCluster;
  return options;
}

}  // namespace weft::control
