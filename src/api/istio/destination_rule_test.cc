#include "api/istio/destination_rule.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::istio {
namespace {

using namespace std::chrono_literals;

TrafficPolicy policy(std::string_view yaml) {
  const DestinationRule made =
      read_destination_rule(testing::spec("trafficPolicy: {" + std::string(yaml) + "}"));
  EXPECT_TRUE(made.policy) << yaml;
  return made.policy.value_or(TrafficPolicy());
}

TEST(DestinationRuleReading, a_policy_says_how_to_balance_and_what_pools_hold) {
  const TrafficPolicy made = policy(R"(loadBalancer: {simple: RANDOM},
    connectionPool: {tcp: {maxConnections: 7, connectTimeout: 2s},
                     http: {http1MaxPendingRequests: 1, http2MaxRequests: 2, maxRequestsPerConnection: 0, maxRetries: 4,
                            idleTimeout: 0s, h2UpgradePolicy: UPGRADE, useClientProtocol: true, maxConcurrentStreams: 5}})");
  EXPECT_EQ(made.balancer, Balancer::kRandom);
  ASSERT_TRUE(made.pool);
  EXPECT_EQ(made.pool->tcp.max_connections, 7u);
  EXPECT_EQ(made.pool->tcp.connect_timeout, 2s);
  EXPECT_EQ(made.pool->http.http1_max_pending_requests, 1u);
  EXPECT_EQ(made.pool->http.http2_max_requests, 2u);
  EXPECT_EQ(made.pool->http.max_requests_per_connection, 0u) << "0 is said, and not absent";
  EXPECT_EQ(made.pool->http.max_retries, 4u);
  EXPECT_EQ(made.pool->http.idle_timeout, 0ms);
  EXPECT_EQ(made.pool->http.h2_upgrade_policy, UpgradePolicy::kUpgrade);
  EXPECT_EQ(made.pool->http.use_client_protocol, true);
  EXPECT_EQ(made.pool->http.max_concurrent_streams, 5u);
}

TEST(DestinationRuleReading, what_is_absent_or_wrong_is_absent) {
  const struct {
    const char* policy;
    std::optional<Balancer> balancer;
  } rows[] = {{"loadBalancer: {simple: LEAST_CONN}", Balancer::kLeastRequest},
              {"loadBalancer: {simple: UNSPECIFIED}", Balancer::kUnspecified},
              {"loadBalancer: {simple: FASTEST}", Balancer::kUnspecified},
              {"loadBalancer: {consistentHash: {}}", Balancer::kUnspecified},
              {"loadBalancer: RANDOM", std::nullopt},
              {"connectionPool: {tcp: {maxConnections: many, connectTimeout: soon}, http: 5}", std::nullopt},
              {"connectionPool: [1]", std::nullopt}};
  for (const auto& row : rows) {
    const TrafficPolicy made = policy(row.policy);
    EXPECT_EQ(made.balancer, row.balancer) << row.policy;
    const ConnectionPool pool = made.pool.value_or(ConnectionPool());
    EXPECT_FALSE(pool.tcp.max_connections || pool.tcp.connect_timeout || pool.http.max_retries) << row.policy;
  }
}

TEST(DestinationRuleReading, a_block_that_says_nothing_is_there_all_the_same) {
  const TrafficPolicy empty = policy("loadBalancer: {}, connectionPool: {}");
  EXPECT_EQ(empty.balancer, Balancer::kUnspecified);
  EXPECT_TRUE(empty.pool);
  const TrafficPolicy other = policy("tls: {mode: DISABLE}");
  EXPECT_FALSE(other.balancer || other.pool);
}

TEST(DestinationRuleReading, a_policy_that_says_nothing_is_none) {
  for (const char* none : {"{}", "{trafficPolicy: {}}", "{trafficPolicy: null}", "{trafficPolicy: 5}"})
    EXPECT_FALSE(read_destination_rule(testing::spec(none)).policy) << none;
  EXPECT_TRUE(read_destination_rule(testing::spec("{trafficPolicy: {outlierDetection: {}}}")).policy)
      << "what is not done is still the policy of this host";
}

TEST(DestinationRuleReading, tls_is_known_by_port) {
  const struct {
    const char* policy;
    std::optional<ClientTls> at_80, at_81;
  } rows[] = {
      {"tls: {mode: SIMPLE}", ClientTls::kSimple, ClientTls::kSimple},
      {"tls: {mode: DISABLE}", ClientTls::kDisable, ClientTls::kDisable},
      {"tls: {mode: ISTIO_MUTUAL}", ClientTls::kIstioMutual, ClientTls::kIstioMutual},
      {"tls: {mode: QUANTUM}", ClientTls::kOther, ClientTls::kOther},
      {"tls: {sni: a}", std::nullopt, std::nullopt},
      {"tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 80}, tls: {mode: MUTUAL}}]",
       ClientTls::kMutual, ClientTls::kSimple},
      {"tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 80}}]", std::nullopt, ClientTls::kSimple},
      {"portLevelSettings: [5, {port: 80, tls: {mode: MUTUAL}}]", std::nullopt, std::nullopt}};
  for (const auto& row : rows) {
    EXPECT_EQ(policy(row.policy).tls_at(80), row.at_80) << row.policy;
    EXPECT_EQ(policy(row.policy).tls_at(81), row.at_81) << row.policy;
  }
}

TEST(DestinationRuleReading, subsets_have_a_name_labels_and_a_place) {
  const Parsed parsed = testing::file("networking.istio.io/v1", "DestinationRule", R"(  host: Reviews
  exportTo: ['.']
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
    trafficPolicy: {loadBalancer: {simple: RANDOM}}
)");
  const DestinationRule made = read_destination_rule(parsed.objects[0].spec());
  EXPECT_EQ(made.host, "Reviews");
  EXPECT_FALSE(made.exported);
  ASSERT_EQ(made.subsets.size(), 2u);
  EXPECT_EQ(made.subsets[0].name, "v1");
  EXPECT_EQ(made.subsets[0].labels, (Labels{{"version", "v1"}}));
  EXPECT_FALSE(made.subsets[0].policy);
  EXPECT_EQ(made.subsets[1].policy->balancer, Balancer::kRandom);
  EXPECT_EQ(parsed.origins[0].place(made.subsets[1].where.to_string()), "f.yaml:10");
}

TEST(DestinationRuleReading, nothing_is_made_of_what_is_no_rule_at_all) {
  const DestinationRule made = read_destination_rule(testing::spec("{host: 5, subsets: [7, {name: v2}]}"));
  EXPECT_EQ(made.host, "");
  ASSERT_EQ(made.subsets.size(), 2u) << "places stay what they are";
  EXPECT_EQ(made.subsets[1].where.to_string(), "spec.subsets[1]");
  EXPECT_TRUE(read_destination_rule(Json()).subsets.empty());
}

}  // namespace
}  // namespace weft::api::istio
