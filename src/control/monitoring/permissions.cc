#include "control/monitoring/permissions.h"

#include "control/json.h"
#include "control/world.h"

namespace weft::control {
namespace {

constexpr Duration kAskAgain = 10s;

api::Json review_of(const Permission& wanted) {
  api::Json attributes = {{"verb", wanted.verb}, {"group", wanted.group}, {"resource", wanted.resource}};
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
  std::vector<Permission> wanted = {
      {"create", "authentication.k8s.io", "tokenreviews"},
      {"get", "", "secrets", ns, "weft-ca"},
      {"create", "", "configmaps"},
      {"update", "", "configmaps", "", "weft-ca-root-cert"},
      {"update", "networking.k8s.io", "ingresses/status"},
      {"update", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "",
       "weft-sidecar-injector"},
      {"update", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "", "weft-validator"},
      {"update", "coordination.k8s.io", "leases", ns, "weft-control-leader"},
  };
  for (const api::KindInfo* kind :
       {kinds::name_space(), kinds::service(), kinds::pod(), kinds::endpoint_slice(), kinds::ingress(),
        kinds::ingress_class(), kinds::gateway(), kinds::virtual_service(), kinds::destination_rule()})
    for (const char* verb : {"list", "watch"})
      wanted.push_back({verb, std::string(kind->group), std::string(kind->plural)});
  return wanted;
}

}  // namespace weft::control
