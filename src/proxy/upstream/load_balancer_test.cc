#include "proxy/upstream/load_balancer.h"

#include <gtest/gtest.h>

#include <map>

namespace weft::proxy {
namespace {

using Balance = ClusterConfig::Balance;

/// Endpoints at ports 1, 2, 3 … of these weights; a weight of 0 with `health` is one that is not healthy.
class Endpoints {
 public:
  struct Row {
    std::uint32_t weight;
    Health health = Health::kHealthy;
    std::uint32_t priority = 0;
    LocalityShare locality = {};
  };
  Endpoints(LoadBalancer& balancer, std::initializer_list<Row> rows) : balancer_(balancer) {
    std::uint16_t port = 0;
    for (const Row& row : rows) {
      Endpoint endpoint{.address = *net::Address::parse_ip("10.0.0.1", ++port), .hostname = {}};
      endpoint.weight = row.weight;
      endpoint.health = row.health;
      all.push_back(std::make_shared<EndpointPool>(*loop_, share_, endpoint, row.priority, row.locality));
    }
    balancer_.set_endpoints(all, balancer_.policy());
  }

  /// The ports picked, one after another.
  std::string picks(int times) {
    std::string ports;
    for (int i = 0; i < times; ++i) {
      const auto picked = balancer_.pick(random_);
      ports += picked ? std::to_string(net::Address(picked->config().address).port()) : "-";
    }
    return ports;
  }
  std::map<char, int> counts(int times) {
    std::map<char, int> counted;
    for (char port : picks(times)) ++counted[port];
    return counted;
  }

  std::vector<std::shared_ptr<EndpointPool>> all;

 private:
  std::unique_ptr<net::Loop> loop_ = net::Loop::simulated();
  std::shared_ptr<ClusterShare> share_ = std::make_shared<ClusterShare>(std::make_shared<ClusterUsage>());
  LoadBalancer& balancer_;
  Random random_;
};

TEST(LoadBalancer, takes_turns_and_gives_a_heavier_endpoint_its_turns_spread_out) {
  LoadBalancer balancer({.balance = Balance::kRoundRobin});
  Endpoints equal(balancer, {{1}, {1}, {1}});
  EXPECT_EQ(equal.picks(7), "1231231");
  Endpoints unequal(balancer, {{5}, {1}, {1}});
  EXPECT_EQ(unequal.picks(7), "1121311") << "smooth: never five in a row";
  EXPECT_EQ(unequal.picks(7), "1121311") << "a round later nobody owes anything";
}

TEST(LoadBalancer, draws_in_proportion_to_weight) {
  for (const Balance balance : {Balance::kRandom, Balance::kLeastRequest}) {
    LoadBalancer balancer({.balance = balance, .least_request_choices = 1});
    Endpoints endpoints(balancer, {{7}, {2}, {1}});
    // Of 10,000 draws with chance p, within five standard deviations (of 50 at most).
    const auto counted = endpoints.counts(10'000);
    EXPECT_NEAR(counted.at('1'), 7000, 250);
    EXPECT_NEAR(counted.at('2'), 2000, 250);
    EXPECT_NEAR(counted.at('3'), 1000, 250);
  }
}

TEST(LoadBalancer, of_two_that_are_drawn_the_one_with_fewer_requests_for_its_weight_is_picked) {
  LoadBalancer balancer(
      {.balance = Balance::kLeastRequest, .least_request_choices = 64});  // so many that both are drawn
  Endpoints equal(balancer, {{1}, {1}});
  equal.all[0]->active_requests = 3;
  equal.all[1]->active_requests = 2;
  EXPECT_EQ(equal.picks(20), std::string(20, '2'));
  Endpoints unequal(balancer, {{2}, {1}});
  unequal.all[0]->active_requests = 3;
  unequal.all[1]->active_requests = 2;
  EXPECT_EQ(unequal.picks(20), std::string(20, '1')) << "3 of weight 2 are fewer than 2 of weight 1";
}

TEST(LoadBalancer, without_panic_only_healthy_endpoints_of_the_first_priority_that_has_any_are_picked) {
  LoadBalancer balancer({.panic_percent = 0});
  Endpoints later(balancer, {{1, Health::kUnhealthy, 0}, {1, Health::kHealthy, 1}, {1, Health::kHealthy, 2}});
  EXPECT_EQ(later.picks(3), "222");
  Endpoints none(balancer, {{1, Health::kUnhealthy, 0}, {0, Health::kHealthy, 0}});
  EXPECT_EQ(none.picks(1), "-");
  EXPECT_EQ(Endpoints(balancer, {}).picks(1), "-");
}

TEST(LoadBalancer, requests_are_shared_out_among_localities_and_priorities_by_each_balance) {
  for (const Balance balance : {Balance::kRoundRobin, Balance::kRandom, Balance::kLeastRequest}) {
    LoadBalancer balancer({.balance = balance, .locality_weights = true});
    // The first priority can take 140 / 2 = 70 %: of its localities 4 / 5, and 1 / 5 of two endpoints.
    Endpoints endpoints(balancer, {{1, Health::kHealthy, 0, {0, 4}},
                                   {1, Health::kUnhealthy, 0, {0, 4}},
                                   {1, Health::kHealthy, 0, {1, 1}},
                                   {1, Health::kUnhealthy, 0, {1, 1}},
                                   {1, Health::kHealthy, 1, {2, 1}}});
    const auto counted = endpoints.counts(10'000);
    EXPECT_EQ(counted.size(), 3u) << "not the unhealthy ones";
    // Within five standard deviations, of 50 at most.
    EXPECT_NEAR(counted.at('1'), 5600, 250);
    EXPECT_NEAR(counted.at('3'), 1400, 250);
    EXPECT_NEAR(counted.at('5'), 3000, 250);
  }
}

TEST(LoadBalancer, a_policy_that_changes_holds_for_the_endpoints_that_are_there) {
  LoadBalancer balancer({});
  Endpoints endpoints(balancer, {{1}, {1, Health::kUnhealthy}, {1, Health::kUnhealthy}});
  EXPECT_EQ(endpoints.picks(3), "123") << "in panic";
  balancer.set_policy({.panic_percent = 30});
  EXPECT_EQ(endpoints.picks(3), "111");
  balancer.set_policy({.balance = Balance::kRandom, .panic_percent = 40});
  EXPECT_EQ(endpoints.counts(100).size(), 3u);
}

TEST(LoadBalancer, what_was_tried_is_passed_over_for_what_gets_a_smaller_share) {
  LoadBalancer balancer({.locality_weights = true});
  Endpoints endpoints(balancer, {{1, Health::kHealthy, 0, {0, 1'000'000}}, {1, Health::kHealthy, 0, {1, 1}}});
  Random random;
  const EndpointPool* avoid[] = {endpoints.all[0].get()};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(balancer.pick(random, avoid), endpoints.all[1]);
}

TEST(LoadBalancer, what_was_tried_is_passed_over_for_the_others_by_their_weights) {
  for (const Balance balance : {Balance::kRandom, Balance::kLeastRequest}) {
    LoadBalancer balancer({.balance = balance, .least_request_choices = 1});
    Endpoints endpoints(balancer, {{10}, {5}, {1}, {4}});
    Random random{1};
    const EndpointPool* avoid[] = {endpoints.all[0].get()};
    std::map<const EndpointPool*, int> counted;
    for (int i = 0; i < 10'000; ++i) ++counted[balancer.pick(random, avoid).get()];
    // Within five standard deviations, of 50 at most.
    EXPECT_NEAR(counted[endpoints.all[1].get()], 5000, 250);
    EXPECT_NEAR(counted[endpoints.all[2].get()], 1000, 250);
    EXPECT_NEAR(counted[endpoints.all[3].get()], 4000, 250);
  }
}

TEST(LoadBalancer, what_was_tried_is_passed_over_while_another_is_there) {
  for (const Balance balance : {Balance::kRoundRobin, Balance::kRandom, Balance::kLeastRequest}) {
    LoadBalancer balancer({.balance = balance});
    Endpoints endpoints(balancer, {{1}, {8}, {1}});
    Random random;
    const EndpointPool* avoid[] = {endpoints.all[0].get(), endpoints.all[1].get()};
    for (int i = 0; i < 20; ++i) EXPECT_EQ(balancer.pick(random, avoid), endpoints.all[2]);
    const EndpointPool* all[] = {endpoints.all[0].get(), endpoints.all[1].get(), endpoints.all[2].get()};
    EXPECT_NE(balancer.pick(random, all), nullptr) << "better one of them again than none";
  }
}

}  // namespace
}  // namespace weft::proxy
