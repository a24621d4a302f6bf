#include "install/access_rights.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "install/custom_resources.h"
#include "install/foreign_kinds.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;
using Texts = std::vector<std::string>;

const Texts kRead = {"get", "list", "watch"};
const Texts kKeep = {"get", "list", "watch", "update"};
const Texts kWriteStatus = {"update"};

struct Rule {
  std::string reason, group;
  Texts resources, verbs, names = {};
};

/// The resources of a group of ours, with a suffix such as "/status".
Texts resources_of(std::string_view group, std::string_view suffix = {}) {
  Texts names;
  for (const CustomKind& each : custom_kinds(true))
    if (each.kind->group == group) names.push_back(std::string(each.kind->plural).append(suffix));
  return names;
}

/// What other definitions may let in and weft does not do: see foreign_kinds.h.
std::vector<Rule> foreign_rules() {
  std::vector<std::string_view> groups;
  for (const ForeignKind& each : foreign_kinds())
    if (std::ranges::find(groups, each.group) == groups.end()) groups.push_back(each.group);
  std::vector<Rule> rules;
  for (std::string_view group : groups) {
    Texts resources, statuses;
    for (const ForeignKind& each : foreign_kinds())
      if (each.group == group) {
        resources.emplace_back(each.plural);
        statuses.push_back(std::string(each.plural) + "/status");
      }
    rules.push_back({"Kinds that are not done here are looked for, so that none is silent.",
                     std::string(group),
                     resources,
                     {"list"}});
    if (group.ends_with(".istio.io"))
      rules.push_back({"That such an object has no effect is written to its status.", std::string(group),
                       statuses, kWriteStatus});
  }
  return rules;
}

/// What the mesh is made of, and what is said of it.
std::vector<Rule> traffic_rules() {
  return {
      {"Services, their endpoints, and the pods behind them are what proxies are told; namespaces say who\n"
       "asks for injection and where the root certificate goes.",
       "",
       {"namespaces", "pods", "services"},
       kRead},
      {"Which pods of a Service are ready, and at which ports.",
       "discovery.k8s.io",
       {"endpointslices"},
       kRead},
      {"The rules of traffic, as users write them.", "networking.istio.io",
       resources_of("networking.istio.io"), kRead},
      {"Whether a rule is served, and what it waits for, is written to its status.", "networking.istio.io",
       resources_of("networking.istio.io", "/status"), kWriteStatus},
      {"Ingresses of the class istio are served.",
       "networking.k8s.io",
       {"ingresses", "ingressclasses"},
       kRead},
      {"Their addresses, which `kubectl get ingress` shows.",
       "networking.k8s.io",
       {"ingresses/status"},
       kWriteStatus},
  };
}

/// What makes the mesh's identity known.
std::vector<Rule> trust_rules() {
  const std::string admission = "admissionregistration.k8s.io";
  return {
      {"A proxy shows its ServiceAccount's token; the API server says whose it is.",
       "authentication.k8s.io",
       {"tokenreviews"},
       {"create"}},
      {"Every namespace gets the root certificate: a sidecar needs it before it can ask for anything. To\n"
       "create cannot be limited by name.",
       "",
       {"configmaps"},
       {"create"}},
      {"The same ConfigMap, and no other, is read, and restored when it was changed.",
       "",
       {"configmaps"},
       kKeep,
       {kRootCertificate}},
      {"caBundle of the injector's webhooks is the mesh's root, and is put back.",
       admission,
       {"mutatingwebhookconfigurations"},
       kKeep,
       {kSidecarInjector}},
      {"caBundle of the validator's webhook, and its failurePolicy once it has been seen to reject.",
       admission,
       {"validatingwebhookconfigurations"},
       kKeep,
       {kValidator}},
  };
}

std::vector<Rule> gateway_api_rules() {
  const std::string group(kGatewayApiGroup);
  const Texts resources = resources_of(group);
  if (resources.empty()) return {};
  const Texts made = {"get", "list", "watch", "create", "update"};
  return {
      {"Gateway API: its objects are read.", group, resources, kRead},
      {"Its class is made when it is missing.", group, {"gatewayclasses"}, {"create"}},
      {"Accepted, Programmed, addresses: what Gateway API wants said of each object.", group,
       resources_of(group, "/status"), kWriteStatus},
      {"A Gateway of the class istio gets a Deployment of its own ...", "apps", {"deployments"}, made},
      {"... with a Service and a ServiceAccount. What is made belongs to the Gateway and ends with it, so\n"
       "nothing is ever deleted.",
       "",
       {"services", "serviceaccounts"},
       made},
  };
}

std::vector<Rule> namespace_rules() {
  return {
      {"The settings of injection.", "", {"configmaps"}, kRead, {kInjectorSettings}},
      {"The authority's own certificate and key. To create cannot be limited by name.",
       "",
       {"secrets"},
       {"create"}},
      {"The same, read at the start.", "", {"secrets"}, {"get"}, {kAuthority}},
      {"Of several control planes one writes: it holds this Lease.",
       "coordination.k8s.io",
       {"leases"},
       {"create"}},
      {"The same Lease, kept and taken over.",
       "coordination.k8s.io",
       {"leases"},
       {"get", "update"},
       {kLeader}},
      {"A wrong Gateway is created as a dry run, to see that the validator rejects it.",
       "networking.istio.io",
       {"gateways"},
       {"create"}},
  };
}

Part role(const char* kind, const std::vector<Rule>& rules, std::string comment) {
  Part part{std::move(comment), {}, {}};
  Json list = Json::array();
  for (const Rule& each : rules) {
    Json rule = {
        {"apiGroups", Json::array({each.group})}, {"resources", each.resources}, {"verbs", each.verbs}};
    if (!each.names.empty()) rule["resourceNames"] = each.names;
    list.push_back(std::move(rule));
    part.reasons.push_back(each.reason);
  }
  part.object = {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                 {"kind", kind},
                 {"metadata", {{"name", kControl}}},
                 {"rules", std::move(list)}};
  return part;
}

Part binding(const char* kind, const char* role) {
  const Json subject = {{"kind", "ServiceAccount"}, {"name", kControl}, {"namespace", kNamespace}};
  return {{},
          {{"apiVersion", "rbac.authorization.k8s.io/v1"},
           {"kind", kind},
           {"metadata", {{"name", kControl}}},
           {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", role}, {"name", kControl}}},
           {"subjects", Json::array({subject})}}};
}

}  // namespace

Parts access_rights(const Plan&) {
  std::vector<Rule> everywhere = traffic_rules();
  for (Rule& each : trust_rules()) everywhere.push_back(std::move(each));
  for (Rule& each : gateway_api_rules()) everywhere.push_back(std::move(each));
  for (Rule& each : foreign_rules()) everywhere.push_back(std::move(each));
  Parts parts;
  parts.push_back(role("ClusterRole", everywhere,
                       "What the control plane may do in the whole cluster. It reads what makes up the mesh "
                       "and writes\nas little as it can; a rule for each reason."));
  parts.push_back(binding("ClusterRoleBinding", "ClusterRole"));
  parts.push_back(role("Role", namespace_rules(), "What it may do in its own namespace only."));
  parts.push_back(binding("RoleBinding", "Role"));
  for (Part& part : parts)
    if (part.object["kind"] == "Role" || part.object["kind"] == "RoleBinding")
      part.object["metadata"]["namespace"] = kNamespace;
  return parts;
}

}  // namespace weft::install
