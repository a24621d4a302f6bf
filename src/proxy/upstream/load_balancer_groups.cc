#include "proxy/upstream/load_balancer_groups.h"

#include <algorithm>
#include <map>

namespace weft::proxy {
namespace {

using EndpointPtr = std::shared_ptr<EndpointPool>;

/// One priority. Loads are percents of the cluster's requests.
struct Level {
  std::vector<EndpointPtr> all;
  std::uint32_t healthy = 0, degraded = 0;  ///< how many
  std::uint32_t healthy_load = 0, degraded_load = 0;
  bool panic = false;

  /// The percents that `some` of its endpoints can take.
  std::uint32_t capacity(std::uint32_t some, const BalancePolicy& policy) const {
    const std::uint64_t percent = std::uint64_t{policy.overprovisioning_percent} * some / all.size();
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(percent, 100));
  }
};
using Levels = std::map<std::uint32_t, Level>;

Levels levels_of(std::span<const EndpointPtr> endpoints) {
  Levels levels;
  for (const EndpointPtr& endpoint : endpoints) {
    if (endpoint->weight() == 0) continue;
    Level& level = levels[endpoint->priority()];
    level.all.push_back(endpoint);
    if (endpoint->config().health == Health::kHealthy) ++level.healthy;
    if (endpoint->config().health == Health::kDegraded) ++level.degraded;
  }
  return levels;
}

/// By number of endpoints, where health says nothing.
void load_by_size(Levels& levels) {
  std::size_t total = 0;
  for (const auto& [priority, level] : levels) total += level.all.size();
  std::uint32_t left = 100;
  for (auto& [priority, level] : levels) {
    level.healthy_load = static_cast<std::uint32_t>(100 * level.all.size() / total);
    left -= level.healthy_load;
  }
  levels.begin()->second.healthy_load += left;
}

/// What rounding has left goes to the first that has any endpoint of use.
void load_rest(Levels& levels, std::uint32_t left) {
  for (auto& [priority, level] : levels)
    if (level.healthy) return void(level.healthy_load += left);
  for (auto& [priority, level] : levels)
    if (level.degraded) return void(level.degraded_load += left);
}

void load_by_health(Levels& levels, const BalancePolicy& policy, std::uint32_t total) {
  std::uint32_t left = 100;
  const auto part = [&](std::uint32_t capacity) {
    const std::uint32_t load = total ? std::min(left, capacity * 100 / total) : 0;
    left -= load;
    return load;
  };
  for (auto& [priority, level] : levels) level.healthy_load = part(level.capacity(level.healthy, policy));
  for (auto& [priority, level] : levels) level.degraded_load = part(level.capacity(level.degraded, policy));
  load_rest(levels, left);
}

void load(Levels& levels, const BalancePolicy& policy) {
  std::uint32_t total = 0;
  for (const auto& [priority, level] : levels)
    total += level.capacity(level.healthy, policy) + level.capacity(level.degraded, policy);
  total = std::min(total, 100u);
  bool total_panic = total < 100;
  for (auto& [priority, level] : levels) {
    const std::uint64_t usable = std::uint64_t{100} * (level.healthy + level.degraded);
    level.panic = total < 100 && usable < policy.panic_percent * level.all.size();
    total_panic = total_panic && level.panic;
  }
  if (total_panic)
    load_by_size(levels);
  else
    load_by_health(levels, policy, total);
}

class Grouping {
 public:
  Grouping(const BalancePolicy& policy, std::vector<EndpointGroup>& into) : policy_(policy), into_(into) {}

  void add(const Level& level) {
    if (level.panic) return add_group(level.all, level.healthy_load + level.degraded_load);
    add_of(level, Health::kHealthy, level.healthy_load);
    add_of(level, Health::kDegraded, level.degraded_load);
  }

 private:
  struct Members {
    std::vector<EndpointPtr> usable;
    std::size_t all = 0;
    std::uint32_t weight = 0;
  };

  void add_of(const Level& level, Health health, double load) {
    if (load <= 0) return;
    // Without weights all of a level are of one locality.
    std::map<std::uint32_t, Members> localities;
    for (const EndpointPtr& endpoint : level.all) {
      Members& members = localities[policy_.locality_weights ? endpoint->locality().index : 0];
      members.weight = endpoint->locality().weight;
      ++members.all;
      if (endpoint->config().health == health) members.usable.push_back(endpoint);
    }
    double total = 0;
    for (const auto& [index, members] : localities) total += effective_weight(members);
    if (localities.size() == 1 || total <= 0) return add_all(std::move(localities), load);
    for (auto& [index, members] : localities) {
      const double part = load * effective_weight(members) / total;
      add_group(std::move(members.usable), part);
    }
  }

  double effective_weight(const Members& members) const {
    const double usable = static_cast<double>(members.usable.size()) / static_cast<double>(members.all);
    return members.weight * std::min(1.0, usable * policy_.overprovisioning_percent / 100);
  }

  void add_all(std::map<std::uint32_t, Members> localities, double load) {
    std::vector<EndpointPtr> all;
    for (auto& [index, members] : localities) std::ranges::move(members.usable, std::back_inserter(all));
    add_group(std::move(all), load);
  }

  void add_group(std::vector<EndpointPtr> endpoints, double load) {
    constexpr double kPercent = 0x1p32 / 100;
    if (load <= 0 || endpoints.empty()) return;
    EndpointGroup group{.endpoints = std::move(endpoints)};
    group.share = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(load * kPercent));
    for (const EndpointPtr& endpoint : group.endpoints) {
      group.total_weight += endpoint->weight();
      group.equal_weights = group.equal_weights && endpoint->weight() == group.endpoints.front()->weight();
    }
    into_.push_back(std::move(group));
  }

  const BalancePolicy& policy_;
  std::vector<EndpointGroup>& into_;
};

}  // namespace

std::vector<EndpointGroup> group_endpoints(std::span<const EndpointPtr> endpoints,
                                           const BalancePolicy& policy) {
  std::vector<EndpointGroup> groups;
  Levels levels = levels_of(endpoints);
  if (levels.empty()) return groups;
  load(levels, policy);
  Grouping grouping(policy, groups);
  for (const auto& [priority, level] : levels) grouping.add(level);
  return groups;
}

}  // namespace weft::proxy
