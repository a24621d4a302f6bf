#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "inject/names.h"
#include "inject/settings.h"
#include "install/check.h"
#include "install/json_access.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;

constexpr const char* kOurs = "?labelSelector=app.kubernetes.io%2Fpart-of%3Dweft";
constexpr std::size_t kShown = 3;

/// "a, b, c and 4 more".
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

bool is_true(const Json& object, std::string_view condition) {
  for (const Json& each : json::list(object, {"status", "conditions"}))
    if (json::string(each, {"type"}) == condition) return json::string(each, {"status"}) == "True";
  return false;
}

/// Why a pod does not run, as its containers say it; empty: they say nothing.
std::string problem_of(const Json& pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"})
    for (const Json& each : json::list(pod, {"status", list})) {
      const std::string reason = json::string(each, {"state", "waiting", "reason"});
      if (!reason.empty() && reason != "PodInitializing") {
        const std::string message = json::string(each, {"state", "waiting", "message"});
        return name_of(pod) + ": " + reason + (message.empty() ? "" : ": " + message);
      }
    }
  for (const Json& each : json::list(pod, {"status", "conditions"}))
    if (json::string(each, {"type"}) == "PodScheduled" && json::string(each, {"status"}) == "False")
      return name_of(pod) + ": " + json::string(each, {"message"});
  return {};
}

bool asks_for_injection(const Json& ns) {
  const std::string said = label_of(ns, "istio-injection");
  return said.empty() ? label_of(ns, "istio.io/rev") == kRevision : said == "enabled";
}

/// One that injection has to do with: it runs, in a network of its own, and does not say no.
bool takes_part(const Json& pod) {
  const std::string phase = json::string(pod, {"status", "phase"});
  if (phase == "Succeeded" || phase == "Failed") return false;
  if (!json::at(pod, {"metadata", "deletionTimestamp"}).is_null()) return false;
  if (json::at(pod, {"spec", "hostNetwork"}) == true) return false;
  std::string said = label_of(pod, "sidecar.istio.io/inject");
  if (said.empty()) said = annotation_of(pod, "sidecar.istio.io/inject");
  return said != "false";
}

/// The image of its sidecar; empty when it has none.
std::string sidecar_image(const Json& pod) {
  for (const char* list : {"initContainers", "containers"})
    for (const Json& each : json::list(pod, {"spec", list}))
      if (json::string(each, {"name"}) == inject::kProxyContainer) return json::string(each, {"image"});
  return {};
}

}  // namespace

net::Task<Findings> Check::after() {
  found_.clear();
  co_await check_established();
  co_await check_deployments();
  co_await check_webhooks("mutatingwebhookconfigurations", kSidecarInjector);
  co_await check_webhooks("validatingwebhookconfigurations", kValidator);
  co_await check_certificates();
  co_await check_addresses();
  co_await check_injection();
  co_await check_rules();
  co_await check_foreign();
  co_return std::move(found_);
}

net::Task<void> Check::check_established() {
  const auto found =
      co_await reader_.list(std::string("/apis/apiextensions.k8s.io/v1/customresourcedefinitions") + kOurs);
  if (!found) {
    unreadable("customresourcedefinitions", found.error());
    co_return;
  }
  std::vector<std::string> waiting;
  for (const Json& each : *found)
    if (!is_true(each, "Established")) waiting.push_back(name_of(each));
  if (found->empty())
    failed("none of weft's definitions are there", "apply the stream of `weft install` again");
  else if (!waiting.empty())
    failed("definitions that are not established: " + some_of(waiting),
           "see the conditions of `kubectl get customresourcedefinition " + waiting.front() + " -o yaml`");
  else
    ok(std::to_string(found->size()) + " definitions are established");
}

net::Task<void> Check::check_deployments() {
  const auto found = co_await reader_.list(std::string("/apis/apps/v1/deployments") + kOurs);
  if (!found) {
    unreadable("deployments", found.error());
    co_return;
  }
  const bool control =
      std::ranges::any_of(*found, [](const Json& each) { return name_of(each) == kControl; });
  if (!control) failed("there is no control plane", "weft install | kubectl apply -f -");
  for (const Json& each : *found) co_await check_deployment(each);
}

net::Task<void> Check::check_deployment(Json deployment) {
  const std::string ns = namespace_of(deployment), name = name_of(deployment);
  const std::string what = "deployment " + ns + "/" + name;
  const Json& asked = json::at(deployment, {"spec", "replicas"});
  const int wanted = asked.is_number_integer() ? asked.get<int>() : 1;
  const int ready = json::number(deployment, {"status", "readyReplicas"});
  const std::string count = std::to_string(ready) + " of " + std::to_string(wanted) + " ready";
  if (ready >= wanted && ready > 0) {
    ok(what + ": " + count);
    co_return;
  }
  const auto pods = co_await reader_.list("/api/v1/namespaces/" + ns + "/pods?labelSelector=app%3D" + name);
  std::string problem;
  if (pods)
    for (const Json& each : *pods)
      if (problem.empty()) problem = problem_of(each);
  failed(what + ": " + count + (problem.empty() ? "" : " (" + problem + ")"),
         "kubectl describe pod -n " + ns + " -l app=" + name + "; kubectl logs -n " + ns + " deployment/" +
             name);
}

net::Task<void> Check::check_webhooks(std::string kind, std::string name) {
  const auto found = co_await reader_.get("/apis/admissionregistration.k8s.io/v1/" + kind + "/" + name);
  if (!found) {
    unreadable(kind + " " + name, found.error());
    co_return;
  }
  if (!found->is_object()) {
    failed("webhooks " + name + " are not there", "apply the stream of `weft install` again");
    co_return;
  }
  std::vector<std::string> empty, open;
  for (const Json& each : json::list(*found, {"webhooks"})) {
    if (json::string(each, {"clientConfig", "caBundle"}).empty())
      empty.push_back(json::string(each, {"name"}));
    // A webhook that only warns blocks nothing.
    const bool warns = json::string(each, {"name"}).starts_with("not-done.");
    if (!warns && json::string(each, {"failurePolicy"}) != "Fail")
      open.push_back(json::string(each, {"name"}));
  }
  if (!empty.empty())
    failed("webhooks " + name + " have no caBundle: " + some_of(empty),
           "the control plane fills it in; when it does not, see kubectl logs -n weft-system "
           "deployment/weft-control");
  else if (!open.empty())
    warn(
        "webhooks " + name + " let through what they cannot check: " + some_of(open),
        "the control plane sets failurePolicy Fail when it has seen a wrong object rejected; look again in a "
        "minute");
  else
    ok("webhooks " + name + " have their certificate and fail closed");
}

net::Task<void> Check::check_certificates() {
  const auto spaces = co_await reader_.list("/api/v1/namespaces");
  const auto maps = co_await reader_.list(std::string("/api/v1/configmaps?fieldSelector=metadata.name%3D") +
                                          kRootCertificate);
  if (!spaces || !maps) {
    unreadable("root certificates", (spaces ? maps : spaces).error());
    co_return;
  }
  std::vector<std::string> without;
  for (const Json& each : *spaces) {
    const std::string name = name_of(each);
    if (std::ranges::find(kWithoutCertificate, std::string_view(name)) != std::end(kWithoutCertificate))
      continue;
    if (!json::at(each, {"metadata", "deletionTimestamp"}).is_null()) continue;
    const auto has = [&](const Json& map) {
      return namespace_of(map) == name && !json::string(map, {"data", "root-cert.pem"}).empty();
    };
    if (std::ranges::none_of(*maps, has)) without.push_back(name);
  }
  if (without.empty())
    ok("every namespace has the root certificate");
  else
    failed("namespaces without the root certificate (configmap weft-ca-root-cert): " + some_of(without),
           "the control plane writes it; see kubectl logs -n weft-system deployment/weft-control");
}

/// Where requests from outside come in: what a reader wants to know next.
net::Task<void> Check::check_addresses() {
  const auto found = co_await reader_.list(std::string("/api/v1/services") + kOurs);
  if (!found) {
    unreadable("services", found.error());
    co_return;
  }
  for (const Json& each : *found) {
    if (label_of(each, "istio").empty()) continue;
    const std::string what = "service " + namespace_of(each) + "/" + name_of(each);
    const std::string type = json::string(each, {"spec", "type"});
    const Json& ports = json::list(each, {"spec", "ports"});
    const int node_port = ports.empty() ? 0 : json::number(ports.front(), {"nodePort"});
    if (type == "LoadBalancer" && json::list(each, {"status", "loadBalancer", "ingress"}).empty())
      warn(what + " has no address of a load balancer yet" +
               (node_port != 0 ? "; its node port is " + std::to_string(node_port) : ""),
           "where there is no load balancer: weft install --set gateway.serviceType=NodePort");
    else if (node_port != 0)
      ok(what + ": port 80 is node port " + std::to_string(node_port));
    else
      ok(what + ": reached from inside the cluster");
  }
}

net::Task<void> Check::check_injection() {
  const auto spaces = co_await reader_.list("/api/v1/namespaces");
  const auto map = co_await reader_.get(std::string("/api/v1/namespaces/") + kNamespace + "/configmaps/" +
                                        kInjectorSettings);
  if (!spaces || !map) {
    unreadable("namespaces", spaces ? map.error() : spaces.error());
    co_return;
  }
  const auto settings = inject::Settings::parse(json::string(*map, {"data", "settings"}), "weft-injector");
  if (!settings)
    failed("settings of injection are wrong: " + settings.error().text,
           "kubectl edit configmap weft-injector -n weft-system");
  else
    check_settings(*settings);
  const std::string image = settings ? settings->image : "";
  bool any = false;
  for (const Json& each : *spaces) {
    if (!asks_for_injection(each)) continue;
    any = true;
    co_await check_pods(name_of(each), image);
  }
  if (!any)
    warn("no namespace asks for sidecars",
         "kubectl label namespace default istio-injection=enabled, or give manifests to weft kube-inject");
}

/// What is written on pods and known nowhere else.
void Check::check_settings(const inject::Settings& settings) {
  struct Row {
    const char* name;
    const std::string& value;
    const char *known, *why;
  };
  const Row rows[] = {
      {"clusterDomain", settings.cluster_domain, "cluster.local", "the control plane knows no other domain"},
      {"trustDomain", settings.trust_domain, "cluster.local", "no certificate is made with it yet"},
      {"revision", settings.revision, kRevision, "the webhooks know no other revision"}};
  for (const Row& row : rows)
    if (row.value != row.known)
      warn("setting " + std::string(row.name) + ": " + row.value + " has no effect: " + row.why,
           "kubectl edit configmap weft-injector -n weft-system, and set it to " + std::string(row.known));
}

net::Task<void> Check::check_pods(std::string ns, std::string image) {
  const auto pods = co_await reader_.list("/api/v1/namespaces/" + ns + "/pods");
  if (!pods) {
    unreadable("pods of namespace " + ns, pods.error());
    co_return;
  }
  std::vector<std::string> without, outdated;
  std::size_t count = 0;
  for (const Json& each : *pods) {
    if (!takes_part(each)) continue;
    ++count;
    const std::string has = sidecar_image(each);
    if (has.empty())
      without.push_back(name_of(each));
    else if (!image.empty() && has != image && annotation_of(each, "sidecar.istio.io/proxyImage").empty())
      outdated.push_back(name_of(each));
  }
  const std::string restart =
      "kubectl rollout restart deployment -n " + ns + "; single pods must be created again";
  if (!without.empty()) warn("namespace " + ns + ": pods without a sidecar: " + some_of(without), restart);
  if (!outdated.empty())
    warn("namespace " + ns + ": sidecars that are not " + image + ": " + some_of(outdated), restart);
  if (without.empty() && outdated.empty())
    ok("namespace " + ns + ": " +
       (count == 1 ? "its one pod has its sidecar"
                   : "all " + std::to_string(count) + " pods have their sidecar"));
}

}  // namespace weft::install
