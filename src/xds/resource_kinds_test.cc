#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/resource.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using testing::parsed;

std::string error_of(Type type, const std::string& bytes) {
  const auto made = decode(type, bytes);
  return made ? "none" : made.error().text;
}

TEST(ResourceKinds, have_envoy_s_type_urls_and_short_names) {
  EXPECT_EQ(type_url(Type::kCluster), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_EQ(type_url(Type::kEndpoint), "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment");
  EXPECT_EQ(type_url(Type::kListener), "type.googleapis.com/envoy.config.listener.v3.Listener");
  EXPECT_EQ(type_url(Type::kRoute), "type.googleapis.com/envoy.config.route.v3.RouteConfiguration");
  EXPECT_EQ(short_name(Type::kCluster), "CDS");
  EXPECT_EQ(short_name(Type::kEndpoint), "EDS");
  EXPECT_EQ(short_name(Type::kListener), "LDS");
  EXPECT_EQ(short_name(Type::kRoute), "RDS");
}

TEST(ResourceKinds, a_name_is_read_also_of_bytes_that_break_off_behind_it) {
  for (const Type type : kAllTypes) {
    // Field 1 of every kind but the endpoints' own is the name; theirs is the cluster's.
    const std::string named("\x0a\x01n", 3);
    EXPECT_EQ(name_in(type, named), "n");
    EXPECT_EQ(name_in(type, named + "\xff"), "n") << short_name(type);
    EXPECT_EQ(name_in(type, ""), "");
  }
}

TEST(ResourceKinds, bytes_that_are_no_message_or_have_no_name_are_errors) {
  EXPECT_EQ(error_of(Type::kCluster, "\xff"), "the bytes are no envoy.config.cluster.v3.Cluster");
  EXPECT_EQ(error_of(Type::kEndpoint, "\xff"),
            "the bytes are no envoy.config.endpoint.v3.ClusterLoadAssignment");
  EXPECT_EQ(error_of(Type::kListener, "\xff"), "the bytes are no envoy.config.listener.v3.Listener");
  EXPECT_EQ(error_of(Type::kRoute, "\xff"), "the bytes are no envoy.config.route.v3.RouteConfiguration");
  EXPECT_EQ(error_of(Type::kCluster, ""), "name: is missing");
  EXPECT_EQ(error_of(Type::kEndpoint, ""), "cluster_name: is missing");
  EXPECT_EQ(error_of(Type::kListener, ""), "name: is missing");
  EXPECT_EQ(error_of(Type::kRoute, ""), "name: is missing");
}

TEST(ResourceKinds, each_becomes_its_struct_and_keeps_its_bytes_and_what_it_waits_for) {
  const auto decoded = [](Type type, const google::protobuf::Message& message) {
    const std::string bytes = message.SerializeAsString();
    auto made = decode(type, bytes);
    EXPECT_TRUE(made) << made.error().text;
    EXPECT_EQ((*made)->name(), "n");
    EXPECT_EQ((*made)->message(), bytes);
    EXPECT_EQ((*made)->version(), "");
    EXPECT_TRUE((*made)->rejected.empty());
    return *made;
  };
  const auto eds = decoded(
      Type::kCluster, parsed<cluster::Cluster>("name: 'n' type: EDS eds_cluster_config { eds_config { ads "
                                               "{} } service_name: 'e' }"));
  EXPECT_EQ(eds->as<proxy::ClusterConfig>()->eds_name, "e");
  ASSERT_EQ(eds->needs.size(), 1u);
  EXPECT_EQ(eds->needs[0].name, "e");
  EXPECT_EQ(decoded(Type::kEndpoint, parsed<endpoint::ClusterLoadAssignment>("cluster_name: 'n'"))
                ->as<proxy::Endpoints>()
                ->name,
            "n");
  EXPECT_EQ(
      decoded(Type::kRoute, parsed<route::RouteConfiguration>("name: 'n'"))->as<proxy::RouteTable>()->name,
      "n");
  const auto listener = decoded(
      Type::kListener,
      parsed<listener::Listener>(
          "name: 'n' address { pipe { path: '/p' } } filter_chains { filters { typed_config { "
          "[type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy] { stat_prefix: 's' "
          "cluster: 'c' } } } } per_connection_buffer_limit_bytes { value: 1 }"));
  EXPECT_EQ(listener->as<proxy::ListenerConfig>()->name, "n");
  EXPECT_EQ(listener->left_out, std::vector<std::string>{"per_connection_buffer_limit_bytes: less than 16384 "
                                                         "bytes are not supported"});
}

}  // namespace
}  // namespace weft::xds
