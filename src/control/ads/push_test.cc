#include "control/ads/push.h"

#include <gtest/gtest.h>

#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"

namespace weft::control {
namespace {

using Response = envoy::service::discovery::v3::DiscoveryResponse;

ResourcePtr resource(std::string name, std::string bytes) {
  return std::make_shared<const Resource>(Resource{std::move(name), std::move(bytes)});
}

ResourceTablePtr table(std::initializer_list<ResourcePtr> resources) {
  return std::make_shared<const ResourceTable>(resources);
}

Response decoded(const EncodedPush& push) {
  Response response;
  EXPECT_TRUE(response.ParseFromString(push.own + *push.resources));
  return response;
}

TEST(PushEncoder, makes_one_message_of_what_is_the_proxys_own_and_of_the_resources) {
  PushEncoder encoder;
  const Response made = decoded(encoder.encode(
      {Type::kCluster, "7", "n3", table({resource("a", "bytes of a"), resource("b", "bytes of b")})}));
  EXPECT_EQ(made.version_info(), "7");
  EXPECT_EQ(made.nonce(), "n3");
  EXPECT_EQ(made.type_url(), type_url(Type::kCluster));
  ASSERT_EQ(made.resources_size(), 2);
  EXPECT_EQ(made.resources(0).type_url(), type_url(Type::kCluster));
  EXPECT_EQ(made.resources(1).value(), "bytes of b");
}

TEST(PushEncoder, sends_an_empty_one_for_a_name_of_which_there_is_nothing) {
  PushEncoder encoder;
  const Response made = decoded(encoder.encode({Type::kEndpoint, "1", "1", table({resource("gone", "")})}));
  envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
  ASSERT_TRUE(assignment.ParseFromString(made.resources(0).value()));
  EXPECT_EQ(assignment.cluster_name(), "gone");
}

TEST(PushEncoder, shares_the_bytes_of_the_same_resources_while_one_of_them_is_being_sent) {
  PushEncoder encoder;
  const ResourcePtr a = resource("a", "x");
  const ResourceTablePtr sent = table({a});  // which the first proxy's session keeps
  EncodedPush first = encoder.encode({Type::kRoute, "1", "1", sent});
  EncodedPush second = encoder.encode({Type::kRoute, "2", "9", table({a})});
  EXPECT_EQ(first.resources, second.resources);
  EXPECT_NE(encoder.encode({Type::kCluster, "1", "1", table({a})}).resources, first.resources)
      << "another type";
  EXPECT_NE(encoder.encode({Type::kRoute, "1", "1", table({resource("a", "y")})}).resources, first.resources);
  const std::weak_ptr<const std::string> bytes = first.resources;
  first.resources = second.resources = nullptr;
  EXPECT_TRUE(bytes.expired()) << "nothing is kept for later";
}

TEST(PushEncoder, does_not_take_what_was_made_against_a_form_that_is_gone_for_the_whole) {
  PushEncoder encoder;
  Push push{.type = Type::kRoute, .nonce = "1", .protocol = AdsProtocol::kDelta};
  push.resources = std::make_shared<const ResourceTable>(
      ResourceTable{std::make_shared<const Resource>(Resource{"t", "new"})});
  push.base = std::make_shared<const ResourceTable>(
      ResourceTable{std::make_shared<const Resource>(Resource{"t", "old"})});
  const EncodedPush against = encoder.encode(push);
  push.base = nullptr;
  EXPECT_NE(encoder.encode(push).resources, against.resources);
}

}  // namespace
}  // namespace weft::control
