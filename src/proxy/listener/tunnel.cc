#include "proxy/listener/tunnel.h"

#include "http/h1/read_buffer.h"

namespace weft::proxy {
namespace {

struct Shared {
  TunnelResult result;
  Duration idle_timeout{}, write_timeout{};
  TimePoint last_moved;
};

struct Direction {
  net::Stream& from;
  net::Stream& to;
  std::uint64_t& bytes;
  bool& from_broke;
  bool& to_broke;
};

Result<void> over() { return fail(Error::internal(Code::kClosed, "the tunnel has ended")); }

/// Waits until `from` has something; false when the whole tunnel has been idle for too long.
net::Task<net::IoError> wait_readable(Direction& direction, Shared& shared) {
  for (;;) {
    if (shared.idle_timeout != Duration::zero())
      direction.from.set_read_deadline(shared.last_moved + shared.idle_timeout);
    const net::IoError waited = co_await direction.from.readable();
    if (waited != net::IoError::kTimeout) co_return waited;
    // The other direction may have moved meanwhile.
    if (shared.last_moved + shared.idle_timeout <= direction.from.loop().now()) co_return waited;
  }
}

net::Task<Result<void>> copy(Direction direction, Shared& shared, std::string first) {
  if (!first.empty()) {
    direction.bytes += first.size();
    if (shared.write_timeout != Duration::zero())
      direction.to.set_write_deadline(shared.last_moved + shared.write_timeout);
    if (!(co_await direction.to.write(first)).ok()) {
      direction.to_broke = true;
      co_return over();
    }
    first = {};
  }
  http::h1::ReadBuffer buffer;
  for (;;) {
    net::IoResult got = buffer.fill(direction.from);
    if (got.error == net::IoError::kWouldBlock) {
      buffer.release();
      const net::IoError waited = co_await wait_readable(direction, shared);
      if (waited == net::IoError::kTimeout) {
        shared.result.idle = true;
        co_return over();
      }
      if (waited != net::IoError::kNone) co_return over();
      continue;
    }
    if (got.error == net::IoError::kEnd) {
      direction.to.shutdown_write();
      co_return Result<void>{};
    }
    if (!got.ok()) {
      direction.from_broke = true;
      co_return over();
    }
    shared.last_moved = direction.from.loop().now();
    direction.bytes += got.bytes;
    if (shared.write_timeout != Duration::zero())
      direction.to.set_write_deadline(shared.last_moved + shared.write_timeout);
    const net::IoResult sent = co_await direction.to.write(buffer.view());
    if (!sent.ok()) {
      if (sent.error == net::IoError::kTimeout)
        shared.result.idle = true;
      else
        direction.to_broke = true;
      co_return over();
    }
    shared.last_moved = direction.from.loop().now();
    buffer.consume(got.bytes);
  }
}

}  // namespace

net::Task<TunnelResult> tunnel(net::Stream& client, net::Stream& server, std::string client_first,
                               std::string server_first, TunnelLimits limits) {
  const Duration write_timeout = limits.idle != Duration::zero() ? limits.idle : limits.stall;
  Shared shared{{}, limits.idle, write_timeout, client.loop().now()};
  TunnelResult& result = shared.result;
  client.set_read_deadline(kNever);
  server.set_read_deadline(kNever);
  client.set_write_deadline(kNever);
  server.set_write_deadline(kNever);
  Direction up{client, server, result.bytes_from_client, result.client_broke, result.server_broke};
  Direction down{server, client, result.bytes_from_server, result.server_broke, result.client_broke};
  static_cast<void>(co_await net::both(copy(up, shared, std::move(client_first)),
                                       copy(down, shared, std::move(server_first))));
  const bool cut = result.client_broke || result.server_broke || result.idle;
  client.close(cut && !result.idle);
  server.close(cut && !result.idle);
  co_return result;
}

}  // namespace weft::proxy
