#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

using HttpOptions = envoy::extensions::upstreams::http::v3::HttpProtocolOptions;

constexpr std::string_view kService =
    "apiVersion: v1\nkind: Service\nmetadata: {name: go, namespace: default}\n"
    "spec: {selector: {app: go}, clusterIP: 10.96.0.10, ports: [";

std::string rule(std::string_view http) {
  return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: go, namespace: "
         "default}\nspec: {host: go, trafficPolicy: {connectionPool: {http: {" +
         std::string(http) + "}}}}\n";
}

/// Of a cluster that a proxy beside the pod has: "1", "2", "client's", and the most streams at once.
std::string spoken(const std::string& yaml, const std::string& cluster_name,
                   ProxyIdentity::Kind kind = ProxyIdentity::Kind::kSidecar) {
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, testing::objects(yaml))));
  const auto set = translate(push, {kind, "default", "go-1", "default", {{"app", "go"}}});
  const ResourcePtr& found = set[Type::kCluster].find(cluster_name);
  if (!found) return "no cluster " + cluster_name;
  cluster::Cluster made;
  EXPECT_TRUE(made.ParseFromString(found->message()));
  HttpOptions options;
  for (const auto& [name, any] : made.typed_extension_protocol_options())
    EXPECT_TRUE(any.UnpackTo(&options)) << name;
  const bool both = options.has_use_downstream_protocol_config();
  const auto& http2 = both ? options.use_downstream_protocol_config().http2_protocol_options()
                           : options.explicit_http_config().http2_protocol_options();
  std::string text = both                                                          ? "client's"
                     : options.explicit_http_config().has_http2_protocol_options() ? "2"
                                                                                   : "1";
  if (http2.has_max_concurrent_streams())
    text += " streams " + std::to_string(http2.max_concurrent_streams().value());
  if (options.common_http_protocol_options().has_idle_timeout()) text += " idle";
  return text;
}

std::string spoken_at(std::string_view port, std::string_view policy = {},
                      ProxyIdentity::Kind kind = ProxyIdentity::Kind::kSidecar) {
  const std::string service = std::string(kService) + "{" + std::string(port) + ", port: 7000}]}\n";
  return spoken(service + (policy.empty() ? "" : rule(policy)), "outbound|7000||go.default.svc.cluster.local",
                kind);
}

TEST(Spoken, at_a_gateway_is_not_what_the_client_speaks_where_a_port_declares_nothing) {
  const std::tuple<const char*, const char*, const char*> kRows[] = {
      {"name: x", "", "1"},
      {"name: x", "h2UpgradePolicy: UPGRADE", "2"},
      {"name: x", "useClientProtocol: true", "client's"},
      {"name: http2", "", "2"}};
  for (const auto& [port, policy, version] : kRows)
    EXPECT_EQ(spoken_at(port, policy, ProxyIdentity::Kind::kGateway), version) << port << " " << policy;
}

TEST(Spoken, is_what_a_port_declares_and_what_the_client_speaks_where_it_declares_nothing) {
  const std::pair<const char*, const char*> kRows[] = {{"name: http", "1"},
                                                       {"name: http2", "2"},
                                                       {"name: grpc-api", "2"},
                                                       {"name: grpc-web", "2"},
                                                       {"name: x, appProtocol: kubernetes.io/h2c", "2"},
                                                       {"name: x", "client's"},
                                                       {"name: redis", "1"}};
  for (const auto& [port, version] : kRows) EXPECT_EQ(spoken_at(port), version) << port;
}

TEST(Spoken, is_what_a_rule_says_where_it_says_anything) {
  struct Row {
    const char *port, *policy, *version;
  };
  for (const Row& row : {
           Row{"name: http", "h2UpgradePolicy: UPGRADE", "2"},
           Row{"name: http", "h2UpgradePolicy: DO_NOT_UPGRADE", "1"},
           Row{"name: http", "h2UpgradePolicy: DEFAULT", "1"},
           Row{"name: x", "h2UpgradePolicy: UPGRADE", "client's"},
           Row{"name: grpc", "h2UpgradePolicy: DO_NOT_UPGRADE", "2"},
           Row{"name: http", "useClientProtocol: true", "client's"},
           Row{"name: http", "useClientProtocol: true, h2UpgradePolicy: UPGRADE", "client's"},
           Row{"name: http", "useClientProtocol: false", "1"},
           Row{"name: grpc", "maxConcurrentStreams: 7", "2 streams 7"},
           Row{"name: x", "maxConcurrentStreams: 7", "client's streams 7"},
           Row{"name: http", "maxConcurrentStreams: 7", "1"},
           Row{"name: http", "maxConcurrentStreams: 7, h2UpgradePolicy: UPGRADE", "2 streams 7"},
           Row{"name: grpc", "idleTimeout: 5s", "2 idle"},
           Row{"name: http", "idleTimeout: 5s", "1 idle"},
       })
    EXPECT_EQ(spoken_at(row.port, row.policy), row.version) << row.port << " " << row.policy;
}

TEST(Spoken, a_subset_s_pool_takes_the_place_of_its_host_s) {
  struct Row {
    const char *host, *subset, *version;
  };
  for (const Row& row : {
           Row{"idleTimeout: 5s", "h2UpgradePolicy: UPGRADE", "2"},
           Row{"h2UpgradePolicy: UPGRADE", "h2UpgradePolicy: DO_NOT_UPGRADE", "1"},
           Row{"useClientProtocol: true", "useClientProtocol: false", "1"},
           Row{"maxConcurrentStreams: 7", "h2UpgradePolicy: UPGRADE", "2"},
           Row{"h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 7", "useClientProtocol: true", "client's"},
           Row{"h2UpgradePolicy: UPGRADE", "idleTimeout: 5s", "1 idle"},
       }) {
    const std::string yaml =
        std::string(kService) +
        "{name: http, port: 7000}]}\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        "metadata: {name: go, namespace: default}\nspec: {host: go, trafficPolicy: {connectionPool: {http: "
        "{" +
        row.host +
        "}}}, subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {http: {" +
        row.subset + "}}}}]}\n";
    EXPECT_EQ(spoken(yaml, "outbound|7000|v1|go.default.svc.cluster.local"), row.version)
        << row.host << "; " << row.subset;
  }
}

TEST(Spoken, upgrades_may_pass_where_http_2_is_spoken) {
  const std::string yaml = std::string(kService) + "{name: grpc, port: 7000}]}\n";
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, testing::objects(yaml))));
  const auto set =
      translate(push, {ProxyIdentity::Kind::kSidecar, "default", "go-1", "default", {{"app", "go"}}});
  cluster::Cluster made;
  ASSERT_TRUE(made.ParseFromString(
      set[Type::kCluster].find("outbound|7000||go.default.svc.cluster.local")->message()));
  HttpOptions options;
  ASSERT_TRUE(made.typed_extension_protocol_options().begin()->second.UnpackTo(&options));
  EXPECT_TRUE(options.explicit_http_config().http2_protocol_options().allow_connect());
}

TEST(Spoken, with_the_application_is_what_its_port_declares_whatever_rules_say_of_calls_to_it) {
  const auto inbound = [](std::string_view port, std::string_view policy) {
    const std::string service = std::string(kService) + "{" + std::string(port) + ", port: 7000}]}\n";
    return spoken(service + (policy.empty() ? "" : rule(policy)), inbound_cluster(7000));
  };
  EXPECT_EQ(inbound("name: http", "h2UpgradePolicy: UPGRADE"), "1");
  EXPECT_EQ(inbound("name: grpc", ""), "2");
  EXPECT_EQ(inbound("name: x", ""), "client's");
}

TEST(Spoken, with_destinations_outside_of_the_mesh_is_what_the_client_speaks) {
  const std::string yaml = std::string(kService) + "{name: http, port: 7000}]}\n";
  EXPECT_EQ(spoken(yaml, "PassthroughCluster"), "client's");
  EXPECT_EQ(spoken(yaml, "InboundPassthroughCluster"), "client's");
}

}  // namespace
}  // namespace weft::control
