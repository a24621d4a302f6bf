#include "control/monitoring/permissions.h"

#include <algorithm>

#include "control/json.h"
#include "install/access_rights.h"

namespace weft::control {
namespace {

constexpr Duration kAskAgain = 300s, kAskSoon = 20s;
constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/";

api::Json review_of(const Permission& wanted) {
  const std::size_t slash = wanted.resource.find('/');
  api::Json attributes = {
      {"verb", wanted.verb}, {"group", wanted.group}, {"resource", wanted.resource.substr(0, slash)}};
  if (slash != std::string::npos) attributes["subresource"] = wanted.resource.substr(slash + 1);
  if (!wanted.ns.empty()) attributes["namespace"] = wanted.ns;
  if (!wanted.name.empty()) attributes["name"] = wanted.name;
  return {{"apiVersion", "authorization.k8s.io/v1"},
          {"kind", "SelfSubjectAccessReview"},
          {"spec", {{"resourceAttributes", std::move(attributes)}}}};
}

std::string problem_of(const Permission& missing) {
  return "not allowed to " + missing.verb + " " + missing.resource + (missing.group.empty() ? "" : ".") +
         missing.group + (missing.name.empty() ? "" : " " + missing.name) +
         (missing.ns.empty() ? "" : " in namespace " + missing.ns);
}

bool has(const api::Json& rule, const char* list, std::string_view word) {
  return std::ranges::any_of(json::list(rule, list), [&](const api::Json& each) {
    return each.is_string() && (each == "*" || each.get_ref<const std::string&>() == word);
  });
}

/// "pods/status" is also given by "*/status".
bool has_resource(const api::Json& rule, std::string_view resource) {
  const auto slash = resource.find('/');
  return has(rule, "resources", resource) ||
         (slash != resource.npos && has(rule, "resources", "*" + std::string(resource.substr(slash))));
}

/// Whether one of a review's rules gives it.
bool is_given(const Permission& wanted, const api::Json& rules) {
  return std::ranges::any_of(rules, [&](const api::Json& rule) {
    const api::Json& names = json::list(rule, "resourceNames");
    const bool named = names.empty() || (!wanted.name.empty() && has(rule, "resourceNames", wanted.name));
    return named && has(rule, "verbs", wanted.verb) && has(rule, "apiGroups", wanted.group) &&
           has_resource(rule, wanted.resource);
  });
}

/// One question for each resource, verb and name of a role's rule.
void add_rule(std::vector<Permission>& wanted, const api::Json& rule, const std::string& ns) {
  const api::Json names = rule.contains("resourceNames") ? rule["resourceNames"] : api::Json::array({""});
  for (const api::Json& group : rule["apiGroups"])
    for (const api::Json& resource : rule["resources"])
      for (const api::Json& verb : rule["verbs"])
        for (const api::Json& name : names) wanted.push_back({verb, group, resource, ns, name});
}

}  // namespace

Permissions::Permissions(net::Loop& loop, store::RawApi& api, std::string ns, std::vector<Permission> wanted)
    : loop_(loop), api_(api), ns_(std::move(ns)), wanted_(std::move(wanted)) {}

net::Task<void> Permissions::run() {
  while (true) {
    const bool answered = co_await ask_all();
    co_await loop_.sleep(answered && problems_.empty() ? kAskAgain : kAskSoon);
  }
}

net::Task<Result<bool>> Permissions::ask_for(const Permission& wanted) {
  store::RawRequest request{"POST", std::string(kReviews) + "selfsubjectaccessreviews", review_of(wanted)};
  WEFT_CO_TRY(const api::Json answer, co_await api_.call(std::move(request)));
  co_return json::boolean(json::map(answer, "status"), "allowed");
}

/// False when no response came.
net::Task<bool> Permissions::ask_all() {
  store::RawRequest request{"POST",
                            std::string(kReviews) + "selfsubjectrulesreviews",
                            {{"apiVersion", "authorization.k8s.io/v1"},
                             {"kind", "SelfSubjectRulesReview"},
                             {"spec", {{"namespace", ns_}}}}};
  auto answer = co_await api_.call(std::move(request));
  if (!answer) co_return false;
  const api::Json& rules = json::list(json::map(*answer, "status"), "resourceRules");
  std::vector<std::string> found;
  for (const Permission& each : wanted_) {
    if (is_given(each, rules)) continue;
    auto allowed = co_await ask_for(each);
    if (!allowed) co_return false;
    if (!*allowed) found.push_back(problem_of(each));
  }
  problems_ = std::move(found);
  co_return true;
}

std::vector<Permission> control_plane_permissions(const std::string& ns) {
  std::vector<Permission> wanted;
  for (const install::Part& part : install::access_rights(install::Plan{})) {
    if (!part.object.contains("rules")) continue;
    const std::string where = part.object["kind"] == "Role" ? ns : std::string();
    for (const api::Json& rule : part.object["rules"]) add_rule(wanted, rule, where);
  }
  return wanted;
}

}  // namespace weft::control
