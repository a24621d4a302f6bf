#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/h1/client_connection.h"
#include "proxy/config.h"
#include "proxy/upstream/connector.h"
#include "proxy/upstream/places.h"

namespace weft::proxy {

/// One HTTP/1 connection to an endpoint, idle in its pool or lent to a request.
struct UpstreamConnection {
  UpstreamConnection(Connection connected, ConnectionPlace taken);
  ~UpstreamConnection();
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  ConnectionPlace place;  ///< first of all: given back when everything else is gone
  std::shared_ptr<EndpointPool> endpoint;
  http::h1::ClientConnection http;
  std::string local_address;
  TimePoint idle_since = kNever;
  bool idle = false;
};

/// One endpoint as a worker sees it, with its idle connections.
///
/// Owner: shared by the worker's cluster, the load balancer and requests in progress: an endpoint that is
/// removed lives until its last request has ended. Thread: the worker's loop.
class EndpointPool : public std::enable_shared_from_this<EndpointPool> {
 public:
  EndpointPool(net::Loop& loop, std::shared_ptr<ClusterShare> share, Endpoint config, std::uint32_t priority)
      : loop_(loop),
        share_(std::move(share)),
        config_(std::move(config)),
        text_(config_.address.to_string()),
        priority_(priority) {}

  const Endpoint& config() const { return config_; }
  ClusterShare& share() const { return *share_; }
  const std::string& text() const { return text_; }
  std::uint32_t priority() const { return priority_; }
  std::uint32_t weight() const { return config_.weight; }
  void update(Endpoint config, std::uint32_t priority) {
    config_ = std::move(config);
    priority_ = priority;
  }

  /// An idle connection that is fit for use, the last one returned first; null when there is none.
  std::unique_ptr<UpstreamConnection> take();
  void put(std::unique_ptr<UpstreamConnection> connection);
  /// Closes connections idle since before `then`; the earliest idle_since that is left, or kNever.
  TimePoint close_idle_before(TimePoint then);
  /// Since when its longest idle connection is idle; kNever when none is.
  TimePoint idle_since() const { return idle_.empty() ? kNever : idle_.front()->idle_since; }
  void close_longest_idle();
  /// No request uses a connection of it or waits for one to be made.
  bool at_rest() const { return connections == idle_.size(); }
  /// Closes idle connections now and those in use when they come back. Whatever leaves a cluster is retired:
  /// an idle connection holds its pool, and a pool that nobody sweeps would hold it for ever.
  void retire();
  std::size_t idle_connections() const { return idle_.size(); }
  /// The server ended an idle connection, or sent something nobody asked for: it goes (rule A39).
  void disturbed();

  std::uint32_t active_requests = 0;
  std::uint32_t connections = 0;  ///< there or being made; counted by ConnectionPlace
  std::uint64_t total_requests = 0;
  std::int64_t credit = 0;  ///< of weighted round robin

 private:
  net::Loop& loop_;
  std::shared_ptr<ClusterShare> share_;
  Endpoint config_;
  std::string text_;
  std::uint32_t priority_;
  bool retired_ = false, sweeping_ = false;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;
};

}  // namespace weft::proxy
