#include <algorithm>
#include <map>

#include "api/admit.h"
#include "install/check.h"
#include "install/custom_resources.h"
#include "install/foreign_kinds.h"
#include "install/json_access.h"

namespace weft::install {
namespace {

using api::Json;

constexpr std::size_t kShown = 5;

std::string where(const Json& object) {
  const std::string ns = namespace_of(object);
  return (ns.empty() ? "" : ns + "/") + name_of(object);
}

/// Ingresses of other classes are other controllers' affair.
bool is_ours(const Json& object, const api::KindInfo& kind) {
  if (kind.kind != "Ingress") return true;
  const std::string named = json::string(object, {"spec", "ingressClassName"});
  return (named.empty() ? annotation_of(object, "kubernetes.io/ingress.class") : named) == "istio";
}

std::vector<const api::KindInfo*> kinds_of_rules() {
  std::vector<const api::KindInfo*> all;
  for (const CustomKind& each : custom_kinds(true)) all.push_back(each.kind);
  all.push_back(api::find_kind_by_plural("networking.k8s.io", "ingresses"));
  return all;
}

/// What sidecars do not do of a Service, each with its message.
std::vector<std::string> unserved(const Json& service) {
  std::vector<std::string> found;
  if (json::string(service, {"spec", "sessionAffinity"}) == "ClientIP")
    found.emplace_back("spec.sessionAffinity: ClientIP");
  if (json::string(service, {"spec", "internalTrafficPolicy"}) == "Local")
    found.emplace_back("spec.internalTrafficPolicy: Local");
  if (const std::string said = json::string(service, {"spec", "trafficDistribution"}); !said.empty())
    found.push_back("spec.trafficDistribution: " + said);
  return found;
}

/// Why a rule has no effect, or not yet, as the control plane says in its status; empty: it has.
std::string why_without_effect(const Json& rule) {
  for (const Json& each : json::list(rule, {"status", "conditions"})) {
    const std::string type = json::string(each, {"type"});
    if ((type == "Resolved" || type == "Effective" || type == "Applied") &&
        json::string(each, {"status"}) == "False")
      return json::string(each, {"message"});
  }
  return {};
}

}  // namespace

/// Rules that are stored and that `weft apply` would not have taken or would have warned of.
net::Task<void> Check::check_rules() {
  std::size_t count = 0, wrong = 0;
  for (const api::KindInfo* kind : kinds_of_rules()) {
    const auto found =
        co_await reader_.list("/apis/" + kind->api_version() + "/" + std::string(kind->plural));
    if (!found) {
      unreadable(std::string(kind->plural), found.error());
      continue;
    }
    for (const Json& each : *found) {
      if (!is_ours(each, *kind)) continue;
      ++count;
      const auto problems = api::problems_of({kind, each}, check_);
      const std::string text = problems.empty() ? why_without_effect(each) : problems.front().to_string();
      if (text.empty() || ++wrong > kShown) continue;
      warn(std::string(kind->singular) + " " + where(each) + ": " + text,
           "change it; its status says what has no effect (kubectl get " + std::string(kind->plural) + "." +
               std::string(kind->group) + " -A -o yaml)");
    }
  }
  const auto services = co_await reader_.list("/api/v1/services");
  for (const Json& each : services ? *services : std::vector<Json>())
    for (const std::string& what : unserved(each))
      if (++wrong <= kShown)
        warn("service " + where(each) + ": " + what + " is not done by sidecars",
             "pods without a sidecar have it; for those with one remove it");
  if (wrong > kShown)
    warn(std::to_string(wrong - kShown) + " more rules and services have no effect in part",
         "kubectl logs -n weft-system deployment/weft-control names each");
  if (wrong == 0 && count > 0) ok("all " + std::to_string(count) + " rules are done as they are written");
}

/// Objects of kinds that weft does not do: a policy that is not enforced is the worst of what can be silent.
net::Task<void> Check::check_foreign() {
  const auto found = co_await find_foreign_objects(reader_);
  if (!found) {
    unreadable("kinds that weft does not do", found.error());
    co_return;
  }
  for (const auto& [what, error] : found->unread) unreadable(what, error);
  std::map<std::string_view, std::vector<const ForeignObject*>> by_kind;
  for (const ForeignObject& each : found->objects) by_kind[each.kind->kind].push_back(&each);
  for (const auto& [kind, objects] : by_kind) {
    std::string names;
    for (std::size_t i = 0; i < std::min(objects.size(), kShown); ++i)
      names += (i > 0 ? ", " : "") + objects[i]->name();
    if (objects.size() > kShown) names += " and " + std::to_string(objects.size() - kShown) + " more";
    warn(foreign_text(*objects.front()->kind) + ": " + names,
         objects.front()->kind->guards
             ? "protect these pods otherwise, by a NetworkPolicy or in the application, or remove the objects"
             : "remove the objects, or leave them to the mesh that they are for");
  }
}

}  // namespace weft::install
