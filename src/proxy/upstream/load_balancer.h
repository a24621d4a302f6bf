#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/random.h"
#include "proxy/config.h"
#include "proxy/upstream/load_balancer_groups.h"

namespace weft::proxy {

/// Picks an endpoint of a cluster: first one of the groups that its policy makes of the endpoints (see
/// group_endpoints), at random by their shares, then an endpoint of it by the balance. Groups are made when
/// endpoints or the policy change; a pick costs the choice of a group only where there are several.
///
/// Owner: a worker's cluster. Thread: its loop.
class LoadBalancer {
 public:
  explicit LoadBalancer(const BalancePolicy& policy) : policy_(policy) {}

  const BalancePolicy& policy() const { return policy_; }
  /// Goes on with the endpoints that are there.
  void set_policy(const BalancePolicy& policy);
  /// Replaces the endpoints; state of those that stay (turns, open requests) is in them.
  void set_endpoints(std::vector<std::shared_ptr<EndpointPool>> endpoints, const BalancePolicy& policy);
  /// Null when no endpoint is to be used. `avoid`: endpoints already tried, passed over while another is
  /// there.
  std::shared_ptr<EndpointPool> pick(Random& random, std::span<const EndpointPool* const> avoid = {});
  /// For one that finds no room where pick() has sent it: an endpoint that has_room_at_limit(); null when
  /// none has. `avoid`: the same, but better one of them than none.
  std::shared_ptr<EndpointPool> pick_with_room(Random& random, ConnectionUse use, TimePoint now,
                                               std::span<const EndpointPool* const> avoid);
  bool empty() const { return groups_.empty(); }

 private:
  void regroup();
  EndpointGroup& choose(Random& random);
  std::shared_ptr<EndpointPool> pick_of(EndpointGroup& group, Random& random);
  std::shared_ptr<EndpointPool> another_of(const EndpointGroup& group,
                                           std::span<const EndpointPool* const> avoid, Random& random) const;

  BalancePolicy policy_;
  std::vector<std::shared_ptr<EndpointPool>> endpoints_;
  std::vector<EndpointGroup> groups_;
  std::uint64_t total_share_ = 0;
};

}  // namespace weft::proxy
