#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// A plane with a cluster of two endpoints, "a" and "b", each of its own locality.
class Balancing : public ::testing::Test {
 protected:
  Balancing() : a_(plane_.loop, "a"), b_(plane_.loop, "b") {}

  static Locality locality_of(const Upstream& upstream, std::uint32_t priority, std::uint32_t weight,
                              Health health = Health::kHealthy) {
    Locality made;
    made.priority = priority;
    made.weight = weight;
    made.endpoints.push_back({.address = upstream.address(), .health = health, .hostname = {}});
    return made;
  }
  void apply(std::vector<Locality> localities, std::uint32_t panic, bool by_locality = false) {
    ClusterConfig cluster = cluster_of("c", {});
    auto endpoints = std::make_shared<Endpoints>();
    endpoints->localities = std::move(localities);
    cluster.endpoints = std::move(endpoints);
    cluster.panic_threshold_percent = panic;
    cluster.locality_weights = by_locality;
    apply(std::move(cluster));
  }
  void apply(ClusterConfig cluster) {
    ASSERT_TRUE(plane_.apply(table_of({route_to("/", "c")}), {std::move(cluster)}));
  }
  /// "a" and "b" for ten requests, or the status where there was no endpoint.
  std::string ten() {
    std::string served;
    for (int i = 0; i < 10; ++i) {
      const http::Response response = plane_.get("/");
      served +=
          response.head.status == 200 ? response.body.substr(0, 1) : std::to_string(response.head.status);
    }
    return served;
  }

  Plane plane_;
  Upstream a_, b_;
};

TEST_F(Balancing, the_weights_of_localities_count_where_the_cluster_says_so_and_from_when_it_does) {
  const std::vector<Locality> localities{locality_of(a_, 0, 0), locality_of(b_, 0, 1)};
  apply(localities, 50);
  EXPECT_EQ(ten(), "ababababab");
  apply(localities, 50, true);
  EXPECT_EQ(ten(), "bbbbbbbbbb") << "a locality without a weight gets none";
  apply(localities, 50);
  EXPECT_EQ(ten(), "ababababab");
}

TEST_F(Balancing, the_next_priority_serves_when_the_first_is_unhealthy_and_in_panic_all_do) {
  apply({locality_of(a_, 0, 1), locality_of(b_, 1, 1)}, 50);
  EXPECT_EQ(ten(), "aaaaaaaaaa");
  apply({locality_of(a_, 0, 1, Health::kUnhealthy), locality_of(b_, 1, 1)}, 50);
  EXPECT_EQ(ten(), "bbbbbbbbbb");
  const std::vector<Locality> ill{locality_of(a_, 0, 1, Health::kUnhealthy),
                                  locality_of(b_, 0, 1, Health::kDraining)};
  apply(ill, 50);
  EXPECT_EQ(ten(), "ababababab");
  apply(ill, 0);
  EXPECT_EQ(ten(), "503503503503503503503503503503");
  apply({locality_of(a_, 0, 1, Health::kDegraded), locality_of(b_, 0, 1, Health::kUnhealthy)}, 50);
  EXPECT_EQ(ten(), "aaaaaaaaaa");
}

TEST_F(Balancing, names_are_of_the_localities_and_priorities_of_their_configuration) {
  ClusterConfig cluster = cluster_of("c", {});
  cluster.discovery = ClusterConfig::Discovery::kStrictDns;
  cluster.endpoints = nullptr;
  cluster.locality_weights = true;
  const auto host = [](const Upstream& upstream, std::uint32_t locality, std::uint32_t weight) {
    return ClusterConfig::DnsHost{.name = "127.0.0.1",
                                  .port = upstream.address().port(),
                                  .locality = locality,
                                  .locality_weight = weight};
  };
  cluster.dns_hosts = {host(a_, 0, 0), host(b_, 1, 1)};
  apply(cluster);
  ASSERT_TRUE(run_until(plane_.loop, [this] { return plane_.get("/").head.status == 200; }));
  EXPECT_EQ(ten(), "bbbbbbbbbb");
  cluster.dns_hosts = {host(a_, 0, 1), host(b_, 1, 0)};
  apply(cluster);
  EXPECT_EQ(ten(), "aaaaaaaaaa");
  // At 1 % for 1 % neither priority can take everything, and they share.
  cluster.dns_hosts[1].priority = 1;
  cluster.dns_overprovisioning_percent = 1;
  apply(cluster);
  for (const char* name : {"a", "b"})
    EXPECT_TRUE(run_until(plane_.loop, [&] { return plane_.get("/").body.starts_with(name); })) << name;
}

}  // namespace
}  // namespace weft::proxy
