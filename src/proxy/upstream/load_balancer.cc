#include "proxy/upstream/load_balancer.h"

#include <algorithm>

namespace weft::proxy {

void LoadBalancer::set_endpoints(std::vector<std::shared_ptr<EndpointPool>> endpoints) {
  eligible_.clear();
  std::uint32_t priority = ~std::uint32_t{0};
  for (const auto& endpoint : endpoints)
    if (endpoint->config().health == Health::kHealthy) priority = std::min(priority, endpoint->priority());
  for (auto& endpoint : endpoints) {
    const bool usable = endpoint->config().health == Health::kHealthy && endpoint->priority() == priority;
    if (usable && endpoint->weight() > 0) eligible_.push_back(std::move(endpoint));
  }
  total_weight_ = 0;
  equal_weights_ = true;
  for (const auto& endpoint : eligible_) {
    total_weight_ += endpoint->weight();
    equal_weights_ = equal_weights_ && endpoint->weight() == eligible_.front()->weight();
  }
}

std::shared_ptr<EndpointPool> LoadBalancer::pick(Random& random, std::span<const EndpointPool* const> avoid) {
  if (eligible_.empty()) return nullptr;
  if (eligible_.size() == 1) return eligible_.front();
  std::shared_ptr<EndpointPool> picked = pick_once(random);
  const auto avoided = [&](const EndpointPool* endpoint) {
    return std::find(avoid.begin(), avoid.end(), endpoint) != avoid.end();
  };
  for (std::size_t i = 0; i < eligible_.size() && avoided(picked.get()); ++i)
    picked = eligible_[(turn_ + i) % eligible_.size()];
  return picked;
}

const std::shared_ptr<EndpointPool>& LoadBalancer::draw(Random& random) {
  if (equal_weights_) return eligible_[random.below(eligible_.size())];
  std::uint64_t drawn = random.below(total_weight_);
  for (const auto& endpoint : eligible_) {
    if (drawn < endpoint->weight()) return endpoint;
    drawn -= endpoint->weight();
  }
  return eligible_.back();
}

std::shared_ptr<EndpointPool> LoadBalancer::pick_once(Random& random) {
  switch (balance_) {
    case ClusterConfig::Balance::kRandom: return draw(random);
    case ClusterConfig::Balance::kLeastRequest: {
      std::shared_ptr<EndpointPool> best = draw(random);
      for (std::uint32_t i = 1; i < choices_; ++i) {
        const auto& other = draw(random);
        // Open requests in proportion to weight, compared without division.
        if (std::uint64_t{other->active_requests} * best->weight() <
            std::uint64_t{best->active_requests} * other->weight())
          best = other;
      }
      return best;
    }
    default: break;
  }
  if (equal_weights_) return eligible_[turn_++ % eligible_.size()];
  // Smooth weighted round robin: each gains its weight, the richest is picked and pays for all.
  std::shared_ptr<EndpointPool>* richest = &eligible_.front();
  for (auto& endpoint : eligible_) {
    endpoint->credit += static_cast<std::int64_t>(endpoint->weight());
    if (endpoint->credit > (*richest)->credit) richest = &endpoint;
  }
  (*richest)->credit -= static_cast<std::int64_t>(total_weight_);
  return *richest;
}

}  // namespace weft::proxy
