#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/strings.h"
#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/object_check.h"
#include "control/translation/proof.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

constexpr std::string_view kHost = "outbound|9092||kafka.default.svc.cluster.local";
constexpr std::string_view kSubset = "outbound|9092|v1|kafka.default.svc.cluster.local";
constexpr std::array<const char*, 6> kBalancers = {"UNSPECIFIED",   "ROUND_ROBIN", "RANDOM",
                                                   "LEAST_REQUEST", "LEAST_CONN",  "PASSTHROUGH"};

std::string kafka(std::string_view ip) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: kafka, namespace: default}\nspec: {clusterIP: " +
         std::string(ip) + ", selector: {app: kafka}, ports: [{name: tcp, port: 9092}]}\n";
}

/// With the trafficPolicy of a host, and that of its subset v1; an empty one is not written.
std::string rule(const std::string& host, const std::string& subset) {
  const auto policy = [](const std::string& text) {
    return text.empty() ? std::string() : ", trafficPolicy: {" + text + "}";
  };
  return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: all, namespace: "
         "default}\nspec: {host: '*.default.svc.cluster.local'" +
         policy(host) + ", subsets: [{name: v1, labels: {version: v1}" + policy(subset) + "}]}\n";
}

std::string balanced(std::string_view by) {
  return by.empty() ? "" : "loadBalancer: {simple: " + std::string(by) + "}";
}

/// As a sidecar is to have it, whether or not it would accept it.
cluster::Cluster cluster_of(const std::string& yaml, std::string_view name) {
  const PushContext push(
      std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, testing::objects(yaml))));
  const auto set =
      translate(push, {ProxyIdentity::Kind::kSidecar, "default", "a-1", "default", {{"app", "a"}}});
  const ResourcePtr& found = set[Type::kCluster].find(name);
  EXPECT_TRUE(found) << name;
  cluster::Cluster made;
  if (found) EXPECT_TRUE(made.ParseFromString(found->message()));
  return made;
}

std::string shape(const cluster::Cluster& made) {
  const auto complaints = complaints_of(Type::kCluster, serialize(made));
  return cluster::Cluster::DiscoveryType_Name(made.type()) + " " +
         cluster::Cluster::LbPolicy_Name(made.lb_policy()) +
         (complaints.empty() ? "" : ", rejected: " + complaints.front());
}

TEST(Clusters, of_a_headless_service_go_where_they_are_asked_for_whatever_balancer_a_rule_names) {
  for (const char* by : kBalancers) {
    for (const std::string_view name : {kHost, kSubset})
      EXPECT_EQ(shape(cluster_of(kafka("None") + rule(balanced(by), ""), name)),
                "ORIGINAL_DST CLUSTER_PROVIDED")
          << by << " for " << name;
    EXPECT_EQ(shape(cluster_of(kafka("None") + rule("", balanced(by)), kSubset)),
              "ORIGINAL_DST CLUSTER_PROVIDED")
        << by;
  }
}

TEST(Clusters, of_a_subset_are_balanced_as_the_subset_says_else_as_its_host_says) {
  struct Row {
    const char *host, *subset, *shape;
  };
  for (const Row& row : {
           Row{"", "", "EDS LEAST_REQUEST"},
           Row{"RANDOM", "", "EDS RANDOM"},
           Row{"", "RANDOM", "EDS RANDOM"},
           Row{"RANDOM", "ROUND_ROBIN", "EDS ROUND_ROBIN"},
           Row{"RANDOM", "UNSPECIFIED", "EDS LEAST_REQUEST"},
           Row{"ROUND_ROBIN", "PASSTHROUGH", "ORIGINAL_DST CLUSTER_PROVIDED"},
           Row{"PASSTHROUGH", "", "ORIGINAL_DST CLUSTER_PROVIDED"},
           Row{"PASSTHROUGH", "ROUND_ROBIN", "EDS ROUND_ROBIN"},
       })
    EXPECT_EQ(shape(cluster_of(kafka("10.96.0.9") + rule(balanced(row.host), balanced(row.subset)), kSubset)),
              row.shape)
        << row.host << "; " << row.subset;
}

TEST(Clusters, of_a_subset_have_its_pool_in_the_place_of_their_host_s_as_a_whole) {
  const auto limits = [](const std::string& host, const std::string& subset) {
    const cluster::Cluster made = cluster_of(kafka("10.96.0.9") + rule(host, subset), kSubset);
    const auto& all = made.circuit_breakers().thresholds(0);
    const auto shown = [](std::uint32_t number) {
      return number == std::numeric_limits<std::uint32_t>::max() ? "any" : std::to_string(number);
    };
    return shown(all.max_connections().value()) + " connections, " + shown(all.max_requests().value()) +
           " requests, connect in " + std::to_string(made.connect_timeout().seconds()) + " s";
  };
  const std::string host =
      "connectionPool: {tcp: {maxConnections: 7, connectTimeout: 2s}, http: {http2MaxRequests: 8}}";
  EXPECT_EQ(limits(host, ""), "7 connections, 8 requests, connect in 2 s");
  EXPECT_EQ(limits(host, balanced("RANDOM")), "7 connections, 8 requests, connect in 2 s");
  EXPECT_EQ(limits(host, "connectionPool: {tcp: {maxConnections: 9}}"),
            "9 connections, any requests, connect in 10 s");
  EXPECT_EQ(limits(host, "connectionPool: {http: {http2MaxRequests: 9}}"),
            "any connections, 9 requests, connect in 10 s");
}

TEST(Clusters, of_every_balancer_at_a_host_and_a_subset_pass_the_check_of_their_rule) {
  for (const std::string host : kBalancers)
    for (const std::string subset : kBalancers) {
      const auto objects = testing::objects(rule(balanced(host), balanced(subset)));
      for (const api::Finding& each : check_object(*objects.front()))
        ADD_FAILURE() << host << " and " << subset << ": " << each.at << " " << each.text;
    }
}

}  // namespace
}  // namespace weft::control
