#include <gtest/gtest.h>

#include "install/check.h"
#include "install/names.h"
#include "install/testing/fake_cluster.h"
#include "install/testing/findings.h"
#include "store/testing/run.h"

namespace weft::install {
namespace {

using testing::line_with;
using testing::ours;

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
constexpr const char* kWebhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/";

class CheckBeforeTest : public ::testing::Test {
 protected:
  Findings look(std::string_view profile = "default", std::vector<std::string> sets = {}) {
    Result<Plan> plan = Plan::read(profile, sets);
    EXPECT_TRUE(plan) << plan.error().text;
    Check check(cluster);
    Findings found = store::testing::run(loop, check.before(std::move(*plan)));
    EXPECT_TRUE(testing::say_what_to_do(found));
    return found;
  }
  std::string line(const std::string& part, std::string_view profile = "default",
                   std::vector<std::string> sets = {}) {
    return line_with(look(profile, std::move(sets)), part);
  }

  net::Loop loop;
  testing::FakeCluster cluster;
};

TEST_F(CheckBeforeTest, an_empty_cluster_is_good_in_every_line) {
  const Findings found = look("walkthrough");
  EXPECT_FALSE(has_failure(found));
  for (const Finding& each : found) EXPECT_EQ(each.state, Finding::State::kOk) << each.what;
  for (const char* part :
       {"Kubernetes v1.34.1", "you may create", "no other definitions", "no other injector",
        "namespace weft-system is free", "namespace istio-system is free"})
    EXPECT_NE(line_with(found, part), "none") << part;
}

TEST_F(CheckBeforeTest, a_server_that_does_not_respond_is_the_only_line) {
  cluster.faults.emplace("/", Error::internal(Code::kRefused, "connection refused"));
  const Findings found = look();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(has_failure(found));
  EXPECT_NE(found[0].what.find("does not respond: connection refused"), std::string::npos) << found[0].what;
}

TEST_F(CheckBeforeTest, the_version_decides_what_a_sidecar_can_be) {
  cluster.minor = "29+";
  EXPECT_TRUE(line("Kubernetes").starts_with("warning"));
  cluster.minor = "28";
  EXPECT_TRUE(line("no native sidecars").starts_with("warning"));
  EXPECT_TRUE(line("Kubernetes", "default", {"injector.native=false"}).starts_with("ok"));
  cluster.minor = "what";
  EXPECT_TRUE(line("Kubernetes").starts_with("warning")) << "an unknown version promises nothing";
}

TEST_F(CheckBeforeTest, rights_that_are_missing_are_named) {
  cluster.denied = {"clusterroles", "services"};
  EXPECT_EQ(line("you may not"),
            "failed you may not create clusterroles.rbac.authorization.k8s.io, services");
  cluster.denied = {};
  EXPECT_TRUE(line("you may create").starts_with("ok"));
  cluster.faults.emplace("/apis/authorization.k8s.io", Error::config(Code::kDenied, "forbidden"));
  EXPECT_EQ(line("what you may do"), "failed what you may do cannot be read: forbidden");
}

TEST_F(CheckBeforeTest, definitions_of_another_product_are_a_warning_and_ours_are_not) {
  cluster.put(std::string(kDefinitions) + "virtualservices.networking.istio.io", ours());
  EXPECT_TRUE(line("definitions").starts_with("ok"));
  cluster.put(std::string(kDefinitions) + "virtualservices.networking.istio.io");
  cluster.put(std::string(kDefinitions) + "gateways.gateway.networking.k8s.io");
  EXPECT_EQ(line("not weft's are there"),
            "warning definitions that are not weft's are there: virtualservices.networking.istio.io");
  EXPECT_EQ(line("Gateway API's"),
            "warning Gateway API's definitions are there: gateways.gateway.networking.k8s.io");
  EXPECT_EQ(line("Gateway API's", "default", {"gatewayApi.crds=false"}), "none");
}

TEST_F(CheckBeforeTest, another_injector_is_a_failure_and_other_webhooks_are_nothing) {
  const auto hook = [](const char* name) { return api::Json{{"webhooks", {{{"name", name}}}}}; };
  cluster.put(std::string(kWebhooks) + "weft-sidecar-injector", ours(hook("a.sidecar-injector.istio.io")));
  cluster.put(std::string(kWebhooks) + "cert-manager", hook("webhook.cert-manager.io"));
  EXPECT_TRUE(line("injector").starts_with("ok"));
  cluster.put(std::string(kWebhooks) + "istio-sidecar-injector", hook("b.sidecar-injector.istio.io"));
  EXPECT_EQ(line("injectors"), "failed other injectors of sidecars are there: istio-sidecar-injector");
}

TEST_F(CheckBeforeTest, namespaces_are_free_ours_foreign_or_going) {
  const std::string path = "/api/v1/namespaces/weft-system";
  cluster.put(path, ours());
  EXPECT_TRUE(line("namespace weft-system is there").starts_with("ok"));
  cluster.put(path);
  EXPECT_TRUE(line("namespace weft-system is there and not weft's").starts_with("warning"));
  cluster.put(path, ours({{"metadata", {{"deletionTimestamp", "2026-03-01T00:00:00Z"}}}}));
  EXPECT_TRUE(line("namespace weft-system is on its way out").starts_with("failed"));
  EXPECT_EQ(line("istio-system"), "none") << "only the walk-through has it";
}

TEST_F(CheckBeforeTest, node_ports_are_free_taken_or_out_of_range) {
  const std::vector<std::string> wanted = {"gateway.nodePort=31380"};
  EXPECT_EQ(line("node port 31380", "default", wanted), "ok node port 31380 is free");
  const api::Json taken = {{"spec", {{"ports", {{{"nodePort", 31380}}}}}}};
  cluster.put("/api/v1/namespaces/weft-system/services/istio-ingressgateway", taken);
  EXPECT_EQ(line("node port 31380", "default", wanted), "ok node port 31380 is free") << "by ourselves";
  cluster.put("/api/v1/namespaces/shop/services/web", taken);
  EXPECT_EQ(line("node port 31380", "default", wanted),
            "failed node port 31380 is taken by service shop/web");
  EXPECT_TRUE(line("node port 80", "default", {"gateway.nodePort=80"}).starts_with("warning"));
}

TEST_F(CheckBeforeTest, what_cannot_be_read_is_a_failure_of_its_own_line) {
  for (const auto& [path, what] : {std::pair(kDefinitions, "customresourcedefinition "),
                                   std::pair("/apis/admissionregistration", "mutatingwebhookconfigurations"),
                                   std::pair("/api/v1/namespaces/", "namespace weft-system"),
                                   std::pair("/api/v1/services", "services")}) {
    cluster.faults = {{path, Error::config(Code::kDenied, "forbidden")}};
    const std::string found =
        line(std::string("cannot be read: forbidden"), "default", {"gateway.nodePort=31380"});
    EXPECT_TRUE(found.starts_with(std::string("failed ") + what)) << found;
  }
}

}  // namespace
}  // namespace weft::install
