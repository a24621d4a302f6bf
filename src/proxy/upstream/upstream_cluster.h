#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "net/task.h"
#include "proxy/stats/counters.h"
#include "proxy/upstream/dns_resolver.h"
#include "proxy/upstream/endpoint_pool.h"
#include "proxy/upstream/load_balancer.h"

namespace weft::proxy {

/// A cluster as one worker runs it: endpoints, balancing, connection pools, limits, counters.
///
/// Owner: the worker; requests in progress hold it too, so a removed cluster ends with its last request. A
/// new configuration with the same connection settings is taken over in place, and its pooled connections
/// stay. Thread: the worker's loop. Errors blame the upstream: kNotFound (no healthy endpoint), kExhausted (a
/// limit), kRefused, kTimeout (connecting).
class UpstreamCluster : public std::enable_shared_from_this<UpstreamCluster> {
 public:
  using ConfigPtr = std::shared_ptr<const ClusterConfig>;
  UpstreamCluster(net::Loop& loop, Random& random, DnsResolver& dns, std::uint32_t socket_mark,
                  ConfigPtr config);
  ~UpstreamCluster();

  const ClusterConfig& config() const { return *config_; }
  std::string_view stat_name() const {
    return config_->alt_stat_name.empty() ? config_->name : config_->alt_stat_name;
  }
  /// Whether `config` differs only in what update() can take over: endpoints, balancing, limits, timeouts.
  bool can_become(const ClusterConfig& config) const;
  void update(ConfigPtr config);

  struct Request {
    net::Address original_destination;  ///< for clusters that go where the client meant to
    TimePoint deadline = kNever;
    bool fresh = false;  ///< no pooled connection
    std::span<const EndpointPool* const> avoid = {};
  };
  /// A connection for one HTTP request. Give it back by release(), or drop it.
  net::Task<Result<std::unique_ptr<UpstreamConnection>>> acquire(Request request);
  void release(std::unique_ptr<UpstreamConnection> connection);

  /// A connection of its own, for TCP.
  struct Dialed {
    std::unique_ptr<net::Socket> socket;
    std::shared_ptr<EndpointPool> endpoint;
  };
  net::Task<Result<Dialed>> dial(Request request);

  ClusterCounters& counters() { return *counters_; }
  const std::map<std::string, std::shared_ptr<EndpointPool>>& endpoints() const { return endpoints_; }
  /// Whether one more request or retry may go on (max_requests, max_retries).
  bool may_begin_request() const { return counters_->upstream_rq_active < config_->max_requests; }
  bool may_retry() const { return retries_active < config_->max_retries; }
  std::uint32_t retries_active = 0;

 private:
  struct Turn;
  bool by_name() const;
  void set_endpoints(const Endpoints& endpoints);
  void resolve();
  Result<std::shared_ptr<EndpointPool>> pick(const Request& request);
  std::shared_ptr<EndpointPool> endpoint_at(const net::Address& address);
  net::Task<Result<std::unique_ptr<net::Socket>>> connect(const EndpointPool& endpoint, TimePoint deadline);
  void wake_one();
  void sweep();

  net::Loop& loop_;
  Random& random_;
  DnsResolver& dns_;
  std::uint32_t socket_mark_;
  ConfigPtr config_;
  std::shared_ptr<ClusterCounters> counters_ = std::make_shared<ClusterCounters>();
  LoadBalancer balancer_;
  std::map<std::string, std::shared_ptr<EndpointPool>> endpoints_;
  std::deque<Turn*> waiting_;
  net::Timer sweep_timer_, dns_timer_;
};

}  // namespace weft::proxy
