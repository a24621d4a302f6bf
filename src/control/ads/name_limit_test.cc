#include "control/ads/name_limit.h"

#include <gtest/gtest.h>

#include "control/testing/scripted_proxy.h"

namespace weft::control {
namespace {

using testing::resource;

constexpr std::size_t kMiB = 1024 * 1024;

TEST(NameLimit, counts_what_a_request_of_either_protocol_asks_for) {
  envoy::service::discovery::v3::DiscoveryRequest world;
  world.set_version_info("1");
  world.add_resource_names("ab");
  world.add_resource_names("abcd");
  const NameCount asked = count_names(world.SerializeAsString());
  EXPECT_EQ(asked.names, 2u);
  EXPECT_EQ(asked.bytes, 2u + 6);  // with their lengths

  envoy::service::discovery::v3::DeltaDiscoveryRequest delta;
  delta.set_response_nonce("1");
  delta.add_resource_names_subscribe("a");
  delta.add_resource_names_unsubscribe("b");
  (*delta.mutable_initial_resource_versions())["c"] = "";
  EXPECT_EQ(count_names(delta.SerializeAsString()).names, 1u);
}

TEST(NameLimit, a_proxy_may_ask_for_all_that_it_is_to_run_and_as_much_besides_as_any_may) {
  std::vector<ResourcePtr> clusters;
  for (int i = 100; i < 400; ++i) clusters.push_back(resource("service-" + std::to_string(i), ""));
  ResourceSet target;
  target.set(Type::kCluster, std::make_shared<const ResourceTable>(clusters));

  EXPECT_EQ(complaint_about({.names = 50'000, .bytes = 2 * kMiB}, nullptr), "");
  EXPECT_EQ(complaint_about({.names = 50'001}, nullptr),
            "50001 resource names of 0 bytes; the limit is 50000 of 2097152");
  EXPECT_EQ(complaint_about({.names = 50'300, .bytes = 2 * kMiB + 300 * 11}, &target), "");
  EXPECT_NE(complaint_about({.names = 50'301}, &target), "");
  EXPECT_NE(complaint_about({.bytes = 2 * kMiB + 300 * 11 + 1}, &target), "");
}

}  // namespace
}  // namespace weft::control
