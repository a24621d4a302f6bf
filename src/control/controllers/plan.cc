#include "control/controllers/plan.h"

#include "control/json.h"

namespace weft::control {
namespace {

constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";

}  // namespace

std::vector<Controller> all_controllers() {
  using namespace kinds;
  return {
      {"namespaces", {name_space(), service_account()}, plan_namespaces},
      {"deployments", {deployment(), replica_set()}, plan_deployments},
      {"replicasets", {replica_set(), pod()}, plan_replica_sets},
      {"services", {service()}, plan_services},
      {"endpointslices", {service(), pod(), endpoint_slice()}, plan_endpoint_slices},
      {"ingresses", {ingress(), ingress_class(), service()}, plan_ingresses, true},
      {"gateways",
       {gateway_class(), api_gateway(), http_route(), reference_grant(), service(), name_space()},
       plan_local_gateways,
       true},
      {"rules",
       {virtual_service(), destination_rule(), gateway(), service(), pod(), endpoint_slice(), deployment(),
        replica_set()},
       plan_rule_statuses,
       true},
  };
}

void set_status(Plan& plan, const api::Object& object, api::Json status) {
  if (json::same(object.status(), status)) return;
  api::Object changed = object;
  changed.body["status"] = std::move(status);
  plan.push_back({Change::Kind::kUpdateStatus, std::move(changed)});
}

api::Json owner_reference(const api::Object& owner) {
  return {{"apiVersion", owner.kind->api_version()},
          {"kind", std::string(owner.kind->kind)},
          {"name", std::string(owner.name())},
          {"uid", std::string(owner.uid())},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

bool is_owned_by(const api::Object& object, const api::Object& owner) {
  for (const auto& reference : json::list(json::map(object.body, "metadata"), "ownerReferences"))
    if (json::text(reference, "uid") == owner.uid()) return true;
  return false;
}

bool is_terminating(const api::Object& object) {
  return !json::text(json::map(object.body, "metadata"), "deletionTimestamp").empty();
}

bool is_ready(const api::Object& pod) {
  for (const auto& condition : json::list(pod.status(), "conditions"))
    if (json::text(condition, "type") == "Ready") return json::text(condition, "status") == "True";
  return false;
}

std::string name_suffix(Random& random) {
  std::string suffix;
  for (int i = 0; i < 5; ++i) suffix += kAlphabet[random.below(kAlphabet.size())];
  return suffix;
}

std::string name_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ULL;
  std::string name;
  for (; name.size() < 10; hash /= kAlphabet.size()) name += kAlphabet[hash % kAlphabet.size()];
  return name;
}

bool is_gateway_role(std::string_view role) { return role == "ingressgateway" || role == "ingress"; }

api::Json make_condition(const Condition& condition, const api::Json& before, const std::string& now) {
  std::string since = now;
  for (const auto& old : before)
    if (json::text(old, "type") == condition.type && json::text(old, "status") == condition.status)
      since = json::text(old, "lastTransitionTime");
  return {{"type", std::string(condition.type)},
          {"status", std::string(condition.status)},
          {"lastTransitionTime", since},
          {"reason", std::string(condition.reason)},
          {"message", condition.message}};
}

}  // namespace weft::control
