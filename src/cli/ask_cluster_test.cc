#include "cli/ask_cluster.h"

#include <gtest/gtest.h>

#include "store/testing/api_double.h"
#include "store/testing/run.h"

namespace weft::cli {
namespace {

struct AskClusterTest : ::testing::Test {
  Result<ClusterFacts> asked() {
    auto client = store::ApiClient::make(loop, api.access(), {api.address()}, {1s, 1s, 0s});
    EXPECT_TRUE(client) << client.error().text;
    store::KubernetesStore cluster(loop, std::move(*client));
    return store::testing::run(loop, ask_cluster(cluster));
  }
  void version(const std::string& minor) {
    api.add({.expected = "GET /version",
             .pieces = {R"({"major": "1", "minor": ")" + minor + R"(", "gitVersion": "v1"})"}});
  }
  net::Loop loop;
  store::testing::ApiDouble api{loop};
};

TEST_F(AskClusterTest, tells_the_version_and_the_mesh_s_settings) {
  version("34+");
  api.add({.expected = "GET /api/v1/namespaces/weft-system/configmaps/weft-injector",
           .pieces = {R"({"kind": "ConfigMap", "apiVersion": "v1", "data": {"settings": "image: x\n"}})"}});
  const auto facts = asked();
  ASSERT_TRUE(facts) << facts.error().text;
  EXPECT_EQ(facts->minor, 34);
  EXPECT_EQ(facts->injector_settings, "image: x\n");
  EXPECT_EQ(facts->note, "");
  EXPECT_EQ(api.surprises(), "");
}

TEST_F(AskClusterTest, knows_a_cluster_without_the_mesh_and_one_that_tells_little) {
  version("29");
  api.add({.status = 404, .pieces = {R"({"kind": "Status", "reason": "NotFound", "code": 404})"}});
  const auto without = asked();
  ASSERT_TRUE(without);
  EXPECT_EQ(without->injector_settings + without->note, "");
  version("29");
  api.add({.status = 403, .pieces = {R"({"kind": "Status", "reason": "Forbidden", "code": 403})"}});
  const auto denied = asked();
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->minor, 29);
  EXPECT_NE(denied->note.find("could not be read"), std::string::npos);
}

TEST_F(AskClusterTest, gives_up_on_a_server_that_is_silent) {
  api.add({.expected = "GET /version", .end = store::testing::Step::End::kSilent});
  EXPECT_FALSE(asked());
}

}  // namespace
}  // namespace weft::cli
