#include "control/monitoring/permissions.h"

#include "control/json.h"
#include "install/access_rights.h"

namespace weft::control {
namespace {

constexpr Duration kAskAgain = 20s;

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

/// One question for each resource, verb and name of a role's rule.
void add_rule(std::vector<Permission>& wanted, const api::Json& rule, const std::string& ns) {
  const api::Json names = rule.contains("resourceNames") ? rule["resourceNames"] : api::Json::array({""});
  for (const api::Json& group : rule["apiGroups"])
    for (const api::Json& resource : rule["resources"])
      for (const api::Json& verb : rule["verbs"])
        for (const api::Json& name : names) wanted.push_back({verb, group, resource, ns, name});
}

}  // namespace

Permissions::Permissions(net::Loop& loop, store::RawApi& api, std::vector<Permission> wanted)
    : loop_(loop), api_(api), wanted_(std::move(wanted)) {}

net::Task<void> Permissions::run() {
  while (true) {
    co_await ask_all();
    co_await loop_.sleep(kAskAgain);
  }
}

net::Task<void> Permissions::ask_all() {
  std::vector<std::string> found;
  for (const Permission& each : wanted_) {
    store::RawRequest request{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                              review_of(each)};
    auto answer = co_await api_.call(std::move(request));
    if (!answer) co_return;
    if (!json::boolean(json::map(*answer, "status"), "allowed")) found.push_back(problem_of(each));
  }
  problems_ = std::move(found);
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
