#include "control/monitoring/permissions.h"

#include <gtest/gtest.h>

#include <algorithm>

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

/// An API server that refuses one resource and, while `away`, cannot be asked.
class AskedApi : public ::testing::Test {
 protected:
  AskedApi() {
    api.answer = [this](const store::RawRequest& request) -> Result<api::Json> {
      if (away) return fail(Error::config(Code::kUnsupported, "nobody answers"));
      const api::Json& attributes = request.body["spec"]["resourceAttributes"];
      const bool refused = attributes["resource"] == "leases" && attributes["verb"] == "update" && taken_away;
      return api::Json{{"status", {{"allowed", !refused}}}};
    };
  }

  bool away = false, taken_away = false;
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  FakeRawApi api;
};

TEST_F(AskedApi, names_the_right_that_was_taken_away_and_no_other) {
  taken_away = true;
  Permissions permissions(*loop, api, control_plane_permissions("mesh"));
  permissions.start();
  loop->settle();
  EXPECT_EQ(permissions.problems(),
            std::vector<std::string>{
                "not allowed to update leases.coordination.k8s.io weft-control-leader in namespace mesh"});
}

TEST_F(AskedApi, has_no_problem_while_everything_is_allowed_or_nobody_can_be_asked) {
  Permissions allowed(*loop, api, control_plane_permissions("mesh"));
  allowed.start();
  loop->settle();
  EXPECT_TRUE(allowed.problems().empty());
  EXPECT_EQ(api.requests.size(), control_plane_permissions("mesh").size());
  away = true;
  Permissions unknown(*loop, api, control_plane_permissions("mesh"));
  unknown.start();
  loop->settle();
  EXPECT_TRUE(unknown.problems().empty());
}

TEST_F(AskedApi, is_asked_for_a_status_as_a_part_of_its_resource) {
  Permissions permissions(*loop, api, {{"update", "networking.k8s.io", "ingresses/status"}});
  permissions.start();
  loop->settle();
  ASSERT_EQ(api.requests.size(), 1u);
  const api::Json& attributes = api.requests[0].body["spec"]["resourceAttributes"];
  EXPECT_EQ(attributes["resource"], "ingresses");
  EXPECT_EQ(attributes["subresource"], "status");
}

}  // namespace
}  // namespace weft::control
