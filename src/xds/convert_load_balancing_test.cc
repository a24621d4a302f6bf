#include <gtest/gtest.h>

#include "xds/convert.h"

namespace weft::xds {
namespace {

using proxy::Health;

cluster::Cluster named_cluster() {
  cluster::Cluster made;
  made.set_name("c");
  return made;
}

endpoint::ClusterLoadAssignment named_assignment() {
  endpoint::ClusterLoadAssignment made;
  made.set_cluster_name("c");
  return made;
}

void add_endpoint(endpoint::LocalityLbEndpoints& locality, const std::string& address) {
  auto& socket =
      *locality.add_lb_endpoints()->mutable_endpoint()->mutable_address()->mutable_socket_address();
  socket.set_address(address);
  socket.set_port_value(80);
}

/// Error text, or "" when it is taken.
template <class Message>
std::string error_of(Type type, const Message& message) {
  const auto made = decode(type, message.SerializeAsString());
  return made ? std::string() : made.error().text;
}

TEST(ConvertCluster, panic_threshold_and_locality_weights_are_what_common_lb_config_says) {
  const auto converted = [](const cluster::Cluster& from) {
    const auto made = decode(Type::kCluster, from.SerializeAsString());
    EXPECT_TRUE(made) << made.error().text;
    EXPECT_TRUE((*made)->left_out.empty());
    return *(*made)->as<proxy::ClusterConfig>();
  };
  cluster::Cluster from = named_cluster();
  EXPECT_EQ(converted(from).panic_threshold_percent, 50u);
  EXPECT_FALSE(converted(from).locality_weights);
  auto& common = *from.mutable_common_lb_config();
  EXPECT_EQ(converted(from).panic_threshold_percent, 50u) << "{} says nothing";
  common.mutable_healthy_panic_threshold();
  EXPECT_EQ(converted(from).panic_threshold_percent, 0u) << "what istiod sends, to switch panic off";
  common.mutable_healthy_panic_threshold()->set_value(19.5);
  common.mutable_locality_weighted_lb_config();
  EXPECT_EQ(converted(from).panic_threshold_percent, 20u);
  EXPECT_TRUE(converted(from).locality_weights);
}

TEST(ConvertCluster, a_panic_threshold_that_is_no_percentage_is_an_error) {
  for (const double percent :
       {-0.1, 100.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    cluster::Cluster from = named_cluster();
    from.mutable_common_lb_config()->mutable_healthy_panic_threshold()->set_value(percent);
    EXPECT_EQ(error_of(Type::kCluster, from),
              "common_lb_config.healthy_panic_threshold: has to be from 0 to 100");
  }
}

TEST(ConvertCluster, what_is_not_done_of_common_lb_config_is_left_out_by_name_and_an_error_in_a_bootstrap) {
  const std::pair<int, std::string> kFields[] = {{2, "zone_aware_lb_config"},
                                                 {4, "update_merge_window"},
                                                 {5, "ignore_new_hosts_until_first_hc"},
                                                 {6, "close_connections_on_host_set_change"},
                                                 {7, "consistent_hashing_lb_config"},
                                                 {8, "override_host_status"}};
  for (const auto& [number, name] : kFields) {
    cluster::Cluster from = named_cluster();
    auto& common = *from.mutable_common_lb_config();
    common.GetReflection()->MutableUnknownFields(&common)->AddLengthDelimited(number, "");
    const auto made = decode(Type::kCluster, from.SerializeAsString());
    ASSERT_TRUE(made) << made.error().text;
    const std::string text = "common_lb_config." + name + ": is not supported";
    EXPECT_EQ((*made)->left_out, std::vector<std::string>{text});
    Conversion strict(true);
    const auto examined = strict.examine(from, Path());
    ASSERT_FALSE(examined);
    EXPECT_EQ(examined.error().text, text);
  }
}

TEST(ConvertEndpoints, localities_keep_their_weight_priority_and_order) {
  endpoint::ClusterLoadAssignment from = named_assignment();
  for (const std::uint32_t weight : {80u, 20u, 0u}) {
    auto& locality = *from.add_endpoints();
    locality.mutable_locality()->set_zone("z" + std::to_string(weight));
    locality.set_priority(weight / 80);
    if (weight) locality.mutable_load_balancing_weight()->set_value(weight);
    add_endpoint(locality, "10.0.0.1");
  }
  from.mutable_policy()->mutable_overprovisioning_factor()->set_value(200);
  const auto made = decode(Type::kEndpoint, from.SerializeAsString());
  ASSERT_TRUE(made) << made.error().text;
  const auto endpoints = (*made)->as<proxy::Endpoints>();
  EXPECT_EQ(endpoints->overprovisioning_percent, 200u);
  ASSERT_EQ(endpoints->localities.size(), 3u);
  EXPECT_EQ(endpoints->localities[0].weight, 80u);
  EXPECT_EQ(endpoints->localities[0].priority, 1u);
  EXPECT_EQ(endpoints->localities[1].weight, 20u);
  EXPECT_EQ(endpoints->localities[2].weight, 0u) << "without one";
}

TEST(ConvertEndpoints, each_health_that_a_control_plane_can_send_is_kept_apart) {
  const std::pair<core::HealthStatus, Health> kRows[] = {
      {core::UNKNOWN, Health::kHealthy},     {core::HEALTHY, Health::kHealthy},
      {core::UNHEALTHY, Health::kUnhealthy}, {core::TIMEOUT, Health::kUnhealthy},
      {core::DRAINING, Health::kDraining},   {core::DEGRADED, Health::kDegraded}};
  for (const auto& [sent, health] : kRows) {
    endpoint::ClusterLoadAssignment from = named_assignment();
    add_endpoint(*from.add_endpoints(), "10.0.0.1");
    from.mutable_endpoints(0)->mutable_lb_endpoints(0)->set_health_status(sent);
    const auto made = decode(Type::kEndpoint, from.SerializeAsString());
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ((*made)->as<proxy::Endpoints>()->localities[0].endpoints[0].health, health) << sent;
  }
}

TEST(ConvertEndpoints, weights_and_factors_of_0_are_errors_and_what_is_not_done_of_the_policy_is_left_out) {
  endpoint::ClusterLoadAssignment weightless = named_assignment();
  weightless.add_endpoints()->mutable_load_balancing_weight();
  EXPECT_EQ(error_of(Type::kEndpoint, weightless),
            "endpoints[0].load_balancing_weight: has to be at least 1");
  endpoint::ClusterLoadAssignment factorless = named_assignment();
  factorless.mutable_policy()->mutable_overprovisioning_factor();
  EXPECT_EQ(error_of(Type::kEndpoint, factorless), "policy.overprovisioning_factor: has to be at least 1");
  const std::pair<int, std::string> kFields[] = {
      {2, "drop_overloads"}, {4, "endpoint_stale_after"}, {6, "weighted_priority_health"}};
  for (const auto& [number, name] : kFields) {
    endpoint::ClusterLoadAssignment from = named_assignment();
    auto& policy = *from.mutable_policy();
    policy.GetReflection()->MutableUnknownFields(&policy)->AddLengthDelimited(number, "");
    const auto made = decode(Type::kEndpoint, from.SerializeAsString());
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ((*made)->left_out, std::vector<std::string>{"policy." + name + ": is not supported"});
  }
}

TEST(ConvertCluster, names_keep_locality_weight_and_priority_and_the_factor_of_their_policy) {
  cluster::Cluster from = named_cluster();
  from.set_type(cluster::Cluster::STRICT_DNS);
  auto& assignment = *from.mutable_load_assignment();
  assignment.mutable_policy()->mutable_overprovisioning_factor()->set_value(100);
  for (const std::uint32_t weight : {3u, 1u}) {
    auto& locality = *assignment.add_endpoints();
    locality.mutable_load_balancing_weight()->set_value(weight);
    locality.set_priority(weight / 3);
    add_endpoint(locality, "one.example");
    add_endpoint(locality, "two.example");
  }
  const auto made = decode(Type::kCluster, from.SerializeAsString());
  ASSERT_TRUE(made) << made.error().text;
  const auto config = (*made)->as<proxy::ClusterConfig>();
  EXPECT_EQ(config->dns_overprovisioning_percent, 100u);
  ASSERT_EQ(config->dns_hosts.size(), 4u);
  EXPECT_EQ(config->dns_hosts[1].locality, 0u);
  EXPECT_EQ(config->dns_hosts[1].locality_weight, 3u);
  EXPECT_EQ(config->dns_hosts[1].priority, 1u);
  EXPECT_EQ(config->dns_hosts[2].locality, 1u);
  EXPECT_EQ(config->dns_hosts[2].locality_weight, 1u);
}

}  // namespace
}  // namespace weft::xds
