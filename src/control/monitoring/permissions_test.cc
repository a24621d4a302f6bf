#include "control/monitoring/permissions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "control/testing/fake_raw_api.h"

namespace weft::control {
namespace {

using testing::FakeRawApi;

bool asks(const std::vector<Permission>& all, const Permission& one) {
  return std::ranges::any_of(all, [&](const Permission& each) {
    return each.verb == one.verb && each.group == one.group && each.resource == one.resource &&
           each.ns == one.ns && each.name == one.name;
  });
}

TEST(Permissions, are_all_that_the_control_plane_writes_and_reads) {
  const auto all = control_plane_permissions("mesh");
  const std::string istio = "networking.istio.io", gateway = "gateway.networking.k8s.io";
  const std::string admission = "admissionregistration.k8s.io", coordination = "coordination.k8s.io";
  const Permission needed[] = {
      {"watch", "", "pods"},
      {"list", "discovery.k8s.io", "endpointslices"},
      {"watch", istio, "virtualservices"},
      {"update", istio, "virtualservices/status"},
      {"update", istio, "destinationrules/status"},
      {"update", "networking.k8s.io", "ingresses/status"},
      {"update", gateway, "gateways/status"},
      {"update", gateway, "httproutes/status"},
      {"create", gateway, "gatewayclasses"},
      {"create", "apps", "deployments"},
      {"update", "", "services"},
      {"create", "", "serviceaccounts"},
      {"create", "", "configmaps"},
      {"update", "", "configmaps", "", "weft-ca-root-cert"},
      {"update", admission, "mutatingwebhookconfigurations", "", "weft-sidecar-injector"},
      {"create", "", "secrets", "mesh"},
      {"get", "", "secrets", "mesh", "weft-ca"},
      {"create", coordination, "leases", "mesh"},
      {"update", coordination, "leases", "mesh", "weft-control-leader"},
  };
  for (const Permission& each : needed) EXPECT_TRUE(asks(all, each)) << each.verb << " " << each.resource;
}

/// What `weft install` gives, as a review tells it: a rule for each permission.
api::Json rules_of(const std::vector<Permission>& given) {
  api::Json rules = api::Json::array();
  for (const Permission& each : given) {
    rules.push_back({{"verbs", {each.verb}}, {"apiGroups", {each.group}}, {"resources", {each.resource}}});
    if (!each.name.empty()) rules.back()["resourceNames"] = {each.name};
  }
  return rules;
}

/// An API server that shows `given` as rules, allows besides what `allows` says, and cannot be asked while
/// `away`.
class AskedApi : public ::testing::Test {
 protected:
  AskedApi() {
    api.answer = [this](const store::RawRequest& request) -> Result<api::Json> {
      if (away) return fail(Error::config(Code::kUnsupported, "nobody answers"));
      if (request.path.ends_with("selfsubjectrulesreviews"))
        return api::Json{{"status", {{"resourceRules", rules_of(given)}, {"incomplete", false}}}};
      return api::Json{{"status", {{"allowed", allows(request.body["spec"]["resourceAttributes"])}}}};
    };
  }
  void take_away(const Permission& one) {
    std::erase_if(given, [&](const Permission& each) {
      return each.verb == one.verb && each.resource == one.resource && each.name == one.name;
    });
  }

  bool away = false;
  std::vector<Permission> given = control_plane_permissions("mesh");
  std::function<bool(const api::Json&)> allows = [](const api::Json&) { return false; };
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  FakeRawApi api;
};

const std::vector<std::string> kNoLease = {
    "not allowed to update leases.coordination.k8s.io weft-control-leader in namespace mesh"};

TEST_F(AskedApi, is_asked_once_in_five_minutes_while_everything_is_allowed) {
  Permissions permissions(*loop, api, "mesh", control_plane_permissions("mesh"));
  permissions.start();
  loop->settle();
  ASSERT_EQ(api.requests.size(), 1u);
  EXPECT_EQ(api.requests[0].path, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
  EXPECT_EQ(api.requests[0].body["spec"]["namespace"], "mesh");
  loop->advance(299s);
  EXPECT_EQ(api.requests.size(), 1u);
  loop->advance(2s);
  EXPECT_EQ(api.requests.size(), 2u);
  EXPECT_TRUE(permissions.problems().empty());
}

TEST_F(AskedApi, names_the_right_that_was_taken_away_and_no_other_and_sees_its_return_soon) {
  take_away({"update", "coordination.k8s.io", "leases", "", "weft-control-leader"});
  Permissions permissions(*loop, api, "mesh", control_plane_permissions("mesh"));
  permissions.start();
  loop->settle();
  EXPECT_EQ(permissions.problems(), kNoLease);
  EXPECT_EQ(api.requests.size(), 2u) << "only what the rules do not show is asked for by name";
  given = control_plane_permissions("mesh");
  loop->advance(21s);
  EXPECT_TRUE(permissions.problems().empty());
}

TEST_F(AskedApi, a_right_that_an_authorizer_without_rules_gives_is_no_problem) {
  given.clear();
  allows = [](const api::Json& attributes) {
    return attributes["resource"] != "leases" || attributes["verb"] != "update";
  };
  Permissions permissions(*loop, api, "mesh", control_plane_permissions("mesh"));
  permissions.start();
  loop->settle();
  EXPECT_EQ(permissions.problems(), kNoLease);
}

TEST_F(AskedApi, a_right_for_other_names_or_all_but_one_group_is_not_the_one_that_is_wanted) {
  given = {{"get", "", "secrets", "", "other"}, {"get", "apps", "secrets"}};
  Permissions permissions(*loop, api, "mesh", {{"get", "", "secrets", "mesh", "weft-ca"}});
  permissions.start();
  loop->settle();
  EXPECT_EQ(permissions.problems(),
            std::vector<std::string>{"not allowed to get secrets weft-ca in namespace mesh"});
}

TEST_F(AskedApi, what_is_known_stays_while_nobody_can_be_asked) {
  take_away({"update", "coordination.k8s.io", "leases", "", "weft-control-leader"});
  Permissions permissions(*loop, api, "mesh", control_plane_permissions("mesh"));
  permissions.start();
  loop->settle();
  away = true;
  loop->advance(21s);
  EXPECT_EQ(permissions.problems(), kNoLease);
}

TEST_F(AskedApi, is_asked_for_a_status_as_a_part_of_its_resource) {
  given.clear();
  Permissions permissions(*loop, api, "mesh", {{"update", "networking.k8s.io", "ingresses/status"}});
  permissions.start();
  loop->settle();
  ASSERT_EQ(api.requests.size(), 2u);
  const api::Json& attributes = api.requests[1].body["spec"]["resourceAttributes"];
  EXPECT_EQ(attributes["resource"], "ingresses");
  EXPECT_EQ(attributes["subresource"], "status");
  given = {{"update", "networking.k8s.io", "*/status"}};
  Permissions wild(*loop, api, "mesh", {{"update", "networking.k8s.io", "ingresses/status"}});
  wild.start();
  loop->settle();
  EXPECT_EQ(api.requests.size(), 3u);
}

}  // namespace
}  // namespace weft::control
