#include <optional>

#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

/// Streams share connections: while one is being made to the endpoint, requests wait for it, and another is
/// made only when no stream is left. Those in line stay there instead while no place is to be had: they would
/// all go, and most of them would come back.
net::Task<Result<Lease>> UpstreamCluster::lease_stream(Request request) {
  constexpr ConnectionUse kUse = ConnectionUse::kHttp2;
  std::optional<WaitingLine::Turn> turn;
  std::shared_ptr<EndpointPool> endpoint;
  bool waited_for_connection = false;
  for (;;) {
    if (!endpoint || endpoint->retired()) {
      WEFT_CO_TRY(endpoint, pick(request));
    }
    const bool woken = turn || waited_for_connection;
    const bool in_turn = woken || !endpoint->waited_for(kUse);
    if (in_turn) {
      if (auto shared = endpoint->take(http::Protocol::kHttp2)) {
        turn.reset();
        co_return lend(shared);
      }
    }
    if (endpoint->connecting && in_turn && (!turn || has_place())) {
      turn.reset();
      WEFT_CO_CHECK(co_await wait_for_connection(endpoint, request));
      waited_for_connection = true;
      continue;
    }
    ConnectionPlace place =
        endpoint->connecting ? ConnectionPlace() : take_place_in_turn(endpoint, kUse, woken);
    if (place) {
      turn.reset();
      co_return co_await connect_for_all(std::move(endpoint), std::move(place), request);
    }
    if (auto other = elsewhere(request, *endpoint, kUse, woken)) {
      endpoint = std::move(other);
      continue;
    }
    WEFT_CO_CHECK(co_await wait_in_line(turn, request, endpoint->kind_in_line(kUse)));
    endpoint.reset();  // another may have room by then
  }
}

/// A connection that was made is in the pool by then, or its maker has left it to others.
net::Task<Result<void>> UpstreamCluster::wait_for_connection(std::shared_ptr<EndpointPool> endpoint,
                                                             Request request) {
  const std::shared_ptr<ConnectionInProgress> connecting = endpoint->connecting;
  WEFT_CO_TRY(Place pending, take_pending());
  WaitingLine::Turn turn(loop_, connecting->waiting, std::move(pending), share_->counters, request.waiting);
  const bool in_time = co_await turn.wait(request.deadline);
  if (connecting->failed) {
    if (request.unreached) *request.unreached = std::move(endpoint);
    co_return fail(*connecting->failed);
  }
  if (!in_time) co_return fail(Error::upstream(Code::kTimeout, Retry::kElsewhere, "not connected in time"));
  co_return Result<void>{};
}

/// Makes the connection that others wait for, too, when it can serve more than one. A limit that is this
/// request's own fails only this one.
net::Task<Result<Lease>> UpstreamCluster::connect_for_all(std::shared_ptr<EndpointPool> endpoint,
                                                          ConnectionPlace place, Request request) {
  struct InProgress {
    explicit InProgress(EndpointPool& to) : endpoint(to) { endpoint.connecting = state; }
    ~InProgress() {
      endpoint.connecting.reset();
      state->waiting.wake_all();
    }
    EndpointPool& endpoint;
    std::shared_ptr<ConnectionInProgress> state = std::make_shared<ConnectionInProgress>();
  };
  std::shared_ptr<InProgress> in_progress;  // one that serves its maker alone is nothing to wait for
  if (config_->max_requests_per_connection != 1) in_progress = std::make_shared<InProgress>(*endpoint);
  auto made = co_await connect(endpoint->config().address, request.deadline, request.waiting);
  if (made) {
    auto connection = std::make_shared<UpstreamConnection>(std::move(*made), http::Protocol::kHttp2,
                                                           config_->http2, std::move(place));
    Lease lease(*this, connection);
    if (!used_up(*connection)) {
      if (!connection->http->settled()) connection->settling = std::move(in_progress);
      endpoint->put(std::move(connection));
    }
    lease.endpoint()->wake_in_line(ConnectionUse::kHttp2);  // it has room for more
    co_return lease;
  }
  if (is_unreached(made.error(), request)) {
    endpoint->note_unreached();
    if (in_progress) in_progress->state->failed = made.error();
  }
  if (request.unreached) *request.unreached = std::move(endpoint);
  co_return fail(std::move(made).error());
}

Lease UpstreamCluster::lend(const std::shared_ptr<UpstreamConnection>& connection) {
  Lease lease(*this, connection);
  if (used_up(*connection)) {
    connection->settling.reset();
    connection->endpoint->withdraw(*connection);
  }
  return lease;
}

}  // namespace weft::proxy
