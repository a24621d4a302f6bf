#include "proxy/listener/tunnel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/random.h"
#include "net/socket.h"
#include "net/testing/pipe.h"

namespace weft::proxy {
namespace {

using net::IoError;
using net::testing::make_pipe;

/// What a tunnel may hold of one direction; docs/limits.md.
constexpr std::size_t kHeldAtMost = 64 * 1024;

net::Task<void> run(net::Stream& client, net::Stream& server, TunnelLimits limits,
                    std::optional<TunnelResult>& result) {
  result = co_await tunnel(client, server, {}, {}, limits);
}

std::string some_bytes(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(random.below(256));
  return bytes;
}

/// A tunnel on a simulated loop, seen from both of its ends.
struct Simulated {
  explicit Simulated(std::size_t client_capacity = 256 * 1024, std::size_t server_capacity = 256 * 1024,
                     TunnelLimits limits = {}) {
    std::tie(client, client_side) = make_pipe(*loop, client_capacity);
    std::tie(server_side, server) = make_pipe(*loop, server_capacity);
    scope.spawn(run(*client_side, *server_side, limits, result));
  }
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<net::testing::PipeEnd> client, client_side, server_side, server;
  std::optional<TunnelResult> result;
  net::TaskScope scope;
};

/// As much of `bytes` as is taken, at most `step`; it goes from the front.
void give(net::Stream& to, std::string_view& bytes, std::size_t step) {
  const iovec part{const_cast<char*>(bytes.data()), std::min(step, bytes.size())};
  if (part.iov_len) bytes.remove_prefix(to.try_write({&part, 1}).bytes);
}

void get(net::Stream& from, std::string& into, std::size_t step) {
  std::string piece(step, '\0');
  const net::IoResult got = from.try_read(piece);
  into.append(piece, 0, got.bytes);
}

struct Pace {
  std::size_t writes, reads, capacity;
};

void PrintTo(const Pace& pace, std::ostream* out) {
  *out << pace.writes << " written and " << pace.reads << " read at once, " << pace.capacity << " between";
}

class TunnelPace : public testing::TestWithParam<Pace> {};

TEST_P(TunnelPace, every_byte_arrives_once_and_in_order_in_both_directions) {
  const Pace pace = GetParam();
  Simulated tunnel(pace.capacity, pace.capacity);
  const std::string up = some_bytes(700'000, 1), down = some_bytes(650'000, 2);
  std::string_view to_send_up = up, to_send_down = down;
  std::string came_up, came_down;
  for (int turn = 0; turn < 2'000'000 && (came_up.size() < up.size() || came_down.size() < down.size());
       ++turn) {
    give(*tunnel.client, to_send_up, pace.writes);
    give(*tunnel.server, to_send_down, pace.reads);
    tunnel.loop->settle();
    get(*tunnel.server, came_up, pace.reads);
    get(*tunnel.client, came_down, pace.writes);
    tunnel.loop->settle();
  }
  EXPECT_TRUE(came_up == up);
  EXPECT_TRUE(came_down == down);
  EXPECT_FALSE(tunnel.result);
  tunnel.client->close();
  tunnel.server->close();
  tunnel.loop->settle();
  ASSERT_TRUE(tunnel.result);
  EXPECT_EQ(tunnel.result->bytes_from_client, up.size());
  EXPECT_EQ(tunnel.result->bytes_from_server, down.size());
}

INSTANTIATE_TEST_SUITE_P(AllSpeeds, TunnelPace,
                         testing::Values(Pace{1'000'000, 1'000'000, 256 * 1024},
                                         Pace{1'000'000, 1000, 64 * 1024}, Pace{1000, 1'000'000, 256 * 1024},
                                         Pace{70'000, 4999, 5000}, Pace{62 * 1024, 62 * 1024, 62 * 1024},
                                         Pace{62 * 1024 + 1, 62 * 1024 - 1, 62 * 1024 + 1}));

TEST(Tunnel, a_reader_that_stops_stops_its_writer_and_little_is_held) {
  constexpr std::size_t kCapacity = 10'000;
  Simulated tunnel(1'000'000, kCapacity);
  const std::string up = some_bytes(900'000, 3);
  std::string_view to_send = up;
  for (int turn = 0; turn < 20; ++turn) {
    give(*tunnel.client, to_send, up.size());
    tunnel.loop->settle();
  }
  ASSERT_TRUE(to_send.empty());
  EXPECT_EQ(tunnel.server->pending(), kCapacity);
  EXPECT_GE(tunnel.client_side->pending() + kCapacity + kHeldAtMost, up.size());
  // The other direction does not wait for it.
  std::string_view down = "still here";
  give(*tunnel.server, down, down.size());
  tunnel.loop->settle();
  EXPECT_EQ(tunnel.client->take(), "still here");
}

TEST(Tunnel, the_end_of_one_side_is_handed_on_behind_its_bytes_and_the_other_goes_on) {
  Simulated tunnel(256 * 1024, 5000);
  const std::string up = some_bytes(200'000, 4);
  std::string_view to_send = up;
  give(*tunnel.client, to_send, up.size());
  tunnel.client->shutdown_write();
  std::string came;
  char byte;
  for (int turn = 0; turn < 1000 && came.size() < up.size(); ++turn) {
    tunnel.loop->settle();
    get(*tunnel.server, came, 5000);
  }
  tunnel.loop->settle();
  EXPECT_TRUE(came == up);
  EXPECT_EQ(tunnel.server->try_read({&byte, 1}).error, IoError::kEnd);
  std::string_view down = "more from here";
  give(*tunnel.server, down, down.size());
  tunnel.loop->settle();
  EXPECT_EQ(tunnel.client->take(), "more from here");
  EXPECT_FALSE(tunnel.result);
  tunnel.server->close();
  tunnel.loop->settle();
  ASSERT_TRUE(tunnel.result);
  EXPECT_FALSE(tunnel.result->client_broke || tunnel.result->server_broke || tunnel.result->idle);
}

TEST(Tunnel, a_reset_in_the_middle_reaches_the_other_side_also_while_bytes_wait) {
  for (const bool by_client : {true, false}) {
    for (const bool waits : {true, false}) {
      Simulated tunnel(256 * 1024, waits ? 1000 : 256 * 1024);
      const std::string up = some_bytes(150'000, 5);
      std::string_view to_send = up;
      give(*tunnel.client, to_send, up.size());
      tunnel.loop->settle();
      (by_client ? tunnel.client : tunnel.server)->close(true);
      tunnel.loop->settle();
      // Whoever cannot send on learns of a reset when its reader is there again.
      for (int turn = 0; turn < 1000 && !tunnel.result; ++turn) {
        if (by_client) tunnel.server->take();
        tunnel.loop->settle();
      }
      ASSERT_TRUE(tunnel.result) << by_client << waits;
      EXPECT_EQ(tunnel.result->client_broke, by_client) << waits;
      EXPECT_EQ(tunnel.result->server_broke, !by_client) << waits;
      char byte;
      auto& other = by_client ? *tunnel.server : *tunnel.client;
      EXPECT_EQ(other.try_read({&byte, 1}).error, IoError::kReset) << by_client << waits;
    }
  }
}

std::pair<std::unique_ptr<net::Socket>, std::unique_ptr<net::Socket>> socket_pair(net::Loop& loop) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {*net::Socket::adopt(loop, net::Fd(fds[0])), *net::Socket::adopt(loop, net::Fd(fds[1]))};
}

net::Task<void> send_all(net::Stream& to, std::string_view bytes) {
  const net::IoResult sent = co_await to.write(bytes);
  EXPECT_EQ(sent.bytes, bytes.size());
  to.shutdown_write();
}

net::Task<void> receive_all(net::Stream& from, std::size_t step, std::string& into) {
  std::string piece(step, '\0');
  for (;;) {
    const net::IoResult got = co_await from.read(piece);
    if (!got.ok()) {
      EXPECT_EQ(got.error, IoError::kEnd);
      co_return;
    }
    into.append(piece, 0, got.bytes);
  }
}

TEST(Tunnel, sockets_at_full_speed_both_ways_lose_nothing) {
  net::Loop loop;
  auto [client, client_side] = socket_pair(loop);
  auto [server_side, server] = socket_pair(loop);
  const std::string up = some_bytes(3'000'000, 6), down = some_bytes(2'500'000, 7);
  std::string came_up, came_down;
  std::optional<TunnelResult> result;
  net::TaskScope scope;
  scope.spawn(run(*client_side, *server_side, {}, result));
  scope.spawn(send_all(*client, up));
  scope.spawn(send_all(*server, down));
  scope.spawn(receive_all(*client, 3001, came_down));
  scope.spawn(receive_all(*server, 100'000, came_up));
  for (const TimePoint end = loop.now() + 60s; scope.active() && loop.now() < end;) loop.run_once(10ms);
  ASSERT_TRUE(result);
  EXPECT_TRUE(came_up == up);
  EXPECT_TRUE(came_down == down);
  EXPECT_EQ(result->bytes_from_client, up.size());
  EXPECT_EQ(result->bytes_from_server, down.size());
}

}  // namespace
}  // namespace weft::proxy
