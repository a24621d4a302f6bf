#include <algorithm>
#include <map>

#include "install/check.h"
#include "install/custom_resources.h"
#include "install/ingress_gateway.h"
#include "install/json_access.h"
#include "install/names.h"
#include "store/kubernetes/cluster_version.h"

namespace weft::install {
namespace {

using api::Json;

constexpr int kNativeSidecars = 29, kSleepHook = 30;
constexpr int kFirstNodePort = 30000, kLastNodePort = 32767;

struct Right {
  const char* group;
  const char* resource;
  const char* ns = "";
};
constexpr Right kRights[] = {
    {"", "namespaces"},
    {"apiextensions.k8s.io", "customresourcedefinitions"},
    {"rbac.authorization.k8s.io", "clusterroles"},
    {"rbac.authorization.k8s.io", "clusterrolebindings"},
    {"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
    {"admissionregistration.k8s.io", "validatingwebhookconfigurations"},
    {"networking.k8s.io", "ingressclasses"},
    {"", "serviceaccounts", kNamespace},
    {"", "configmaps", kNamespace},
    {"", "services", kNamespace},
    {"apps", "deployments", kNamespace},
    {"rbac.authorization.k8s.io", "roles", kNamespace},
    {"rbac.authorization.k8s.io", "rolebindings", kNamespace},
};

Json review_of(const Right& right) {
  Json attributes = {{"verb", "create"}, {"group", right.group}, {"resource", right.resource}};
  if (*right.ns != '\0') attributes["namespace"] = right.ns;
  return {{"apiVersion", "authorization.k8s.io/v1"},
          {"kind", "SelfSubjectAccessReview"},
          {"spec", {{"resourceAttributes", std::move(attributes)}}}};
}

bool is_ours(const Json& object) { return label_of(object, kPartOfLabel) == kPartOf; }

}  // namespace

net::Task<Findings> Check::before(Plan plan) {
  found_.clear();
  const bool reachable = co_await check_version(plan);
  if (reachable) {
    co_await check_rights(plan);
    co_await check_definitions(plan);
    co_await check_injectors();
    co_await check_namespaces(plan);
    co_await check_node_ports(plan);
  }
  co_return std::move(found_);
}

net::Task<bool> Check::check_version(Plan plan) {
  const auto version = co_await store::cluster_version(api_);
  if (!version && version.error().code == Code::kUnsupported) {
    warn("Kubernetes of a version that it does not tell",
         "before 1.29 it has no native sidecars; install there with --set injector.native=false");
    co_return true;
  }
  if (!version) {
    failed("the API server does not respond: " + version.error().text,
           "see that `kubectl version` works with this kubeconfig and context");
    co_return false;
  }
  const std::string name = "Kubernetes " + version->text;
  const int minor = version->minor;
  if (minor >= kSleepHook) {
    ok(name + ": native sidecars, preStop sleep");
  } else if (minor >= kNativeSidecars) {
    warn(name + ": native sidecars, but no preStop sleep",
         "nothing must be done; while a pod ends, its last callers may see errors. 1.30 has it");
  } else if (plan.settings.native) {
    warn(name + ": no native sidecars, which begin with 1.29",
         "sidecars run beside the application; a Job then ends only when its sidecar is told to");
  } else {
    ok(name + ": sidecars beside the application, as injector.native=false asks");
  }
  co_return true;
}

net::Task<void> Check::check_rights(Plan) {
  std::string missing;
  for (const Right& each : kRights) {
    store::RawRequest request{.method = "POST",
                              .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"};
    request.body = review_of(each);
    const auto response = co_await api_.call(std::move(request));
    if (!response) {
      unreadable("what you may do", response.error());
      co_return;
    }
    if (json::at(*response, {"status", "allowed"}) == true) continue;
    missing += missing.empty() ? "" : ", ";
    missing += std::string(each.resource) + (*each.group != '\0' ? "." : "") + each.group;
  }
  if (missing.empty())
    ok("you may create what an installation consists of");
  else
    failed("you may not create " + missing,
           "install as an administrator of the cluster (ClusterRole cluster-admin)");
}

net::Task<void> Check::check_definitions(Plan plan) {
  std::string istio, gateway_api;
  for (const CustomKind& each : custom_kinds(plan.gateway_api)) {
    const auto found =
        co_await reader_.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + each.name());
    if (!found) {
      unreadable("customresourcedefinition " + each.name(), found.error());
      co_return;
    }
    if (!found->is_object() || is_ours(*found)) continue;
    std::string& names = each.kind->group == kGatewayApiGroup ? gateway_api : istio;
    names += (names.empty() ? "" : ", ") + each.name();
  }
  if (!istio.empty())
    warn("definitions that are not weft's are there: " + istio,
         "another Istio may use them. Installing puts weft's in their place: `istioctl uninstall --purge` "
         "first, or go on if it is gone");
  if (!gateway_api.empty())
    warn("Gateway API's definitions are there: " + gateway_api,
         "keep them: install with --set gatewayApi.crds=false");
  if (istio.empty() && gateway_api.empty()) ok("no other definitions of the same kinds are in the way");
}

net::Task<void> Check::check_injectors() {
  const auto found =
      co_await reader_.list("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations");
  if (!found) {
    unreadable("mutatingwebhookconfigurations", found.error());
    co_return;
  }
  std::string others;
  for (const Json& each : *found) {
    const auto injects = [](const Json& hook) {
      return json::string(hook, {"name"}).ends_with("sidecar-injector.istio.io");
    };
    if (!is_ours(each) && std::ranges::any_of(json::list(each, {"webhooks"}), injects))
      others += (others.empty() ? "" : ", ") + name_of(each);
  }
  if (others.empty())
    ok("no other injector of sidecars is in the way");
  else
    failed("other injectors of sidecars are there: " + others,
           "a pod would get two sidecars: uninstall the other mesh, or delete its "
           "mutatingwebhookconfigurations");
}

net::Task<void> Check::check_namespaces(Plan plan) {
  std::vector<std::string> names = {kNamespace};
  if (plan.has_ingress()) names.emplace_back(kWalkthroughIngress.ns);
  for (const std::string& name : names) {
    const auto found = co_await reader_.get("/api/v1/namespaces/" + name);
    if (!found) {
      unreadable("namespace " + name, found.error());
    } else if (!json::at(*found, {"metadata", "deletionTimestamp"}).is_null()) {
      failed("namespace " + name + " is on its way out",
             "wait until `kubectl get namespace " + name + "` says NotFound");
    } else if (found->is_object() && !is_ours(*found)) {
      warn("namespace " + name + " is there and not weft's",
           "installing labels it as weft's, and uninstalling deletes it unless it holds other pods");
    } else if (found->is_object()) {
      ok("namespace " + name + " is there: installing brings what is in it up to date");
    } else {
      ok("namespace " + name + " is free");
    }
  }
}

net::Task<void> Check::check_node_ports(Plan plan) {
  std::map<int, const IngressGateway*> wanted;
  if (plan.gateway.node_port != 0) wanted[plan.gateway.node_port] = &kIngressGateway;
  if (plan.ingress.node_port != 0) wanted[plan.ingress.node_port] = &kWalkthroughIngress;
  if (wanted.empty()) co_return;
  const auto services = co_await reader_.list("/api/v1/services");
  if (!services) {
    unreadable("services", services.error());
    co_return;
  }
  for (const auto& [port, gateway] : wanted) {
    const std::string what = "node port " + std::to_string(port);
    std::string owner;
    for (const Json& each : *services)
      for (const Json& entry : json::list(each, {"spec", "ports"}))
        if (json::number(entry, {"nodePort"}) == port &&
            !(name_of(each) == gateway->name && namespace_of(each) == gateway->ns))
          owner = namespace_of(each) + "/" + name_of(each);
    if (!owner.empty())
      failed(what + " is taken by service " + owner, "choose another, or leave it out for a free one");
    else if (port < kFirstNodePort || port > kLastNodePort)
      warn(what + " is outside of 30000-32767, which API servers allow by default",
           "choose one of these, unless your API server runs with another --service-node-port-range");
    else
      ok(what + " is free");
  }
}

}  // namespace weft::install
