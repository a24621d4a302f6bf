#include "proxy/upstream/endpoint_pool.h"

#include <algorithm>

#include "proxy/upstream/tcp_session.h"

namespace weft::proxy {
namespace {

using Connections = std::vector<std::shared_ptr<UpstreamConnection>>;

/// The longest idle of them; end() when none is.
Connections::const_iterator longest_idle(const Connections& connections) {
  const auto longest = std::ranges::min_element(connections, {}, &UpstreamConnection::idle_since);
  return longest != connections.end() && (*longest)->idle() ? longest : connections.end();
}

}  // namespace

UpstreamConnection::UpstreamConnection(Connection connected, http::Protocol spoken,
                                       const http::Http2Limits& http2, ConnectionPlace taken)
    : place(std::move(taken)),
      endpoint(place.endpoint()),
      http(http::make_client_session(spoken, std::move(connected.stream), {}, http2)),
      local_address(connected.local.to_string()),
      protocol(spoken) {
  http->on_change([this] {
    if (idle() || protocol == http::Protocol::kHttp2) endpoint->on_idle_readable();
  });
}

UpstreamConnection::UpstreamConnection(Connection connected, ConnectionPlace taken)
    : place(std::move(taken)),
      endpoint(place.endpoint()),
      http(std::make_unique<TcpSession>(std::move(connected.stream))),
      local_address(connected.local.to_string()),
      protocol(http::Protocol::kHttp1) {}

UpstreamConnection::~UpstreamConnection() { http->on_change({}); }

std::shared_ptr<UpstreamConnection> EndpointPool::take(http::Protocol protocol) {
  if (protocol == http::Protocol::kHttp2) {
    for (const auto& connection : multiplexed_) {
      if (!connection->has_room()) continue;
      connection->idle_since = kNever;
      return connection;
    }
    return nullptr;
  }
  while (!idle_.empty()) {
    std::shared_ptr<UpstreamConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    connection->idle_since = kNever;
    if (connection->http->capacity() > 0) return connection;
  }
  return nullptr;
}

void EndpointPool::put(std::shared_ptr<UpstreamConnection> connection) {
  if (retired_ || connection->http->over()) {
    connection->settling.reset();
    return withdraw(*connection);
  }
  if (connection->active == 0) {
    connection->http->park();
    connection->idle_since = loop_.now();
  }
  if (connection->protocol == http::Protocol::kHttp1) {
    idle_.push_back(std::move(connection));
  } else if (std::ranges::find(multiplexed_, connection) == multiplexed_.end()) {
    multiplexed_.push_back(std::move(connection));
  }
}

void EndpointPool::withdraw(const UpstreamConnection& connection) {
  std::erase_if(multiplexed_, [&](const auto& each) { return each.get() == &connection; });
}

TimePoint EndpointPool::close_idle_before(TimePoint then) {
  const auto too_long = [&](const auto& connection) { return connection->idle_since <= then; };
  std::erase_if(idle_, too_long);
  std::erase_if(multiplexed_, too_long);
  return idle_since();
}

TimePoint EndpointPool::idle_since() const {
  const auto multiplexed = longest_idle(multiplexed_);
  return std::min(idle_.empty() ? kNever : idle_.front()->idle_since,
                  multiplexed == multiplexed_.end() ? kNever : (*multiplexed)->idle_since);
}

void EndpointPool::close_longest_idle() {
  const auto multiplexed = longest_idle(multiplexed_);
  const bool has_multiplexed = multiplexed != multiplexed_.end();
  if (has_multiplexed && (idle_.empty() || (*multiplexed)->idle_since < idle_.front()->idle_since))
    multiplexed_.erase(multiplexed);
  else if (!idle_.empty())
    idle_.erase(idle_.begin());
}

std::size_t EndpointPool::idle_connections() const {
  return idle_.size() +
         static_cast<std::size_t>(std::ranges::count_if(multiplexed_, &UpstreamConnection::idle));
}

bool EndpointPool::has_room_at_limit(ConnectionUse use, TimePoint now) const {
  if (connections(use) == 0) return now >= unreachable_until_;
  return use == ConnectionUse::kHttp2 &&
         std::ranges::any_of(multiplexed_, [](const auto& each) { return each->has_room(); });
}

bool EndpointPool::at_rest() const { return connections() == idle_connections() && kinds_.empty(); }

void EndpointPool::retire() {
  retired_ = true;
  // The last of them may hold the last reference to this.
  const auto closing = std::exchange(idle_, {});
  const auto ending = std::exchange(multiplexed_, {});
  for (const auto& connection : ending) connection->settling.reset();
}

void EndpointPool::on_idle_readable() {
  // Not here: we are inside the session's own notification.
  if (std::exchange(sweeping_, true)) return;
  loop_.defer([pool = weak_from_this()] {
    if (const auto self = pool.lock()) self->sweep();
  });
}

void EndpointPool::sweep() {
  sweeping_ = false;
  // Readable while idle is never right: an end, a reset, or bytes that no request has asked for.
  std::erase_if(idle_, [](const auto& connection) { return connection->http->capacity() == 0; });
  for (const auto& connection : multiplexed_)
    if (connection->http->settled()) connection->settling.reset();
  std::erase_if(multiplexed_, [](const auto& connection) { return connection->http->over(); });
  // The server may allow more streams than before.
  const auto has_room = [](const auto& connection) { return connection->has_room(); };
  if (std::ranges::any_of(multiplexed_, has_room)) wake_in_line(ConnectionUse::kHttp2);
}

}  // namespace weft::proxy
