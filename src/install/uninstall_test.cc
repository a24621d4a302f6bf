#include "install/uninstall.h"

#include <gtest/gtest.h>

#include "install/testing/fake_cluster.h"
#include "store/testing/run.h"

namespace weft::install {
namespace {

using api::Json;
using testing::kControlPath;
using testing::kDefinition;
using testing::kInjectorPath;
using testing::labelled;
using testing::ours;

const std::string kRolePath = "/apis/rbac.authorization.k8s.io/v1/clusterroles/weft-control";
const std::string kNamespacePath = "/api/v1/namespaces/weft-system";
const std::string kAuthorityPath = kNamespacePath + "/secrets/weft-ca";
const std::string kRootPath = "/api/v1/namespaces/shop/configmaps/weft-ca-root-cert";
const std::string kClassPath = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/istio";

/// A cluster with a bit of everything that an installation consists of, and with what is not weft's.
class UninstallTest : public ::testing::Test {
 protected:
  UninstallTest() {
    cluster.put(kNamespacePath, ours());
    cluster.put(
        kDefinition,
        ours({{"spec",
               {{"group", "networking.istio.io"},
                {"names", {{"plural", "virtualservices"}}},
                {"versions",
                 {{{"name", "v1beta1"}, {"storage", false}}, {{"name", "v1"}, {"storage", true}}}}}}}));
    cluster.put(kRolePath, ours());
    cluster.put(kAuthorityPath);
    cluster.put(kRootPath);
    cluster.put(kControlPath, ours());
    cluster.put(kInjectorPath, ours());
    cluster.put(kClassPath, {{"spec", {{"controllerName", "istio.io/gateway-controller"}}}});
    cluster.put("/api/v1/namespaces/shop");
    cluster.put("/api/v1/namespaces/shop/configmaps/settings");
    cluster.put("/api/v1/namespaces/shop/services/web");
  }
  std::vector<Removal> find() {
    said.clear();
    auto found = store::testing::run(loop, uninstall.find());
    EXPECT_TRUE(found) << found.error().text;
    return std::move(*found);
  }
  std::vector<Removal> remove(Duration limit = 5s) {
    return store::testing::run(loop, uninstall.remove(find(), limit));
  }
  static std::vector<std::string> texts(const std::vector<Removal>& all) {
    std::vector<std::string> made;
    for (const Removal& each : all) made.push_back(each.text);
    return made;
  }

  net::Loop loop;
  testing::FakeCluster cluster;
  std::vector<std::string> said;
  Uninstall uninstall{loop, cluster, [this](const std::string& line) { said.push_back(line); }};
};

TEST_F(UninstallTest, webhooks_go_first_then_programs_and_namespaces_last) {
  EXPECT_TRUE(remove().empty());
  EXPECT_EQ(cluster.deleted, (std::vector{kInjectorPath, kControlPath, kRolePath, kAuthorityPath, kRootPath,
                                          kClassPath, kDefinition, kNamespacePath}));
  EXPECT_EQ(said.front(), "mutatingwebhookconfiguration weft-sidecar-injector deleted");
  EXPECT_EQ(said.back(), "namespace weft-system deleted");
}

TEST_F(UninstallTest, what_is_not_wefts_stays) {
  remove();
  for (const char* path : {"/api/v1/namespaces/shop", "/api/v1/namespaces/shop/configmaps/settings",
                           "/api/v1/namespaces/shop/services/web"})
    EXPECT_TRUE(cluster.has(path)) << path;
  EXPECT_TRUE(find().empty()) << "there is nothing more to find";
}

TEST_F(UninstallTest, finding_changes_nothing) {
  EXPECT_EQ(find().size(), 8u);
  EXPECT_TRUE(cluster.deleted.empty());
}

TEST_F(UninstallTest, many_objects_come_page_by_page) {
  cluster.page = 2;
  for (int i = 0; i < 5; ++i)
    cluster.put("/api/v1/namespaces/n" + std::to_string(i) + "/configmaps/weft-ca-root-cert");
  EXPECT_EQ(find().size(), 13u);
}

TEST_F(UninstallTest, a_definition_says_how_many_objects_go_with_it) {
  const auto line = [this] {
    for (const Removal& each : find())
      if (each.stage == Removal::Stage::kDefinitions) return each.text;
    return std::string();
  };
  const std::string name = "customresourcedefinition virtualservices.networking.istio.io";
  EXPECT_EQ(line(), name);
  cluster.put("/apis/networking.istio.io/v1/namespaces/shop/virtualservices/a");
  EXPECT_EQ(line(), name + " and its one object");
  cluster.put("/apis/networking.istio.io/v1/namespaces/shop/virtualservices/b");
  EXPECT_EQ(line(), name + " and its 2 objects");
}

TEST_F(UninstallTest, a_namespace_with_the_users_pods_stays_and_says_so) {
  cluster.put(kNamespacePath + "/pods/control-1", ours());
  EXPECT_EQ(find().size(), 8u);
  cluster.put(kNamespacePath + "/pods/mine");
  EXPECT_EQ(find().size(), 7u);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], "namespace weft-system stays: it holds pods that are not weft's, such as mine");
}

TEST_F(UninstallTest, a_class_of_another_controller_stays) {
  cluster.put(kClassPath, {{"spec", {{"controllerName", "example.com/other"}}}});
  remove();
  EXPECT_TRUE(cluster.has(kClassPath));
}

TEST_F(UninstallTest, what_is_held_has_stayed_and_the_rest_still_goes) {
  cluster.held = {kControlPath};
  const auto stayed = remove(100ms);
  EXPECT_EQ(texts(stayed), std::vector<std::string>{"deployment weft-system/weft-control"});
  EXPECT_EQ(stayed[0].reason, "") << "it is still going";
  EXPECT_FALSE(cluster.has(kNamespacePath));
}

TEST_F(UninstallTest, what_is_rejected_has_stayed_with_the_reason) {
  auto all = find();
  cluster.faults.emplace(kRolePath, Error::config(Code::kDenied, "forbidden"));
  const auto stayed = store::testing::run(loop, uninstall.remove(std::move(all), 5s));
  ASSERT_EQ(texts(stayed), std::vector<std::string>{"clusterrole weft-control"});
  EXPECT_EQ(stayed[0].reason, "forbidden");
}

TEST_F(UninstallTest, what_was_created_again_meanwhile_is_not_removed) {
  auto all = find();
  cluster.erase(kAuthorityPath);
  cluster.put(kAuthorityPath);
  store::testing::run(loop, uninstall.remove(std::move(all), 100ms));
  EXPECT_TRUE(cluster.has(kAuthorityPath)) << "it has another uid";
}

TEST_F(UninstallTest, what_is_gone_already_is_not_an_error) {
  auto all = find();
  cluster.erase(kRolePath);
  EXPECT_TRUE(store::testing::run(loop, uninstall.remove(std::move(all), 5s)).empty());
}

TEST_F(UninstallTest, a_server_that_does_not_respond_is_an_error) {
  cluster.faults.emplace("/api/v1/secrets", Error::internal(Code::kRefused, "connection refused"));
  const auto found = store::testing::run(loop, uninstall.find());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, "connection refused");
}

}  // namespace
}  // namespace weft::install
