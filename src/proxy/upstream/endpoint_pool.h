#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client_session.h"
#include "http/protocol.h"
#include "proxy/config.h"
#include "proxy/upstream/connector.h"
#include "proxy/upstream/places.h"

namespace weft::proxy {

/// One HTTP connection to an endpoint. One of HTTP/1 is idle in its pool or lent to a request; one of HTTP/2
/// stays in its pool, and many requests have streams of it.
struct UpstreamConnection {
  /// `protocol` is kHttp1 or kHttp2.
  UpstreamConnection(Connection connected, http::Protocol protocol, const http::Http2Limits& http2,
                     ConnectionPlace taken);
  /// TCP, for the tunnel of one CONNECT; it is never in a pool.
  UpstreamConnection(Connection connected, ConnectionPlace taken);
  ~UpstreamConnection();
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  ConnectionPlace place;  ///< first of all: given back when everything else is gone
  std::shared_ptr<EndpointPool> endpoint;
  std::unique_ptr<http::ClientSession> http;
  std::string local_address;
  http::Protocol protocol;
  std::uint32_t active = 0;       ///< exchanges that are lent
  TimePoint idle_since = kNever;  ///< while it is in its pool and has none
  bool idle() const { return idle_since != kNever; }
  /// Another exchange can begin. One of HTTP/2 serves who made it until the server has said how many may
  /// share it: what goes beyond gets REFUSED_STREAM.
  bool has_room() const { return http->capacity() > 0 && (active == 0 || http->settled()); }
  /// Held until then: requests wait for that as for a connection that is being made.
  std::shared_ptr<void> settling;
};

/// A connection that is being made, which several requests wait for. One of them makes it.
struct ConnectionInProgress {
  WaitingLine waiting;
  std::optional<Error> failed;
};

/// Which of its cluster's localities an endpoint is of, and that locality's weight.
struct LocalityShare {
  std::uint32_t index = 0, weight = 0;
};

/// One endpoint as a worker sees it, with its connections that can take a request.
///
/// Owner: shared by the worker's cluster, the load balancer and requests in progress: an endpoint that is
/// removed lives until its last request has ended. Thread: the worker's loop.
class EndpointPool : public std::enable_shared_from_this<EndpointPool> {
 public:
  EndpointPool(net::Loop& loop, std::shared_ptr<ClusterShare> share, Endpoint config, std::uint32_t priority,
               LocalityShare locality = {})
      : loop_(loop),
        share_(std::move(share)),
        config_(std::move(config)),
        text_(config_.address.to_string()),
        priority_(priority),
        locality_(locality) {}

  const Endpoint& config() const { return config_; }
  ClusterShare& share() const { return *share_; }
  const std::string& text() const { return text_; }
  std::uint32_t priority() const { return priority_; }
  const LocalityShare& locality() const { return locality_; }
  std::uint32_t weight() const { return config_.weight; }
  void update(Endpoint config, std::uint32_t priority, LocalityShare locality) {
    config_ = std::move(config);
    priority_ = priority;
    locality_ = locality;
  }

  /// A connection that one more exchange can begin on; null when there is none. Of HTTP/1 the last one
  /// returned, which leaves the pool; of HTTP/2 the first with room, which stays.
  std::shared_ptr<UpstreamConnection> take(http::Protocol protocol);
  /// One exchange less, or a new connection. It is dropped when no exchange can begin on it any more; its
  /// last exchanges hold it.
  void put(std::shared_ptr<UpstreamConnection> connection);
  /// No exchange begins on it any more.
  void withdraw(const UpstreamConnection& connection);
  /// Closes connections idle since before `then`; the earliest idle_since that is left, or kNever.
  TimePoint close_idle_before(TimePoint then);
  /// Since when its longest idle connection is idle; kNever when none is.
  TimePoint idle_since() const;
  void close_longest_idle();
  /// Whether a request finds room here also at the limit of its cluster, when nothing is idle: a stream of a
  /// connection in use, or a first connection, but for kUnreachable after one could not be made.
  bool has_room_at_limit(ConnectionUse use, TimePoint now) const;
  static constexpr Duration kUnreachable = std::chrono::seconds(1);
  /// A connection to it could not be made.
  void note_unreached() { unreachable_until_ = loop_.now() + kUnreachable; }
  /// Requests wait for that here.
  bool waited_for(ConnectionUse use) const {
    return !(share_->kinds_by_endpoint ? kinds_ : share_->kinds).empty(use);
  }
  std::shared_ptr<WaitingLine::Kind> kind_in_line(ConnectionUse use) { return kinds().of(use); }
  /// There may be room for one of them.
  void wake_in_line(ConnectionUse use) { kinds().wake(share_->waiting, use); }
  /// No request uses a connection of it, waits for one to be made, or waits in line for this endpoint.
  bool at_rest() const;
  /// Closes idle connections now and those in use when they come back. Whatever leaves a cluster is retired:
  /// a connection holds its pool, and a pool that is not swept would hold it forever.
  void retire();
  bool retired() const { return retired_; }
  std::size_t idle_connections() const;
  /// There or being made.
  std::uint32_t connections() const { return connections_[0] + connections_[1] + connections_[2]; }
  std::uint32_t connections(ConnectionUse use) const { return connections_[static_cast<std::size_t>(use)]; }
  void count_connection(ConnectionUse use, int by) {
    connections_[static_cast<std::size_t>(use)] += static_cast<std::uint32_t>(by);
  }
  /// A connection in the pool has changed by the server's doing. An idle one of HTTP/1 goes: the server ended
  /// it, or sent something that no request has asked for (rule A39).
  void on_idle_readable();

  std::uint32_t active_requests = 0;
  std::uint64_t total_requests = 0;
  std::int64_t credit = 0;  ///< of weighted round robin
  /// Of HTTP/2, while one is being made.
  std::shared_ptr<ConnectionInProgress> connecting;

 private:
  void sweep();
  KindsInLine& kinds() { return share_->kinds_by_endpoint ? kinds_ : share_->kinds; }

  net::Loop& loop_;
  std::shared_ptr<ClusterShare> share_;
  Endpoint config_;
  std::string text_;
  std::uint32_t priority_;
  LocalityShare locality_;
  KindsInLine kinds_;  ///< of those that want this endpoint and no other
  bool retired_ = false, sweeping_ = false;
  TimePoint unreachable_until_{};
  std::array<std::uint32_t, kConnectionUses> connections_{};      ///< by use
  std::vector<std::shared_ptr<UpstreamConnection>> idle_;         ///< HTTP/1, the longest idle first
  std::vector<std::shared_ptr<UpstreamConnection>> multiplexed_;  ///< HTTP/2, the oldest first
};

}  // namespace weft::proxy
