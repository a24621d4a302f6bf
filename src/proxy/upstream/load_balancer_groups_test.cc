#include "proxy/upstream/load_balancer_groups.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace weft::proxy {
namespace {

using Pools = std::vector<std::shared_ptr<EndpointPool>>;

/// Endpoints of one locality of one priority.
struct Part {
  std::uint32_t priority = 0;
  int healthy = 0, degraded = 0, unhealthy = 0;
  LocalityShare locality = {};
};

class LoadBalancerGroups : public ::testing::Test {
 protected:
  void add(Health health, const Part& part, int times) {
    for (int i = 0; i < times; ++i) {
      Endpoint endpoint{.address = *net::Address::parse_ip("10.0.0.1", ++port_), .hostname = {}};
      endpoint.health = health;
      pools_.push_back(
          std::make_shared<EndpointPool>(*loop_, share_, endpoint, part.priority, part.locality));
    }
  }
  void add(const Part& part) {
    add(Health::kHealthy, part, part.healthy);
    add(Health::kDegraded, part, part.degraded);
    add(Health::kUnhealthy, part, part.unhealthy);
  }

  /// "P0 70% of 5, P1 degraded 30% of 2, P1/1 panic …": who gets which part of the requests, rounded.
  std::string shares(std::initializer_list<Part> parts, const BalancePolicy& policy = {}) {
    pools_.clear();
    for (const Part& part : parts) add(part);
    const auto groups = group_endpoints(pools_, policy);
    double total = 0;
    for (const EndpointGroup& group : groups) total += static_cast<double>(group.share);
    std::string text;
    for (const EndpointGroup& group : groups) {
      const EndpointPool& first = *group.endpoints.front();
      const auto share = static_cast<int>(100 * static_cast<double>(group.share) / total + 0.5);
      text += text.empty() ? "P" : ", P";
      text += std::to_string(first.priority());
      if (policy.locality_weights) text += "/" + std::to_string(first.locality().index);
      if (first.config().health == Health::kDegraded) text += " degraded";
      if (group.endpoints.back()->config().health == Health::kUnhealthy) text += " panic";
      text += " " + std::to_string(share) + "% of " + std::to_string(group.endpoints.size());
    }
    return text;
  }

  Pools pools_;

 private:
  std::unique_ptr<net::Loop> loop_ = net::Loop::simulated();
  std::shared_ptr<ClusterShare> share_ = std::make_shared<ClusterShare>(std::make_shared<ClusterUsage>());
  std::uint16_t port_ = 0;
};

constexpr BalancePolicy kNoPanic{.panic_percent = 0};
constexpr BalancePolicy kByLocality{.locality_weights = true};

TEST_F(LoadBalancerGroups, what_the_first_priority_cannot_take_goes_on_to_the_next) {
  const auto of_100 = [](std::uint32_t priority, int healthy) {
    return Part{.priority = priority, .healthy = healthy, .unhealthy = 100 - healthy};
  };
  EXPECT_EQ(shares({of_100(0, 100), of_100(1, 100)}), "P0 100% of 100");
  EXPECT_EQ(shares({of_100(0, 72), of_100(1, 72)}), "P0 100% of 72") << "72 times 1.4 is enough";
  EXPECT_EQ(shares({of_100(0, 71), of_100(1, 71)}), "P0 99% of 71, P1 1% of 71");
  EXPECT_EQ(shares({of_100(0, 50), of_100(1, 60)}), "P0 70% of 50, P1 30% of 60");
  EXPECT_EQ(shares({of_100(0, 25), of_100(1, 100)}), "P0 35% of 25, P1 65% of 100")
      << "no panic while others have room";
  EXPECT_EQ(shares({of_100(0, 0), of_100(1, 100)}), "P1 100% of 100");
  EXPECT_EQ(shares({of_100(0, 25), of_100(1, 25), of_100(2, 100)}),
            "P0 35% of 25, P1 35% of 25, P2 30% of 100");
  EXPECT_EQ(shares({of_100(2, 100), of_100(0, 50)}), "P0 70% of 50, P2 30% of 100")
      << "in any order, with gaps";
}

TEST_F(LoadBalancerGroups, the_overprovisioning_factor_says_what_a_priority_can_take) {
  const Part half{.healthy = 5, .unhealthy = 5}, next{.priority = 1, .healthy = 10};
  EXPECT_EQ(shares({half, next}, {.overprovisioning_percent = 100}), "P0 50% of 5, P1 50% of 10");
  EXPECT_EQ(shares({half, next}, {.overprovisioning_percent = 200}), "P0 100% of 5");
  EXPECT_EQ(shares({half, next}, {.overprovisioning_percent = 4'294'967'295}), "P0 100% of 5");
}

TEST_F(LoadBalancerGroups, when_all_together_cannot_take_everything_what_they_can_is_scaled_up) {
  EXPECT_EQ(
      shares({{.healthy = 5, .unhealthy = 15}, {.priority = 1, .healthy = 5, .unhealthy = 15}}, kNoPanic),
      "P0 50% of 5, P1 50% of 5");
  EXPECT_EQ(
      shares({{.healthy = 1, .unhealthy = 19}, {.priority = 1, .healthy = 13, .unhealthy = 7}}, kNoPanic),
      "P0 8% of 1, P1 92% of 13")
      << "7 and 91 of 98; what rounding leaves goes to the first";
  // 10, 20 and 10 % of healthy ones, 20, 10 and 0 % of degraded ones: 16 + 28 + 14 and 28 + 14.
  const BalancePolicy exact{.panic_percent = 0, .overprovisioning_percent = 100};
  EXPECT_EQ(shares({{.priority = 0, .healthy = 1, .degraded = 2, .unhealthy = 7},
                    {.priority = 1, .healthy = 2, .degraded = 1, .unhealthy = 7},
                    {.priority = 2, .healthy = 1, .unhealthy = 9}},
                   exact),
            "P0 16% of 1, P0 degraded 28% of 2, P1 28% of 2, P1 degraded 14% of 1, P2 14% of 1");
}

TEST_F(LoadBalancerGroups, degraded_endpoints_get_what_the_healthy_ones_of_all_priorities_leave) {
  EXPECT_EQ(shares({{.healthy = 8, .degraded = 2}}), "P0 100% of 8");
  EXPECT_EQ(shares({{.healthy = 5, .degraded = 5}}), "P0 70% of 5, P0 degraded 30% of 5");
  EXPECT_EQ(shares({{.healthy = 5, .degraded = 5}, {.priority = 1, .healthy = 10}}),
            "P0 70% of 5, P1 30% of 10");
  EXPECT_EQ(shares({{.degraded = 3}}), "P0 degraded 100% of 3");
}

TEST_F(LoadBalancerGroups, in_panic_all_endpoints_of_a_priority_are_used) {
  EXPECT_EQ(shares({{.healthy = 4, .unhealthy = 6}}), "P0 panic 100% of 10");
  EXPECT_EQ(shares({{.healthy = 5, .unhealthy = 5}}), "P0 100% of 5") << "50 % are not below the threshold";
  EXPECT_EQ(shares({{.healthy = 3, .degraded = 2, .unhealthy = 5}}), "P0 60% of 3, P0 degraded 40% of 2");
  EXPECT_EQ(shares({{.unhealthy = 3}}), "P0 panic 100% of 3");
  EXPECT_EQ(shares({{.healthy = 1, .unhealthy = 19}, {.priority = 1, .healthy = 13, .unhealthy = 7}}),
            "P0 panic 8% of 20, P1 92% of 13")
      << "each by itself";
  EXPECT_EQ(shares({{.healthy = 1, .unhealthy = 3}, {.priority = 1, .healthy = 2, .unhealthy = 10}}),
            "P0 panic 25% of 4, P1 panic 75% of 12")
      << "when all are in panic, by their size";
}

TEST_F(LoadBalancerGroups, the_threshold_says_when_and_0_is_never) {
  const Part fifth{.healthy = 2, .unhealthy = 8};
  EXPECT_EQ(shares({fifth}, {.panic_percent = 20}), "P0 100% of 2");
  EXPECT_EQ(shares({fifth}, {.panic_percent = 21}), "P0 panic 100% of 10");
  EXPECT_EQ(shares({fifth}, kNoPanic), "P0 100% of 2");
  EXPECT_EQ(shares({{.unhealthy = 3}}, kNoPanic), "") << "503";
  EXPECT_EQ(shares({{.unhealthy = 1}, {.priority = 1, .healthy = 1, .unhealthy = 199}}, kNoPanic),
            "P1 100% of 1")
      << "one of 200 counts as 0 %, and is the only one there is";
  EXPECT_EQ(shares({}), "");
}

TEST_F(LoadBalancerGroups, localities_get_the_requests_of_a_priority_by_their_weights) {
  EXPECT_EQ(shares({{.healthy = 1, .locality = {0, 80}}, {.healthy = 9, .locality = {1, 20}}}, kByLocality),
            "P0/0 80% of 1, P0/1 20% of 9");
  EXPECT_EQ(shares({{.healthy = 1, .locality = {0, 80}}, {.healthy = 9, .locality = {1, 20}}}),
            "P0 100% of 10")
      << "only where the cluster says so";
  EXPECT_EQ(shares({{.healthy = 2, .locality = {0, 1}},
                    {.healthy = 2, .locality = {1, 0}},
                    {.priority = 1, .healthy = 2, .locality = {2, 1}}},
                   kByLocality),
            "P0/0 100% of 2")
      << "without a weight none";
  EXPECT_EQ(shares({{.healthy = 2, .locality = {0, 0}}, {.healthy = 2, .locality = {1, 0}}}, kByLocality),
            "P0/0 100% of 4")
      << "unless none has one";
}

TEST_F(LoadBalancerGroups, a_locality_gets_less_for_its_weight_when_some_of_it_are_not_healthy) {
  // 1.4 times 5 of 10 is 0.7 of a weight of 1.
  EXPECT_EQ(shares({{.healthy = 5, .unhealthy = 5, .locality = {0, 1}}, {.healthy = 10, .locality = {1, 1}}},
                   kByLocality),
            "P0/0 41% of 5, P0/1 59% of 10");
  EXPECT_EQ(shares({{.unhealthy = 2, .locality = {0, 9}}, {.healthy = 10, .locality = {1, 1}}}, kByLocality),
            "P0/1 100% of 10");
  EXPECT_EQ(shares({{.healthy = 1, .locality = {0, 1}}, {.unhealthy = 9, .locality = {1, 9}}}, kByLocality),
            "P0/0 panic 100% of 10")
      << "in panic weights of localities do not count";
  EXPECT_EQ(shares({{.healthy = 2, .degraded = 2, .unhealthy = 1, .locality = {0, 2}},
                    {.healthy = 3, .degraded = 2, .locality = {1, 1}}},
                   kByLocality),
            "P0/0 40% of 2, P0/1 30% of 3, P0/0 degraded 20% of 2, P0/1 degraded 10% of 2");
}

TEST_F(LoadBalancerGroups, each_endpoint_is_in_one_group_at_most_and_there_is_a_group_while_any_is_usable) {
  std::mt19937 random(11);
  const auto below = [&random](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  for (int round = 0; round < 2000; ++round) {
    pools_.clear();
    bool usable = false;
    for (std::uint32_t parts = below(6); parts > 0; --parts) {
      const Part part{.priority = below(4),
                      .healthy = static_cast<int>(below(3)),
                      .degraded = static_cast<int>(below(3)),
                      .unhealthy = static_cast<int>(below(5)),
                      .locality = {below(3), below(3)}};
      usable = usable || part.healthy + part.degraded > 0;
      add(part);
    }
    const BalancePolicy policy{.panic_percent = below(101),
                               .locality_weights = below(2) == 0,
                               .overprovisioning_percent = below(300) + 1};
    std::set<const EndpointPool*> seen;
    std::uint64_t total = 0;
    const auto groups = group_endpoints(pools_, policy);
    for (const EndpointGroup& group : groups) {
      ASSERT_GT(group.share, 0u);
      ASSERT_FALSE(group.endpoints.empty());
      total += group.share;
      for (const auto& endpoint : group.endpoints) ASSERT_TRUE(seen.insert(endpoint.get()).second) << round;
    }
    ASSERT_LE(total, (std::uint64_t{1} << 32) + groups.size()) << round;
    if (usable || (policy.panic_percent > 0 && !pools_.empty())) ASSERT_FALSE(groups.empty()) << round;
  }
}

}  // namespace
}  // namespace weft::proxy
