#include "pod/environment.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "pod/bootstrap.h"
#include "pod/pod_info.h"
#include "xds/proto/core.pb.h"

namespace weft::pod {
namespace {

Variables good() {
  return {{"POD_NAME", "reviews-1"},
          {"POD_NAMESPACE", "shop"},
          {"INSTANCE_IP", "10.0.0.7"},
          {"SERVICE_ACCOUNT", "reviewer"},
          {"CA_ADDR", "weft-control.weft-system.svc:15012"},
          {"ISTIO_META_CLUSTER_ID", "Kubernetes"},
          {"ISTIO_META_POD_PORTS", R"([{"containerPort":9080}])"},
          {"ISTIO_META_WORKLOAD_NAME", "reviews"}};
}

std::string rejection(const std::string& name, const std::string& value) {
  Variables all = good();
  all[name] = value;
  const auto made = Environment::read(Role::kSidecar, "", all);
  return made ? "accepted" : made.error().text;
}

TEST(Environment, says_who_the_proxy_is) {
  const auto made = Environment::read(Role::kSidecar, "", good());
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->node_id(), "sidecar~10.0.0.7~reviews-1.shop~shop.svc.cluster.local");
  EXPECT_EQ(made->control_host, "weft-control.weft-system.svc");
  EXPECT_EQ(made->control_port, 15012);
  const auto gateway = Environment::read(Role::kRouter, "shop.svc.example.org", good());
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->node_id(), "router~10.0.0.7~reviews-1.shop~shop.svc.example.org");
}

TEST(Environment, names_the_variable_that_is_missing_or_wrong) {
  for (const char* name : {"POD_NAME", "POD_NAMESPACE", "INSTANCE_IP", "CA_ADDR"}) {
    Variables all = good();
    all.erase(name);
    const auto made = Environment::read(Role::kSidecar, "", all);
    ASSERT_FALSE(made) << name;
    EXPECT_NE(made.error().text.find(std::string(name) + ": is missing"), std::string::npos)
        << made.error().text;
  }
  EXPECT_NE(rejection("INSTANCE_IP", "10.0.0").find("INSTANCE_IP: \"10.0.0\""), std::string::npos);
  EXPECT_NE(rejection("CA_ADDR", "weft-control").find("has to be host:port"), std::string::npos);
  EXPECT_NE(rejection("CA_ADDR", "a:70000").find("has to be host:port"), std::string::npos);
  EXPECT_NE(rejection("POD_NAME", "a~b").find("POD_NAME"), std::string::npos);
  EXPECT_NE(rejection("ISTIO_META_POD_PORTS", "{").find("ISTIO_META_POD_PORTS"), std::string::npos);
  EXPECT_NE(rejection("ISTIO_META_INTERCEPTION_MODE", "MAGIC").find("REDIRECT, TPROXY or NONE"),
            std::string::npos);
  EXPECT_NE(rejection("MINIMUM_DRAIN_DURATION", "soon").find("MINIMUM_DRAIN_DURATION"), std::string::npos);
  EXPECT_NE(rejection("PROXY_CONFIG", "[]").find("PROXY_CONFIG"), std::string::npos);
  EXPECT_NE(rejection("PROXY_CONFIG", R"({"concurrency":-1})").find("PROXY_CONFIG: concurrency: -1"),
            std::string::npos);
  EXPECT_NE(rejection("PROXY_CONFIG", R"({"drainDuration":"x"})").find("drainDuration"), std::string::npos);
}

TEST(Environment, takes_times_and_variables_from_the_proxy_s_configuration) {
  Variables all = good();
  all["PROXY_CONFIG"] =
      R"({"concurrency":3,"drainDuration":"20s","terminationDrainDuration":"2s","statusPort":15999,
          "holdApplicationUntilProxyStarts":true,"tracing":{},
          "proxyMetadata":{"ISTIO_META_TEAM":"blue","EXIT_ON_ZERO_ACTIVE_CONNECTIONS":"true","POD_NAME":"not-so"}})";
  auto made = Environment::read(Role::kSidecar, "", all);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->proxy_config.concurrency, 3u);
  EXPECT_EQ(made->proxy_config.drain, 20s);
  EXPECT_EQ(made->proxy_config.termination_drain, 2s);
  EXPECT_EQ(made->proxy_config.status_port, 15999);
  EXPECT_EQ(made->proxy_config.ignored, std::vector<std::string>{"tracing"});
  EXPECT_EQ(made->metadata.value("TEAM", ""), "blue");
  EXPECT_TRUE(made->wait_for_connections);
  EXPECT_EQ(made->pod, "reviews-1") << "the container's own variables go before";
  all["MINIMUM_DRAIN_DURATION"] = "700ms";
  made = Environment::read(Role::kSidecar, "", all);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->proxy_config.termination_drain, 700ms);
}

TEST(Bootstrap, tells_the_control_plane_labels_and_metadata) {
  const auto environment = Environment::read(Role::kSidecar, "", good());
  ASSERT_TRUE(environment);
  const auto made =
      make_bootstrap(*environment, parse_pod_info("app=\"reviews\"\nversion=\"v1\"\nnonsense\n"), 15000);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->admin->to_string(), "127.0.0.1:15000");
  EXPECT_EQ(made->node_cluster, "reviews.shop");
  ASSERT_TRUE(made->ads);
  EXPECT_TRUE(made->ads->clusters && made->ads->listeners);
  envoy::config::core::v3::Node node;
  ASSERT_TRUE(node.ParseFromString(made->node));
  const auto& fields = node.metadata().fields();
  EXPECT_EQ(fields.at("LABELS").struct_value().fields().at("version").string_value(), "v1");
  EXPECT_EQ(fields.at("NAMESPACE").string_value(), "shop");
  EXPECT_EQ(fields.at("SERVICE_ACCOUNT").string_value(), "reviewer");
  EXPECT_EQ(fields.at("WORKLOAD_NAME").string_value(), "reviews");
  // istiod reads a text that holds JSON here, and ends the stream of a node that sends a list.
  EXPECT_EQ(fields.at("POD_PORTS").string_value(), R"([{"containerPort":9080}])");
}

TEST(PodInfo, reads_the_downward_api_and_the_cpu_limit) {
  const auto info = parse_pod_info("a/b=\"with \\\"quotes\\\" and \\\\\"\n=\"x\"\nlast=\"l\\n\"");
  ASSERT_EQ(info.size(), 2u);
  EXPECT_EQ(info.at("a/b"), "with \"quotes\" and \\");
  EXPECT_EQ(info.at("last"), "l\n");
  EXPECT_EQ(cpu_limit("150000 100000\n"), 2u);
  EXPECT_EQ(cpu_limit("50000 100000"), 1u);
  EXPECT_EQ(cpu_limit("max 100000"), std::nullopt);
  EXPECT_EQ(cpu_limit("nonsense"), std::nullopt);
  EXPECT_EQ(worker_count({}, {}, 8), 2u);
  EXPECT_EQ(worker_count({}, 1, 8), 1u);
  EXPECT_EQ(worker_count({}, 4, 1), 1u);
  EXPECT_EQ(worker_count(5, 1, 8), 5u);
  EXPECT_EQ(worker_count(0, 1, 8), 8u) << "0 asks for one on each processor";
}

}  // namespace
}  // namespace weft::pod
