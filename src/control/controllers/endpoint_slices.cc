#include <algorithm>
#include <span>
#include <utility>

#include "control/controllers/view.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr std::string_view kManagedByLabel = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kManager = "endpointslice-controller.k8s.io";

using Ports = std::vector<std::uint16_t>;  ///< one for each port of the service; 0: this pod has no such port

std::uint16_t resolve_port(const ServicePort& port, const api::Object& pod) {
  if (port.target_name.empty()) return port.target;
  for (const auto& container : json::list(pod.spec(), "containers"))
    for (const auto& candidate : json::list(container, "ports"))
      if (json::text(candidate, "name") == port.target_name)
        return static_cast<std::uint16_t>(json::number(candidate, "containerPort"));
  return 0;
}

api::Json endpoint_of(const api::Object& pod, bool publish_not_ready) {
  bool terminating = is_terminating(pod);
  bool serving = is_ready(pod);
  return {{"addresses", api::Json::array({std::string(json::text(pod.status(), "podIP"))})},
          {"conditions",
           {{"ready", publish_not_ready || (serving && !terminating)},
            {"serving", serving},
            {"terminating", terminating}}},
          {"targetRef",
           {{"kind", "Pod"},
            {"namespace", std::string(pod.ns())},
            {"name", std::string(pod.name())},
            {"uid", std::string(pod.uid())}}}};
}

bool has_address(const api::Object& pod) {
  const std::string_view phase = json::text(pod.status(), "phase");
  return !json::text(pod.status(), "podIP").empty() && phase != "Failed" && phase != "Succeeded";
}

/// Looking at every pod for every Service would cost the product.
std::vector<api::ObjectPtr> pods_of(const LinkIndex& links, const Service& service) {
  std::span<const api::ObjectPtr> fewest;
  for (bool first = true; const auto& [key, value] : service.selector) {
    const auto found = links.found(topic(About::kPodsLabelled, service.ns, key, value));
    if (std::exchange(first, false) || found.size() < fewest.size()) fewest = found;
  }
  std::vector<api::ObjectPtr> pods;
  for (const api::ObjectPtr& pod : fewest)
    if (pod->kind == kinds::pod() && pod->ns() == service.ns && has_address(*pod) &&
        has_labels(*pod, service.selector))
      pods.push_back(pod);
  return pods;
}

/// Pods of the service that have an address, by the ports they serve it on. Pods that give one port's name to
/// different numbers need slices of their own.
std::map<Ports, api::Json> group_endpoints(const LinkIndex& links, const api::Object& object,
                                           const Service& service) {
  std::map<Ports, api::Json> groups;
  bool publish_not_ready = json::boolean(object.spec(), "publishNotReadyAddresses");
  for (const auto& pod : pods_of(links, service)) {
    Ports ports;
    for (const ServicePort& port : service.ports) ports.push_back(resolve_port(port, *pod));
    auto& group = groups.try_emplace(std::move(ports), api::Json::array()).first->second;
    group.push_back(endpoint_of(*pod, publish_not_ready));
  }
  if (groups.empty()) {
    // A service without pods has a slice all the same, so that it is seen to be empty.
    Ports ports;
    for (const ServicePort& port : service.ports) ports.push_back(port.target ? port.target : port.number);
    groups[std::move(ports)] = api::Json::array();
  }
  return groups;
}

api::Json slice_ports(const api::Object& object, const Service& service, const Ports& numbers) {
  api::Json ports = api::Json::array();
  const api::Json& written = json::list(object.spec(), "ports");
  for (std::size_t i = 0; i < service.ports.size(); ++i) {
    if (numbers[i] == 0) continue;
    std::string_view transport = json::text(written[i], "protocol");
    api::Json port = {{"name", service.ports[i].name},
                      {"port", numbers[i]},
                      {"protocol", transport.empty() ? "TCP" : std::string(transport)}};
    if (std::string_view app = json::text(written[i], "appProtocol"); !app.empty())
      port["appProtocol"] = std::string(app);
    ports.push_back(std::move(port));
  }
  return ports;
}

api::Object make_slice(const api::Object& service, std::size_t index, api::Json ports, api::Json endpoints) {
  api::Object slice;
  slice.kind = kinds::endpoint_slice();
  std::string suffix = name_hash(service.key().to_string() + "#" + std::to_string(index)).substr(0, 5);
  slice.body = {{"apiVersion", slice.kind->api_version()},
                {"kind", std::string(slice.kind->kind)},
                {"metadata",
                 {{"name", std::string(service.name()) + "-" + suffix},
                  {"namespace", std::string(service.ns())},
                  {"labels",
                   {{"kubernetes.io/service-name", std::string(service.name())},
                    {std::string(kManagedByLabel), std::string(kManager)}}},
                  {"ownerReferences", api::Json::array({owner_reference(service)})}}},
                {"addressType", "IPv4"},
                {"endpoints", std::move(endpoints)},
                {"ports", std::move(ports)}};
  return slice;
}

/// Creates or updates the slice when it is not what it should be. One of an earlier Service of the name goes
/// first.
void reconcile_slice(Plan& plan, const ObjectSnapshot& snapshot, const api::Object& service,
                     api::Object slice) {
  api::ObjectPtr present = snapshot.find(slice.key());
  if (!present) {
    plan.push_back({Change::Kind::kCreate, std::move(slice)});
    return;
  }
  if (!is_owned_by(*present, service)) {
    plan.push_back({Change::Kind::kRemove, *present});
    return;
  }
  if (json::same(json::list(present->body, "endpoints"), slice.body["endpoints"]) &&
      json::same(json::list(present->body, "ports"), slice.body["ports"]))
    return;
  api::Object changed = *present;
  changed.body["endpoints"] = slice.body["endpoints"];
  changed.body["ports"] = slice.body["ports"];
  plan.push_back({Change::Kind::kUpdate, std::move(changed)});
}

void remove_others(Plan& plan, const LinkIndex& links, const api::Object& service,
                   const std::vector<api::Key>& wanted) {
  for (const auto& slice : links.found(topic(About::kOwner, service.uid())))
    if (slice->kind == kinds::endpoint_slice() && is_owned_by(*slice, service) &&
        std::ranges::find(wanted, slice->key()) == wanted.end())
      plan.push_back({Change::Kind::kRemove, *slice});
}

}  // namespace

Plan plan_endpoint_slices(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  view.each(kinds::service(), plan, [&](const api::ObjectPtr& object) {
    const Service* service = view.push().registry.find(full_host(object->name(), object->ns()));
    if (!service || service->selector.empty() || is_terminating(*object)) return;
    std::vector<api::Key> wanted;
    std::size_t index = 0;
    for (auto& [numbers, endpoints] : group_endpoints(view.links(), *object, *service)) {
      api::Object slice =
          make_slice(*object, index++, slice_ports(*object, *service, numbers), std::move(endpoints));
      wanted.push_back(slice.key());
      reconcile_slice(plan, snapshot, *object, std::move(slice));
    }
    remove_others(plan, view.links(), *object, wanted);
  });
  // One that was written while its Service was removed has gone with nothing.
  view.each(kinds::endpoint_slice(), plan, [&](const api::ObjectPtr& slice) {
    const std::string service(slice->label("kubernetes.io/service-name"));
    if (slice->label(kManagedByLabel) == kManager &&
        !snapshot.find({kinds::service(), std::string(slice->ns()), service}))
      plan.push_back({Change::Kind::kRemove, *slice});
  });
  return plan;
}

}  // namespace weft::control
