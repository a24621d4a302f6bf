#include "control/ads/table_change.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "control/translation/route_table.h"
#include "xds/proto/route.pb.h"
#include "xds/resource.h"

namespace weft::control {
namespace {

namespace route = envoy::config::route::v3;
using Pieces = std::vector<HostPiecePtr>;

HostPiecePtr host(const std::string& name, const std::string& cluster) {
  route::VirtualHost made;
  made.set_name(name);
  made.add_domains(name);
  auto& only = *made.add_routes();
  only.mutable_match()->set_prefix("/");
  only.mutable_route()->set_cluster(cluster);
  return std::make_shared<const HostPiece>(make_piece(made));
}

xds::ResourcePtr whole(const Resource& table) {
  auto made = xds::decode(Type::kRoute, table.message(), nullptr, version_of(table));
  EXPECT_TRUE(made) << made.error().text;
  return made ? *made : nullptr;
}

/// As a proxy that has `before` takes what is sent for `after`.
xds::ResourcePtr changed(const xds::ResourcePtr& has, const Resource& before, const Resource& after) {
  const auto change = change_of_table(before, after);
  if (!change) return whole(after);
  auto made = xds::decode_change(*change, has.get(), version_of(after));
  EXPECT_TRUE(made) << made.error().text;
  return made ? *made : nullptr;
}

Pieces many_hosts() {
  Pieces hosts;
  for (int i = 0; i < 100; ++i) hosts.push_back(host("h" + std::to_string(i), "c"));
  return hosts;
}

TEST(TableChange, of_a_table_with_one_changed_host_has_that_host) {
  Pieces hosts = many_hosts();
  const Resource before = make_table("8080", hosts);
  hosts[50] = host("h50", "other");
  const Resource after = make_table("8080", hosts);
  const auto change = change_of_table(before, after);
  ASSERT_TRUE(change);
  EXPECT_LT(change->size(), hosts[50]->bytes.size() + 200);
  const xds::ResourcePtr taken = changed(whole(before), before, after);
  EXPECT_EQ(taken->message(), after.message());
}

TEST(TableChange, is_not_made_where_it_would_be_as_long_as_the_table) {
  Pieces hosts = many_hosts();
  const Resource before = make_table("8080", hosts);
  for (HostPiecePtr& each : hosts) each = host("other", "c");
  EXPECT_FALSE(change_of_table(before, make_table("8080", hosts)));
  EXPECT_FALSE(change_of_table(Resource{"8080", "bytes"}, before)) << "not made of hosts";
}

TEST(TableChange, is_for_the_form_that_it_was_made_from_and_for_no_other) {
  Pieces hosts = many_hosts();
  const Resource before = make_table("8080", hosts);
  hosts[1] = host("h1", "other");
  const Resource between = make_table("8080", hosts);
  hosts[2] = host("h2", "other");
  const auto change = change_of_table(between, make_table("8080", hosts));
  ASSERT_TRUE(change);
  EXPECT_FALSE(xds::decode_change(*change, nullptr, "1"));
  const auto made = xds::decode_change(*change, whole(before).get(), "1");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "a change of a route table has another base than the table that is there");
}

TEST(TableChange, any_changes_one_after_another_make_the_table_that_is_sent_whole) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Pieces hosts;
    Resource before = make_table("t", hosts);
    xds::ResourcePtr has = whole(before);
    for (int step = 0; step < 20; ++step) {
      for (std::uint64_t i = random.below(4); i > 0; --i) {
        const std::size_t at = hosts.empty() ? 0 : random.below(hosts.size());
        const auto place = hosts.begin() + static_cast<std::ptrdiff_t>(at);
        const std::string name = "h" + std::to_string(random.below(30));
        switch (random.below(5)) {
          case 0:
            if (!hosts.empty()) hosts.erase(place);
            break;
          case 1:
            if (!hosts.empty()) std::swap(*place, hosts.front());
            break;
          case 2:
            if (!hosts.empty()) *place = host(name, random.below(4) ? "c" : "");
            break;
          default: hosts.insert(place, host(name, std::to_string(random.below(3))));
        }
      }
      const Resource after = make_table("t", hosts);
      has = changed(has, before, after);
      const xds::ResourcePtr fresh = whole(after);
      ASSERT_EQ(has->message(), after.message()) << seed;
      ASSERT_EQ(has->rejected, fresh->rejected) << seed;
      ASSERT_EQ(has->as<proxy::RouteTable>()->hosts.size(), fresh->as<proxy::RouteTable>()->hosts.size());
      before = after;
    }
  }
}

}  // namespace
}  // namespace weft::control
