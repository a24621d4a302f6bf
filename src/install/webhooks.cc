#include "install/webhooks.h"

#include <map>
#include <set>

#include "install/custom_resources.h"
#include "install/foreign_kinds.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;

constexpr const char* kInjection = "istio-injection";
constexpr const char* kRevisionLabel = "istio.io/rev";
constexpr const char* kInjectLabel = "sidecar.istio.io/inject";

Json in(const char* key, const char* value) {
  return {{"key", key}, {"operator", "In"}, {"values", Json::array({value})}};
}
Json not_in(const char* key, const char* value) {
  return {{"key", key}, {"operator", "NotIn"}, {"values", Json::array({value})}};
}
Json absent(const char* key) { return {{"key", key}, {"operator", "DoesNotExist"}}; }

/// Namespaces whose pods must start although the control plane is not there.
Json not_ours() {
  Json names = Json::array({kNamespace});
  for (const char* each : kNeverInjected) names.push_back(each);
  return {{"key", "kubernetes.io/metadata.name"}, {"operator", "NotIn"}, {"values", std::move(names)}};
}

Json client(const char* path) {
  return {{"service", {{"name", kControl}, {"namespace", kNamespace}, {"path", path}, {"port", 443}}}};
}

Json injecting(const char* name, Json namespaces, Json pods) {
  namespaces.push_back(not_ours());
  const Json rule = {{"apiGroups", Json::array({""})},
                     {"apiVersions", Json::array({"v1"})},
                     {"operations", Json::array({"CREATE"})},
                     {"resources", Json::array({"pods"})},
                     {"scope", "Namespaced"}};
  return {{"name", std::string(name) + ".sidecar-injector.istio.io"},
          {"admissionReviewVersions", Json::array({"v1"})},
          {"clientConfig", client("/inject")},
          {"failurePolicy", "Fail"},
          {"namespaceSelector", {{"matchExpressions", std::move(namespaces)}}},
          {"objectSelector", {{"matchExpressions", std::move(pods)}}},
          {"reinvocationPolicy", "Never"},
          {"rules", Json::array({rule})},
          {"sideEffects", "None"},
          {"timeoutSeconds", 10}};
}

Json configuration(const char* kind, const char* name, Json webhooks) {
  return {{"apiVersion", "admissionregistration.k8s.io/v1"},
          {"kind", kind},
          {"metadata", {{"name", name}, {"labels", {{kRevisionLabel, kRevision}}}}},
          {"webhooks", std::move(webhooks)}};
}

Part injector() {
  const Json neither = Json::array({absent(kInjection), absent(kRevisionLabel)});
  Json hooks = Json::array();
  hooks.push_back(injecting("rev.namespace", Json::array({in(kRevisionLabel, kRevision), absent(kInjection)}),
                            Json::array({not_in(kInjectLabel, "false")})));
  hooks.push_back(injecting("rev.object", neither,
                            Json::array({not_in(kInjectLabel, "false"), in(kRevisionLabel, kRevision)})));
  hooks.push_back(injecting("namespace", Json::array({in(kInjection, "enabled")}),
                            Json::array({not_in(kInjectLabel, "false")})));
  hooks.push_back(
      injecting("object", neither, Json::array({in(kInjectLabel, "true"), absent(kRevisionLabel)})));
  return {
      "Which new pods get a sidecar. At most one of the four matches a pod:\n"
      "  namespace       the namespace has istio-injection=enabled\n"
      "  rev.namespace   the namespace has istio.io/rev=default and says nothing by istio-injection\n"
      "  object          the namespace says nothing, the pod has sidecar.istio.io/inject=true\n"
      "  rev.object      the namespace says nothing, the pod has istio.io/rev=default\n"
      "A pod with sidecar.istio.io/inject=false gets none. While no control plane responds, such pods are\n"
      "not created (failurePolicy Fail): a pod without its sidecar would be outside the mesh unseen.\n"
      "The control plane writes caBundle.",
      configuration("MutatingWebhookConfiguration", kSidecarInjector, std::move(hooks))};
}

/// A rule for each group: all its kinds in all the versions that we read.
Json validated(bool gateway_api) {
  std::map<std::string, std::pair<std::set<std::string>, std::set<std::string>>> groups;
  for (const CustomKind& each : custom_kinds(gateway_api)) {
    auto& [versions, resources] = groups[std::string(each.kind->group)];
    versions.insert(each.versions.begin(), each.versions.end());
    resources.insert(std::string(each.kind->plural));
  }
  Json rules = Json::array();
  for (const auto& [group, members] : groups)
    rules.push_back({{"apiGroups", Json::array({group})},
                     {"apiVersions", members.first},
                     {"operations", Json::array({"CREATE", "UPDATE"})},
                     {"resources", members.second}});
  return rules;
}

/// Kinds that another Istio's definitions let in: they are let through with a warning.
Json not_done() {
  std::map<std::string, std::set<std::string>> groups;
  for (const ForeignKind& each : foreign_kinds()) groups[std::string(each.group)].emplace(each.plural);
  Json rules = Json::array();
  for (const auto& [group, resources] : groups)
    rules.push_back({{"apiGroups", Json::array({group})},
                     {"apiVersions", Json::array({"*"})},
                     {"operations", Json::array({"CREATE", "UPDATE"})},
                     {"resources", resources}});
  return {{"name", "not-done.validation.istio.io"},
          {"admissionReviewVersions", Json::array({"v1"})},
          {"clientConfig", client("/validate")},
          {"failurePolicy", "Ignore"},
          {"rules", std::move(rules)},
          {"sideEffects", "None"},
          {"timeoutSeconds", 5}};
}

Part validator(const Plan& plan) {
  const Json hook = {{"name", "validation.istio.io"},
                     {"admissionReviewVersions", Json::array({"v1"})},
                     {"clientConfig", client("/validate")},
                     {"failurePolicy", "Ignore"},
                     {"rules", validated(plan.gateway_api)},
                     {"sideEffects", "None"},
                     {"timeoutSeconds", 10}};
  return {
      "Rules of traffic are checked when they are written: an unknown or unsupported field is rejected by\n"
      "name, with what to do instead. It begins with Ignore, so that a control plane that is not there yet\n"
      "stops no request; the control plane sets Fail when it has seen a wrong object rejected. The second "
      "one\n"
      "rejects nothing: it warns the writer of an object of a kind that weft does not do.",
      configuration("ValidatingWebhookConfiguration", kValidator, Json::array({hook, not_done()}))};
}

}  // namespace

Parts webhooks(const Plan& plan) {
  Parts parts;
  parts.push_back(injector());
  parts.push_back(validator(plan));
  return parts;
}

}  // namespace weft::install
