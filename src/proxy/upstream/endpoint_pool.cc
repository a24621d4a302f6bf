#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {

UpstreamConnection::UpstreamConnection(Connection connected, ConnectionPlace taken)
    : place(std::move(taken)),
      endpoint(place.endpoint()),
      http(std::move(connected.stream)),
      local_address(connected.local.to_string()) {
  http.stream().on_unattended([this](net::ReadyHandler::Ready) {
    if (idle) endpoint->disturbed();
  });
}

UpstreamConnection::~UpstreamConnection() {
  http.stream().on_unattended({});
  ++endpoint->share().counters.upstream_cx_destroy;
}

std::unique_ptr<UpstreamConnection> EndpointPool::take() {
  while (!idle_.empty()) {
    std::unique_ptr<UpstreamConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    connection->idle = false;
    if (connection->http.usable()) return connection;
  }
  return nullptr;
}

void EndpointPool::put(std::unique_ptr<UpstreamConnection> connection) {
  if (retired_ || !connection->http.usable()) return;
  connection->http.park();
  connection->idle = true;
  connection->idle_since = loop_.now();
  idle_.push_back(std::move(connection));
}

TimePoint EndpointPool::close_idle_before(TimePoint then) {
  std::erase_if(idle_, [&](const auto& connection) { return connection->idle_since <= then; });
  return idle_.empty() ? kNever : idle_.front()->idle_since;
}

void EndpointPool::close_longest_idle() {
  if (!idle_.empty()) idle_.erase(idle_.begin());
}

void EndpointPool::retire() {
  retired_ = true;
  // The last of them may hold the last reference to this.
  const auto closing = std::exchange(idle_, {});
}

void EndpointPool::disturbed() {
  // Not here: we are inside the stream's own notification.
  if (std::exchange(sweeping_, true)) return;
  loop_.defer([pool = weak_from_this()] {
    const auto self = pool.lock();
    if (!self) return;
    self->sweeping_ = false;
    // Readable while idle is never right: an end, a reset, or bytes that no request has asked for.
    std::erase_if(self->idle_, [](const auto& connection) { return !connection->http.usable(); });
  });
}

}  // namespace weft::proxy
