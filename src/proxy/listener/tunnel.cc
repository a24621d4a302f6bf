#include "proxy/listener/tunnel.h"

#include <algorithm>
#include <memory>

namespace weft::proxy {
namespace {

/// What one read takes at most: what goes out as one packet. A write of more leaves a rest that travels by
/// itself, and a packet costs about the same whatever is in it (decisions/0076).
constexpr std::size_t kBlock = 62 * 1024;
static_assert(kBlock <= 65'483, "the loopback's");
static_assert(kBlock <= 44 * 1448, "what an Ethernet of 1500 bytes is handed at once");

/// Where bytes are between a read and the write that follows it. Nothing stays here over a wait, so one for
/// all tunnels of a thread will do.
std::span<char> block_in_passing() {
  static thread_local const auto bytes = std::make_unique_for_overwrite<char[]>(kBlock);
  return {bytes.get(), kBlock};
}

struct Shared {
  TunnelResult result;
  Duration idle_timeout{}, write_timeout{};
  std::size_t block = 0;
  TimePoint last_moved;
};

struct TunnelDirection {
  net::Stream& from;
  net::Stream& to;
  std::uint64_t& bytes;
  bool& from_broke;
  bool& to_broke;
};

Result<void> over() { return fail(Error::internal(Code::kClosed, "the tunnel has ended")); }

/// Waits until `from` has something; false when the whole tunnel has been idle for too long.
net::Task<net::IoError> wait_readable(TunnelDirection& direction, Shared& shared) {
  for (;;) {
    if (shared.idle_timeout != Duration::zero())
      direction.from.set_read_deadline(shared.last_moved + shared.idle_timeout);
    const net::IoError waited = co_await direction.from.readable();
    if (waited != net::IoError::kTimeout) co_return waited;
    // The other direction may have moved meanwhile.
    if (shared.last_moved + shared.idle_timeout <= direction.from.loop().now()) co_return waited;
  }
}

/// As much of `data` as is taken without waiting; what is left stays in it.
net::IoResult send_at_once(net::Stream& to, std::string_view& data) {
  net::IoResult sent;
  while (sent.ok() && !data.empty()) {
    const iovec part{const_cast<char*>(data.data()), data.size()};
    sent = to.try_write({&part, 1});
    data.remove_prefix(sent.bytes);
  }
  return sent;
}

/// Waits until `to` takes more. Timeout: the whole tunnel has been idle for too long, or, where it may be,
/// this side has taken nothing since `taken`.
net::Task<net::IoError> wait_writable(TunnelDirection& direction, Shared& shared, TimePoint taken) {
  const TimePoint& since = shared.idle_timeout != Duration::zero() ? shared.last_moved : taken;
  for (;;) {
    if (shared.write_timeout != Duration::zero())
      direction.to.set_write_deadline(since + shared.write_timeout);
    const net::IoError waited = co_await direction.to.writable();
    if (waited != net::IoError::kTimeout) co_return waited;
    if (since + shared.write_timeout <= direction.to.loop().now()) co_return waited;
  }
}

/// What was not taken at once: kept until it is.
net::Task<Result<void>> send_rest(TunnelDirection& direction, Shared& shared, net::IoResult sent,
                                  std::string rest) {
  std::string_view left(rest);
  TimePoint taken = shared.last_moved;
  for (;;) {
    if (sent.error == net::IoError::kWouldBlock) sent = {0, co_await wait_writable(direction, shared, taken)};
    if (!sent.ok()) break;
    const std::size_t before = left.size();
    sent = send_at_once(direction.to, left);
    if (left.size() < before) shared.last_moved = taken = direction.to.loop().now();
    if (left.empty()) co_return Result<void>{};
  }
  (sent.error == net::IoError::kTimeout ? shared.result.idle : direction.to_broke) = true;
  co_return over();
}

net::Task<Result<void>> copy(TunnelDirection direction, Shared& shared, std::string first) {
  if (!first.empty()) {
    direction.bytes += first.size();
    WEFT_CO_CHECK(co_await send_rest(direction, shared, {}, std::exchange(first, {})));
  }
  for (;;) {
    const std::span<char> block = block_in_passing().first(shared.block);
    const net::IoResult got = direction.from.try_read(block);
    if (got.error == net::IoError::kWouldBlock) {
      const net::IoError waited = co_await wait_readable(direction, shared);
      if (waited == net::IoError::kNone) continue;
      shared.result.idle = shared.result.idle || waited == net::IoError::kTimeout;
      co_return over();
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
    std::string_view left(block.data(), got.bytes);
    const net::IoResult sent = send_at_once(direction.to, left);
    if (!left.empty()) WEFT_CO_CHECK(co_await send_rest(direction, shared, sent, std::string(left)));
  }
}

net::Task<Result<void>> copy_both(TunnelDirection up, TunnelDirection down, Shared& shared,
                                  std::string client_first, std::string server_first) {
  static_cast<void>(co_await net::both(copy(up, shared, std::move(client_first)),
                                       copy(down, shared, std::move(server_first))));
  co_return over();
}

net::Task<Result<void>> until(TimePoint end, net::Loop& loop, Shared& shared) {
  co_await loop.sleep_until(end);
  shared.result.idle = true;
  co_return over();
}

}  // namespace

net::Task<TunnelResult> tunnel(net::Stream& client, net::Stream& server, std::string client_first,
                               std::string server_first, TunnelLimits limits) {
  const Duration write_timeout = limits.idle != Duration::zero() ? limits.idle : limits.stall;
  Shared shared{{}, limits.idle, write_timeout, std::min(limits.block, kBlock), client.loop().now()};
  TunnelResult& result = shared.result;
  client.set_read_deadline(kNever);
  server.set_read_deadline(kNever);
  client.set_write_deadline(kNever);
  server.set_write_deadline(kNever);
  TunnelDirection up{client, server, result.bytes_from_client, result.client_broke, result.server_broke};
  TunnelDirection down{server, client, result.bytes_from_server, result.server_broke, result.client_broke};
  auto copied = copy_both(up, down, shared, std::move(client_first), std::move(server_first));
  if (limits.end == kNever)
    static_cast<void>(co_await std::move(copied));
  else
    static_cast<void>(co_await net::both(std::move(copied), until(limits.end, client.loop(), shared)));
  const bool cut = result.client_broke || result.server_broke || result.idle;
  client.close(cut && !result.idle);
  server.close(cut && !result.idle);
  co_return result;
}

}  // namespace weft::proxy
