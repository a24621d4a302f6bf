#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {

/// How a cluster's requests are shared out among its endpoints: `lb_policy` and `common_lb_config` of the
/// cluster, and the policy of its endpoints.
struct BalancePolicy {
  ClusterConfig::Balance balance = ClusterConfig::Balance::kRoundRobin;
  std::uint32_t least_request_choices = 2;
  std::uint32_t panic_percent = 50;
  bool locality_weights = false;
  std::uint32_t overprovisioning_percent = 140;
  bool operator==(const BalancePolicy&) const = default;
};

/// Endpoints among which the balance chooses by itself. All groups of a cluster together get its requests,
/// each in proportion to its share.
///
/// Owner: the LoadBalancer. Thread: its loop.
struct EndpointGroup {
  std::vector<std::shared_ptr<EndpointPool>> endpoints;  ///< never empty; each of a weight above 0
  std::uint64_t share = 0;                               ///< above 0, at most 2^32
  std::uint64_t total_weight = 0;
  bool equal_weights = true;
  std::size_t turn = 0;  ///< of round robin
};

/// Shares a cluster's requests out as Envoy does ("Priority levels", "Panic threshold", "Locality weighted
/// load balancing" of its documentation):
///
/// - A priority can take its share of healthy endpoints times overprovisioning_percent, at most 100 %. The
///   first gets all that it can take, what is left goes on to the next; degraded endpoints get what the
///   healthy ones of all priorities leave.
/// - When all together cannot take 100 %, what they can is scaled up to it, and a priority of which fewer
/// than
///   panic_percent are healthy or degraded uses all its endpoints, whatever their health. When all priorities
///   do, each gets requests by its number of endpoints.
/// - With locality_weights the requests of a priority go to its localities by weight, less where endpoints of
///   a locality are not healthy; a locality without a weight gets none, unless none has one.
///
/// Usually that makes one group. An endpoint is in one group at most; without any group there is no endpoint
/// to use. The order of `endpoints` does not matter.
std::vector<EndpointGroup> group_endpoints(std::span<const std::shared_ptr<EndpointPool>> endpoints,
                                           const BalancePolicy& policy);

}  // namespace weft::proxy
