#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "net/dns_resolver.h"
#include "net/task.h"
#include "proxy/upstream/compiled_clusters.h"
#include "proxy/upstream/endpoint_pool.h"
#include "proxy/upstream/lease.h"
#include "proxy/upstream/load_balancer.h"
#include "proxy/upstream/places.h"

namespace weft::proxy {

/// A cluster as one worker runs it: endpoints, balancing, connection pools, limits, counters.
///
/// Limits hold for all workers together; each worker may always have one connection of each use to each
/// endpoint, also beyond max_connections, so that no request waits for what cannot come. At the limit an idle
/// connection that the request cannot take is closed for a new one. A request waits, in one line per worker,
/// only while no endpoint that it may use has room; connections beyond the limit end with their request.
///
/// Owner: the worker; requests in progress hold it too, so a removed cluster ends with its last request. A
/// new configuration with the same connection settings is taken over in place, and its pooled connections
/// stay. Thread: the worker's loop. Errors blame the upstream: kNotFound (no healthy endpoint), kExhausted (a
/// limit of the cluster), kRefused (connecting, for whatever reason), kTimeout (connecting), kCancelled
/// (cancelled while connecting).
class UpstreamCluster : public std::enable_shared_from_this<UpstreamCluster> {
 public:
  using ConfigPtr = std::shared_ptr<const ClusterConfig>;
  UpstreamCluster(net::Loop& loop, Random& random, net::DnsResolver& dns, Connector connector,
                  const CompiledCluster& from);
  ~UpstreamCluster();

  /// Replaced by update(): who needs it over a suspension keeps shared_config().
  const ClusterConfig& config() const { return *config_; }
  const ConfigPtr& shared_config() const { return config_; }
  /// Whether `config` differs only in what update() can take over: endpoints, balancing, limits, timeouts.
  bool can_become(const ClusterConfig& config) const;
  /// Without endpoints in `from` those that are there stay.
  void update(const CompiledCluster& from);
  /// For one that takes the place of `before` under its name and cannot become it: until the first name has
  /// answered there are the endpoints that were there.
  void begin_with_endpoints_of(const UpstreamCluster& before);

  struct Request {
    net::Address original_destination;  ///< for clusters that go where the client meant to
    TimePoint deadline = kNever;
    http::Protocol protocol = http::Protocol::kHttp1;  ///< or kHttp2
    bool fresh = false;                                ///< no pooled connection; of HTTP/1 only
    bool tunnel = false;  ///< the exchange is a CONNECT that TCP itself responds to (tcp_session.h)
    std::span<const EndpointPool* const> avoid = {};
    /// Set to the endpoint that could not be connected to, for the next try to avoid.
    std::shared_ptr<EndpointPool>* unreached = nullptr;
    WaitingLine::Handle* waiting = nullptr;  ///< set while the request waits in line, or to be connected
  };
  /// An exchange for one HTTP request.
  net::Task<Result<Lease>> lease(Request request);

  /// A connection of its own, for TCP.
  struct Dialed {
    ConnectionPlace place;  ///< to be kept as long as the connection
    std::shared_ptr<EndpointPool> endpoint;
    Connection connection;
  };
  net::Task<Result<Dialed>> dial(Request request);

  ClusterCounters& counters() { return share_->counters; }
  const ClusterCounters& counters() const { return share_->counters; }
  const std::map<std::string, std::shared_ptr<EndpointPool>>& endpoints() const { return endpoints_; }
  /// What is spoken with endpoints about a request of that version: kHttp1 or kHttp2.
  http::Protocol protocol_for(http::Version downstream) const;
  /// A request in progress, if one more may be (max_requests).
  Place take_request() { return Place::take(share_->usage->requests, config_->max_requests); }
  /// Whether one more retry may be in progress (max_retries), and its place; `own`: how many the asker holds.
  bool may_retry(std::uint32_t own) const {
    return share_->usage->retries.load(std::memory_order_relaxed) - own < config_->max_retries;
  }
  Place take_retry() { return Place::beyond(share_->usage->retries); }

 private:
  bool by_name() const { return is_by_name(*config_); }
  void set_endpoints(const Endpoints& endpoints);
  void resolve();
  void take_answer(std::size_t host, std::vector<net::Address> addresses);
  void ask_for_other_names(const ClusterConfig& before);
  void use_answers();
  Result<std::shared_ptr<EndpointPool>> pick(const Request& request);
  std::shared_ptr<EndpointPool> endpoint_at(const net::Address& address);
  void make_room();
  net::Task<Result<Connection>> connect(net::Address to, TimePoint deadline, WaitingLine::Handle* waiting);
  static net::Task<Result<Connection>> secure(net::Task<Result<Connection>> connecting, ConfigPtr config,
                                              TimePoint deadline);
  net::Task<Result<Connection>> reach(net::Address to, TimePoint deadline);
  friend class Lease;
  void release(std::shared_ptr<UpstreamConnection> connection);
  net::Task<Result<Lease>> lease_connection(Request request);
  net::Task<Result<Lease>> lease_stream(Request request);
  net::Task<Result<Lease>> connect_for_all(std::shared_ptr<EndpointPool> endpoint, ConnectionPlace place,
                                           Request request);
  net::Task<Result<void>> wait_for_connection(std::shared_ptr<EndpointPool> endpoint, Request request);
  Lease lend(const std::shared_ptr<UpstreamConnection>& connection);
  Result<Place> take_pending();
  net::Task<Result<void>> wait_in_line(std::optional<WaitingLine::Turn>& turn, const Request& request,
                                       std::shared_ptr<WaitingLine::Kind> kind);
  bool used_up(const UpstreamConnection& connection) const;
  ConnectionPlace take_place(const std::shared_ptr<EndpointPool>& endpoint, ConnectionUse use);
  ConnectionPlace take_first_place(const std::shared_ptr<EndpointPool>& endpoint, ConnectionUse use);
  ConnectionPlace take_place_in_turn(const std::shared_ptr<EndpointPool>& endpoint, ConnectionUse use,
                                     bool woken);
  std::shared_ptr<EndpointPool> elsewhere(const Request& request, const EndpointPool& endpoint,
                                          ConnectionUse use, bool woken);
  bool has_place() const;
  bool close_longest_idle();
  bool beyond_limit() const;
  bool is_unreached(const Error& why, const Request& request) const;
  void look_again();
  void sweep();

  net::Loop& loop_;
  Random& random_;
  net::DnsResolver& dns_;
  Connector connector_;
  ConfigPtr config_;
  std::shared_ptr<ClusterShare> share_;
  LoadBalancer balancer_;
  std::map<std::string, std::shared_ptr<EndpointPool>> endpoints_;
  std::vector<std::vector<net::Address>> resolved_;  ///< of each of dns_hosts, its last good answer
  std::uint64_t names_ = 0;  ///< how often dns_hosts have changed: late answers are to others
  net::Timer sweep_timer_, dns_timer_, look_again_timer_;
  bool ttl_holds_ = false;  ///< the names are asked for again when their answers end, and not before
};

}  // namespace weft::proxy
