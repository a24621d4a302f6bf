#include "proxy/upstream/load_balancer.h"

#include <algorithm>

namespace weft::proxy {
namespace {

using EndpointPtr = std::shared_ptr<EndpointPool>;
using Avoided = std::span<const EndpointPool* const>;

const EndpointPtr& draw(const EndpointGroup& group, Random& random) {
  if (group.equal_weights) return group.endpoints[random.below(group.endpoints.size())];
  std::uint64_t drawn = random.below(group.total_weight);
  for (const EndpointPtr& endpoint : group.endpoints) {
    if (drawn < endpoint->weight()) return endpoint;
    drawn -= endpoint->weight();
  }
  return group.endpoints.back();
}

const EndpointPtr& least_requests(const EndpointGroup& group, std::uint32_t choices, Random& random) {
  const EndpointPtr* best = &draw(group, random);
  for (std::uint32_t i = 1; i < choices; ++i) {
    const EndpointPtr& other = draw(group, random);
    // Open requests in proportion to weight, compared without division.
    if (std::uint64_t{other->active_requests} * (*best)->weight() <
        std::uint64_t{(*best)->active_requests} * other->weight())
      best = &other;
  }
  return *best;
}

const EndpointPtr& next_turn(EndpointGroup& group) {
  if (group.equal_weights) return group.endpoints[group.turn++ % group.endpoints.size()];
  // Smooth weighted round robin: each gains its weight, the richest is picked and pays for all.
  EndpointPtr* richest = &group.endpoints.front();
  for (EndpointPtr& endpoint : group.endpoints) {
    endpoint->credit += static_cast<std::int64_t>(endpoint->weight());
    if (endpoint->credit > (*richest)->credit) richest = &endpoint;
  }
  (*richest)->credit -= static_cast<std::int64_t>(group.total_weight);
  return *richest;
}

bool is_avoided(const EndpointPtr& endpoint, Avoided avoid) {
  return std::ranges::find(avoid, endpoint.get()) != avoid.end();
}

/// Of `group`, the next by turns that is not avoided; null when all are.
EndpointPtr next_of(const EndpointGroup& group, Avoided avoid) {
  for (std::size_t i = 0; i < group.endpoints.size(); ++i) {
    const EndpointPtr& each = group.endpoints[(group.turn + i) % group.endpoints.size()];
    if (!is_avoided(each, avoid)) return each;
  }
  return nullptr;
}

/// Of `group`, one that is not avoided, drawn by weight; null when all are.
EndpointPtr draw_of(const EndpointGroup& group, Avoided avoid, Random& random) {
  const EndpointPtr* drawn = nullptr;
  std::uint64_t weight = 0;
  for (const EndpointPtr& each : group.endpoints) {
    if (is_avoided(each, avoid)) continue;
    weight += each->weight();
    if (random.below(weight) < each->weight()) drawn = &each;
  }
  return drawn ? *drawn : nullptr;
}

}  // namespace

void LoadBalancer::set_policy(const BalancePolicy& policy) {
  if (policy == policy_) return;
  policy_ = policy;
  regroup();
}

void LoadBalancer::set_endpoints(std::vector<EndpointPtr> endpoints, const BalancePolicy& policy) {
  policy_ = policy;
  endpoints_ = std::move(endpoints);
  regroup();
}

void LoadBalancer::regroup() {
  std::vector<EndpointGroup> before = std::exchange(groups_, group_endpoints(endpoints_, policy_));
  total_share_ = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    total_share_ += groups_[i].share;
    if (i < before.size()) groups_[i].turn = before[i].turn;
  }
}

EndpointGroup& LoadBalancer::choose(Random& random) {
  if (groups_.size() == 1) return groups_.front();
  std::uint64_t drawn = random.below(total_share_);
  for (EndpointGroup& group : groups_) {
    if (drawn < group.share) return group;
    drawn -= group.share;
  }
  return groups_.back();
}

std::shared_ptr<EndpointPool> LoadBalancer::pick(Random& random, Avoided avoid) {
  if (groups_.empty()) return nullptr;
  EndpointGroup& group = choose(random);
  EndpointPtr picked = pick_of(group, random);
  if (!is_avoided(picked, avoid)) return picked;
  if (EndpointPtr other = another_of(group, avoid, random)) return other;
  for (const EndpointGroup& each : groups_)
    if (EndpointPtr other = another_of(each, avoid, random)) return other;
  return picked;
}

EndpointPtr LoadBalancer::another_of(const EndpointGroup& group, Avoided avoid, Random& random) const {
  using Balance = ClusterConfig::Balance;
  const bool drawn = policy_.balance == Balance::kRandom || policy_.balance == Balance::kLeastRequest;
  return drawn || !group.equal_weights ? draw_of(group, avoid, random) : next_of(group, avoid);
}

EndpointPtr LoadBalancer::pick_with_room(Random& random, ConnectionUse use, TimePoint now, Avoided avoid) {
  if (groups_.empty()) return nullptr;
  const auto first = static_cast<std::size_t>(&choose(random) - groups_.data());
  EndpointPtr avoided;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::vector<EndpointPtr>& endpoints = groups_[(first + i) % groups_.size()].endpoints;
    const std::uint64_t begin = random.below(endpoints.size());
    for (std::size_t j = 0; j < endpoints.size(); ++j) {
      const EndpointPtr& each = endpoints[(begin + j) % endpoints.size()];
      if (!each->has_room_at_limit(use, now)) continue;
      if (!is_avoided(each, avoid)) return each;
      avoided = each;
    }
  }
  return avoided;
}

std::shared_ptr<EndpointPool> LoadBalancer::pick_of(EndpointGroup& group, Random& random) {
  if (group.endpoints.size() == 1) return group.endpoints.front();
  switch (policy_.balance) {
    case ClusterConfig::Balance::kRandom: return draw(group, random);
    case ClusterConfig::Balance::kLeastRequest:
      return least_requests(group, policy_.least_request_choices, random);
    default: return next_turn(group);
  }
}

}  // namespace weft::proxy
