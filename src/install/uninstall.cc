#include "install/uninstall.h"

#include <algorithm>

#include "install/json_access.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;
using Stage = Removal::Stage;

constexpr Duration kLookAgain = 200ms;

struct Resource {
  const char* api;
  const char* plural;
  const char* singular;
  Stage stage;
};

/// The kinds that install or the control plane makes objects of.
constexpr Resource kResources[] = {
    {"/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", "mutatingwebhookconfiguration",
     Stage::kWebhooks},
    {"/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations",
     "validatingwebhookconfiguration", Stage::kWebhooks},
    {"/apis/apps/v1", "deployments", "deployment", Stage::kPrograms},
    {"/api/v1", "services", "service", Stage::kObjects},
    {"/api/v1", "configmaps", "configmap", Stage::kObjects},
    {"/api/v1", "secrets", "secret", Stage::kObjects},
    {"/apis/coordination.k8s.io/v1", "leases", "lease", Stage::kObjects},
    {"/apis/rbac.authorization.k8s.io/v1", "rolebindings", "rolebinding", Stage::kObjects},
    {"/apis/rbac.authorization.k8s.io/v1", "roles", "role", Stage::kObjects},
    {"/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", "clusterrolebinding", Stage::kObjects},
    {"/apis/rbac.authorization.k8s.io/v1", "clusterroles", "clusterrole", Stage::kObjects},
    {"/api/v1", "serviceaccounts", "serviceaccount", Stage::kObjects},
    {"/apis/networking.k8s.io/v1", "ingressclasses", "ingressclass", Stage::kObjects},
    {"/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", "customresourcedefinition",
     Stage::kDefinitions},
};

/// Whose labels an older control plane may not have set.
struct Named {
  const char* api;
  const char* plural;
  const char* singular;
  const char* name;
};
constexpr Named kNamed[] = {
    {"/api/v1", "secrets", "secret", kAuthority},
    {"/apis/coordination.k8s.io/v1", "leases", "lease", kLeader},
};

Removal removal_of(const char* api, const char* plural, const char* singular, Stage stage,
                   const Json& object) {
  const std::string ns = namespace_of(object), name = name_of(object);
  const std::string where = ns.empty() ? "" : "/namespaces/" + ns;
  return {stage, std::string(api) + where + "/" + plural + "/" + name,
          json::string(object, {"metadata", "uid"}),
          std::string(singular) + " " + (ns.empty() ? "" : ns + "/") + name};
}

}  // namespace

Uninstall::Uninstall(net::Loop& loop, store::RawApi& api, Say say)
    : loop_(loop), api_(api), reader_(api), say_(std::move(say)) {}

void Uninstall::add(Removal removal) {
  const bool known =
      std::ranges::any_of(found_, [&](const Removal& each) { return each.path == removal.path; });
  if (!known) found_.push_back(std::move(removal));
}

net::Task<Result<std::vector<Removal>>> Uninstall::find() {
  found_.clear();
  WEFT_CO_CHECK(co_await find_labelled());
  WEFT_CO_CHECK(co_await find_named());
  WEFT_CO_CHECK(co_await find_class());
  WEFT_CO_CHECK(co_await find_namespaces());
  std::vector<std::pair<std::pair<Stage, std::size_t>, Removal>> order;
  for (std::size_t i = 0; i < found_.size(); ++i) order.push_back({{found_[i].stage, i}, found_[i]});
  std::ranges::sort(order, {}, [](const auto& each) { return each.first; });
  std::vector<Removal> sorted;
  for (auto& each : order) sorted.push_back(std::move(each.second));
  co_return sorted;
}

net::Task<Result<void>> Uninstall::find_labelled() {
  for (const Resource& each : kResources) {
    const std::string path =
        std::string(each.api) + "/" + each.plural + "?labelSelector=app.kubernetes.io%2Fpart-of%3D" + kPartOf;
    WEFT_CO_TRY(const std::vector<Json> items, co_await reader_.list(path));
    for (const Json& object : items) {
      Removal removal = removal_of(each.api, each.plural, each.singular, each.stage, object);
      if (each.stage != Stage::kDefinitions) {
        add(std::move(removal));
        continue;
      }
      WEFT_CO_CHECK(co_await add_definition(std::move(removal), object));
    }
  }
  co_return Result<void>{};
}

/// A definition takes its objects along: the user who is asked should know how many.
net::Task<Result<void>> Uninstall::add_definition(Removal definition, Json object) {
  std::string version;
  for (const Json& each : json::list(object, {"spec", "versions"}))
    if (json::at(each, {"storage"}) == true) version = json::string(each, {"name"});
  const std::string path = "/apis/" + json::string(object, {"spec", "group"}) + "/" + version + "/" +
                           json::string(object, {"spec", "names", "plural"});
  WEFT_CO_TRY(const std::vector<Json> objects, co_await reader_.list(path));
  if (!objects.empty())
    definition.text += objects.size() == 1 ? " and its one object"
                                           : " and its " + std::to_string(objects.size()) + " objects";
  add(std::move(definition));
  co_return Result<void>{};
}

net::Task<Result<void>> Uninstall::find_named() {
  for (const Named& each : kNamed) {
    const std::string path =
        std::string(each.api) + "/namespaces/" + kNamespace + "/" + each.plural + "/" + each.name;
    WEFT_CO_TRY(const Json object, co_await reader_.get(path));
    if (object.is_object()) add(removal_of(each.api, each.plural, each.singular, Stage::kObjects, object));
  }
  const std::string roots =
      std::string("/api/v1/configmaps?fieldSelector=metadata.name%3D") + kRootCertificate;
  WEFT_CO_TRY(const std::vector<Json> items, co_await reader_.list(roots));
  for (const Json& object : items)
    add(removal_of("/api/v1", "configmaps", "configmap", Stage::kObjects, object));
  co_return Result<void>{};
}

/// Where Gateway API's definitions are another product's, our class does not go with them.
net::Task<Result<void>> Uninstall::find_class() {
  constexpr const char* kApi = "/apis/gateway.networking.k8s.io/v1";
  const std::string path = std::string(kApi) + "/gatewayclasses/" + kGatewayClass;
  WEFT_CO_TRY(const Json object, co_await reader_.get(path));
  if (json::string(object, {"spec", "controllerName"}) == kGatewayController)
    add(removal_of(kApi, "gatewayclasses", "gatewayclass", Stage::kObjects, object));
  co_return Result<void>{};
}

net::Task<Result<void>> Uninstall::find_namespaces() {
  const std::string path =
      std::string("/api/v1/namespaces?labelSelector=app.kubernetes.io%2Fpart-of%3D") + kPartOf;
  WEFT_CO_TRY(const std::vector<Json> items, co_await reader_.list(path));
  for (const Json& object : items) {
    const std::string name = name_of(object);
    const std::string pods =
        "/api/v1/namespaces/" + name + "/pods?labelSelector=app.kubernetes.io%2Fpart-of%21%3D" + kPartOf;
    WEFT_CO_TRY(const std::vector<Json> others, co_await reader_.list(pods));
    if (others.empty())
      add(removal_of("/api/v1", "namespaces", "namespace", Stage::kNamespaces, object));
    else
      say_("namespace " + name + " stays: it holds pods that are not weft's, such as " +
           name_of(others.front()));
  }
  co_return Result<void>{};
}

net::Task<void> Uninstall::start(Removal& removal, bool dry_run) {
  store::RawRequest request{.method = "DELETE", .path = removal.path};
  request.body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Foreground"}};
  if (dry_run) request.body["dryRun"] = api::Json::array({"All"});
  // It may have been created again since it was listed: that one is not ours to remove.
  if (!removal.uid.empty()) request.body["preconditions"] = {{"uid", removal.uid}};
  auto response = co_await api_.call(std::move(request));
  if (!response && response.error().code != Code::kNotFound) removal.reason = response.error().text;
}

net::Task<std::vector<Removal>> Uninstall::rehearse(std::vector<Removal> all) {
  for (Removal& each : all) co_await start(each, true);
  std::erase_if(all, [](const Removal& each) { return each.reason.empty(); });
  co_return all;
}

/// Takes out of `removals` what is gone, and says so.
net::Task<void> Uninstall::wait(std::vector<Removal>& removals, TimePoint deadline) {
  while (true) {
    std::vector<Removal> here;
    for (Removal& each : removals) {
      auto response = co_await reader_.get(each.path);
      const bool same = response && response->is_object() &&
                        (each.uid.empty() || json::string(*response, {"metadata", "uid"}) == each.uid);
      if (response && !same) {
        say_(each.text + " deleted");
        continue;
      }
      if (!response) each.reason = response.error().text;
      here.push_back(std::move(each));
    }
    removals = std::move(here);
    if (removals.empty() || loop_.now() >= deadline) co_return;
    co_await loop_.sleep(kLookAgain);
  }
}

net::Task<std::vector<Removal>> Uninstall::remove(std::vector<Removal> all, Duration limit) {
  const TimePoint deadline = loop_.now() + limit;
  std::vector<Removal> stayed;
  for (std::size_t begin = 0; begin < all.size();) {
    std::vector<Removal> stage;
    const Stage now = all[begin].stage;
    for (; begin < all.size() && all[begin].stage == now; ++begin) stage.push_back(std::move(all[begin]));
    for (Removal& each : stage) co_await start(each);
    // What could not even be asked to go is not waited for.
    std::vector<Removal> going;
    for (Removal& each : stage) (each.reason.empty() ? going : stayed).push_back(std::move(each));
    co_await wait(going, deadline);
    for (Removal& each : going) stayed.push_back(std::move(each));
  }
  co_return stayed;
}

}  // namespace weft::install
