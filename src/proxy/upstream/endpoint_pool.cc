#include "proxy/upstream/endpoint_pool.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace weft::proxy {

UpstreamConnection::UpstreamConnection(std::unique_ptr<net::Socket> connected, ConnectionPlace taken)
    : place(std::move(taken)),
      endpoint(place.endpoint()),
      socket(connected.get()),
      http(std::move(connected)) {
  local_address = socket->local_address().to_string();
  socket->on_unattended([this](net::ReadyHandler::Ready) {
    if (idle) endpoint->disturbed();
  });
}

UpstreamConnection::~UpstreamConnection() {
  socket->on_unattended({});
  ++endpoint->share().counters.upstream_cx_destroy;
}

bool UpstreamConnection::delivered() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket->fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  if (size < offsetof(tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans) return true;
  // The first byte that was acknowledged is the SYN's.
  return info.tcpi_bytes_acked > info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
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
    std::erase_if(self->idle_, [](const auto& connection) {
      // Readable while idle is never right: an end, a reset, or bytes that answer nothing.
      char byte;
      const net::IoResult got = connection->socket->peek({&byte, 1});
      return got.ok() || got.error != net::IoError::kWouldBlock || !connection->http.usable();
    });
  });
}

}  // namespace weft::proxy
