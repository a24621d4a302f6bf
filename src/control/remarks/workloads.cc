#include <algorithm>
#include <array>

#include "base/strings.h"
#include "control/json.h"
#include "control/remarks/remarks.h"
#include "control/service_range.h"
#include "control/translation/rules.h"

namespace weft::control {
namespace {

constexpr std::int64_t kProgressDeadline = 600;  ///< Kubernetes' default, which says nothing

void no_effect(Remarks& made, std::string field, std::string text) {
  made.push_back({Remark::Kind::kNoEffect, std::move(field), std::move(text)});
}

/// Annotations that the injector reads on a cluster; on one machine sidecars are all started alike. Those of
/// prometheus.io are for a scraper, which a machine does not have unless a user starts one.
bool is_for_clusters(std::string_view key, std::string_view value) {
  if (key == "proxy.istio.io/config") {
    // Of it, concurrency alone is read.
    for (std::string_view line : split(value, '\n'))
      if (std::string_view text = trim(line); !text.empty() && !text.starts_with("concurrency:")) return true;
    return false;
  }
  return key.starts_with("sidecar.istio.io/proxy") || key == "sidecar.istio.io/interceptionMode";
}

/// As the injector of a cluster says it of a pod that it is asked about.
void check_inject(Remarks& made, const api::Json& pod, const std::string& at) {
  constexpr std::string_view kInject = "sidecar.istio.io/inject";
  for (const char* place : {"labels", "annotations"}) {
    const std::string_view wish = json::text(json::map(json::map(pod, "metadata"), place), kInject);
    if (wish.empty()) continue;
    if (wish != "true" && wish != "false")
      no_effect(made, at + "metadata." + place,
                std::string(kInject) + ": \"" + std::string(wish) +
                    "\" is neither true nor false, and is taken as not set: the pod gets a sidecar");
    return;
  }
}

void check_pod(Remarks& made, const api::Json& pod, const std::string& at) {
  check_inject(made, pod, at);
  for (const auto& [key, value] : json::map(json::map(pod, "metadata"), "annotations").items())
    if (value.is_string() && is_for_clusters(key, value.get_ref<const std::string&>()))
      no_effect(made, at + "metadata.annotations",
                key + " has no effect on one machine; all sidecars are started alike there");
  const api::Json& spec = json::map(pod, "spec");
  if (!json::text(spec, "nodeName").empty())
    no_effect(made, at + "spec.nodeName", "one machine is the only node, whatever its name");
  const api::Json& volumes = json::list(spec, "volumes");
  for (std::size_t i = 0; i < volumes.size(); ++i)
    if (!json::text(json::map(volumes[i], "emptyDir"), "medium").empty())
      no_effect(made, item(at + "spec.volumes", i) + ".emptyDir.medium",
                "an emptyDir is a folder on one machine's disk, whatever its medium");
}

/// On one machine Deployments are known, and with them which pods there will be.
bool somebody_has(const Labels& selector, std::string_view ns, const ObjectSnapshot& snapshot) {
  for (const auto& pod : snapshot.all(kinds::pod()))
    if (pod->ns() == ns && has_labels(*pod, selector)) return true;
  for (const api::KindInfo* kind : {kinds::deployment(), kinds::replica_set()})
    for (const auto& each : snapshot.all(kind)) {
      if (each->ns() == ns && contains(template_labels(*each), selector)) return true;
    }
  return false;
}

std::vector<std::string> label_pairs(const Labels& wanted, std::string_view ns,
                                     const ObjectSnapshot& snapshot) {
  std::vector<std::string> found;
  auto look = [&](const Labels& labels) {
    for (const auto& [key, value] : wanted)
      if (auto has = labels.find(key); has != labels.end())
        if (std::string pair = key + "=" + has->second; std::ranges::find(found, pair) == found.end())
          found.push_back(std::move(pair));
  };
  for (const auto& each : snapshot.all(kinds::deployment()))
    if (each->ns() == ns) look(template_labels(*each));
  for (const auto& pod : snapshot.all(kinds::pod()))
    if (pod->ns() == ns) look(pod->labels());
  return found;
}

void check_selector(Remarks& made, const api::Object& service, const ObjectSnapshot& snapshot) {
  const Labels selector = labels_from(json::map(service.spec(), "selector"));
  if (selector.empty() || somebody_has(selector, service.ns(), snapshot)) return;
  std::string pairs;
  for (const auto& [key, value] : selector) pairs += (pairs.empty() ? "" : ",") + key + "=" + value;
  made.push_back({Remark::Kind::kWaits, "spec.selector",
                  "waits for pods: none in namespace " + std::string(service.ns()) + " has " + pairs +
                      instead_of(pairs, label_pairs(selector, service.ns(), snapshot))});
}

/// A cluster's API rejects an address that is taken, or out of its range.
void check_address(Remarks& made, const api::Object& service, const Scene& scene) {
  const std::string address(json::text(service.spec(), "clusterIP"));
  if (!address.empty() && address != "None" && !is_service_address(address))
    no_effect(made, "spec.clusterIP",
              address +
                  " is not in 10.96.0.0/12, where Services have their addresses on one machine: nothing "
                  "that is sent to it arrives; remove it");
  const auto first = scene.addresses().find(address);
  if (first != scene.addresses().end() && first->second->key() != service.key())
    no_effect(made, "spec.clusterIP",
              address + " is the address of Service " + std::string(first->second->ns()) + "/" +
                  std::string(first->second->name()) + ", which is older and has it");
}

void check_one_machine(Remarks& made, const api::Object& service, const Scene& scene) {
  // What `weft up` makes itself stands for the address that it listens at.
  if (service.ns() == "istio-system") return;
  std::string_view type = json::text(service.spec(), "type");
  if (type == "NodePort" || type == "LoadBalancer")
    no_effect(made, "spec.type",
              std::string(type) +
                  ": nothing listens for it outside of the mesh on one machine; requests come "
                  "in through the ingress gateway");
  check_selector(made, service, scene.snapshot);
  check_address(made, service, scene);
}

void check_cluster(Remarks& made, const api::Object& service) {
  struct Row {
    const char *field, *value, *text;
  };
  static constexpr std::array<Row, 3> kRows = {
      {{"sessionAffinity", "ClientIP", "sidecars choose an endpoint for each request, and know no affinity"},
       {"internalTrafficPolicy", "Local", "sidecars send to every node's endpoints"},
       {"trafficDistribution", "", "sidecars send to every endpoint alike"}}};
  for (const Row& row : kRows) {
    std::string_view said = json::text(service.spec(), row.field);
    if (said.empty() || (*row.value != '\0' && said != row.value)) continue;
    made.push_back({Remark::Kind::kUnsupported, std::string("spec.") + row.field,
                    std::string(said) + " is not supported by weft yet: " + row.text});
  }
}

}  // namespace

const std::map<std::string, api::ObjectPtr>& Scene::addresses() const {
  if (addresses_) return *addresses_;
  addresses_.emplace();
  for (const auto& service : snapshot.all(kinds::service())) {
    const std::string address(json::text(service->spec(), "clusterIP"));
    if (address.empty() || address == "None") continue;
    api::ObjectPtr& first = (*addresses_)[address];
    if (!first || older(service, first)) first = service;
  }
  return *addresses_;
}

Remarks remarks_on_service(const api::Object& service, const Scene& scene) {
  Remarks made;
  constexpr std::string_view kExportTo = "networking.istio.io/exportTo";
  if (const std::string_view to = service.annotation(kExportTo); !to.empty() && to != "*")
    made.push_back({Remark::Kind::kUnsupported, "metadata.annotations",
                    std::string(kExportTo) + ": " + std::string(to) +
                        " is not supported by weft yet: the Service is there for every namespace"});
  if (scene.ground == Ground::kOneMachine)
    check_one_machine(made, service, scene);
  else
    check_cluster(made, service);
  for (const PortConflict& conflict : scene.registry.port_conflicts())
    if (conflict.ns == service.ns() &&
        (conflict.service == service.name() || conflict.other == service.name()))
      no_effect(made, "spec.ports", to_text(conflict));
  return made;
}

Remarks remarks_on_workload(const api::Object& workload, const Scene& scene) {
  Remarks made;
  // On a cluster these belong to Kubernetes, and what is said of injection is said when a pod is made.
  if (scene.ground != Ground::kOneMachine) return made;
  // What a controller has made says nothing that its owner does not say.
  if (!json::list(json::map(workload.body, "metadata"), "ownerReferences").empty()) return made;
  if (workload.kind == kinds::pod()) {
    check_pod(made, workload.body, "");
    return made;
  }
  const api::Json& spec = workload.spec();
  if (json::number(spec, "minReadySeconds") > 0)
    no_effect(made, "spec.minReadySeconds", "a pod counts as soon as it is ready");
  if (json::number(spec, "progressDeadlineSeconds", kProgressDeadline) != kProgressDeadline)
    no_effect(made, "spec.progressDeadlineSeconds", "nothing gives up on a Deployment here");
  check_pod(made, json::map(spec, "template"), "spec.template.");
  return made;
}

}  // namespace weft::control
