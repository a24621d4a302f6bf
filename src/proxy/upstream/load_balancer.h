#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/random.h"
#include "proxy/config.h"
#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {

/// Picks an endpoint of a cluster. Only healthy ones of the first priority that has any; unhealthy ones of
/// that priority when no priority has a healthy one is *not* done: without a healthy endpoint there is no
/// answer but 503.
///
/// Owner: a worker's cluster. Thread: its loop.
class LoadBalancer {
 public:
  LoadBalancer(ClusterConfig::Balance balance, std::uint32_t choices)
      : balance_(balance), choices_(choices) {}

  /// Replaces the endpoints; state of those that stay (turns, open requests) is in them.
  void set_endpoints(std::vector<std::shared_ptr<EndpointPool>> endpoints);
  /// Null when there is none. `avoid`: endpoints already tried, passed over while another is there.
  std::shared_ptr<EndpointPool> pick(Random& random, std::span<const EndpointPool* const> avoid = {});
  bool empty() const { return eligible_.empty(); }

 private:
  std::shared_ptr<EndpointPool> pick_once(Random& random);
  const std::shared_ptr<EndpointPool>& draw(Random& random);

  ClusterConfig::Balance balance_;
  std::uint32_t choices_;
  std::vector<std::shared_ptr<EndpointPool>> eligible_;
  std::uint64_t total_weight_ = 0;
  bool equal_weights_ = true;
  std::size_t turn_ = 0;
};

}  // namespace weft::proxy
