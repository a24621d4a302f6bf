#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/h1/client_connection.h"
#include "net/socket.h"
#include "proxy/config.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class EndpointPool;

/// One connection to an endpoint, idle in its pool or lent to a request.
struct UpstreamConnection {
  UpstreamConnection(std::unique_ptr<net::Socket> connected, std::shared_ptr<EndpointPool> owner,
                     std::shared_ptr<ClusterCounters> counted_in);
  ~UpstreamConnection();
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  std::shared_ptr<EndpointPool> endpoint;
  std::shared_ptr<ClusterCounters> counters;
  net::Socket* socket;
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
  EndpointPool(net::Loop& loop, Endpoint config, std::uint32_t priority)
      : loop_(loop), config_(std::move(config)), text_(config_.address.to_string()), priority_(priority) {}

  const Endpoint& config() const { return config_; }
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
  /// Closes idle connections now and those in use when they come back.
  void retire();
  std::size_t idle_connections() const { return idle_.size(); }
  /// The server ended an idle connection, or sent something nobody asked for: it goes (rule A39).
  void disturbed();

  std::uint32_t active_requests = 0;
  std::uint32_t connections = 0;
  std::uint64_t total_requests = 0;
  std::int64_t credit = 0;  ///< of weighted round robin

 private:
  net::Loop& loop_;
  Endpoint config_;
  std::string text_;
  std::uint32_t priority_;
  bool retired_ = false, sweeping_ = false;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;
};

}  // namespace weft::proxy
