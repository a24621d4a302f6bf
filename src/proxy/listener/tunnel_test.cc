#include "proxy/listener/tunnel.h"

#include <gtest/gtest.h>

#include <optional>

#include "net/testing/pipe.h"

namespace weft::proxy {
namespace {

using net::testing::PipeEnd;

/// A tunnel between two pipes, and the far end of each.
class TunnelTest : public ::testing::Test {
 protected:
  void start(TunnelLimits limits = {}, std::string client_first = {}, std::string server_first = {},
             std::size_t capacity = 256 * 1024) {
    std::tie(client, near_client_) = net::testing::make_pipe(*loop, capacity);
    std::tie(server, near_server_) = net::testing::make_pipe(*loop, capacity);
    scope_.spawn(run(limits, std::move(client_first), std::move(server_first)));
    loop->settle();
  }
  net::Task<void> run(TunnelLimits limits, std::string client_first, std::string server_first) {
    result = co_await tunnel(*near_client_, *near_server_, std::move(client_first), std::move(server_first),
                             limits);
  }
  /// As much as is taken.
  std::size_t write(PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const std::size_t taken = end.try_write(std::span(&part, 1)).bytes;
    loop->settle();
    return taken;
  }
  net::IoError error(PipeEnd& end) {
    char byte;
    loop->settle();
    return end.try_read({&byte, 1}).error;
  }
  /// "SENT RECEIVED", and what has broken.
  std::string ended() const {
    if (!result) return "goes on";
    return std::to_string(result->bytes_from_client) + " " + std::to_string(result->bytes_from_server) +
           (result->client_broke ? " client" : "") + (result->server_broke ? " server" : "") +
           (result->idle ? " idle" : "");
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<PipeEnd> client, server;
  std::optional<TunnelResult> result;

 private:
  std::unique_ptr<PipeEnd> near_client_, near_server_;
  net::TaskScope scope_;
};

TEST_F(TunnelTest, copies_both_ways_until_both_sides_have_ended) {
  start();
  write(*client, "question");
  write(*server, "answer");
  EXPECT_EQ(server->take(), "question");
  EXPECT_EQ(client->take(), "answer");
  client->shutdown_write();
  EXPECT_EQ(error(*server), net::IoError::kEnd);
  write(*server, " and more");
  EXPECT_EQ(client->take(), " and more") << "the end of one side is no end of the other";
  EXPECT_EQ(ended(), "goes on");
  server->shutdown_write();
  EXPECT_EQ(error(*client), net::IoError::kEnd);
  EXPECT_EQ(ended(), "8 15");
}

TEST_F(TunnelTest, sends_what_was_read_before_it_began_first) {
  start({}, "from the client ", "from the server ");
  write(*client, "1");
  write(*server, "2");
  EXPECT_EQ(server->take(), "from the client 1");
  EXPECT_EQ(client->take(), "from the server 2");
  client->shutdown_write();
  server->shutdown_write();
  loop->settle();
  EXPECT_EQ(ended(), "17 17");
}

TEST_F(TunnelTest, hands_the_break_of_one_side_on_as_a_break) {
  start();
  write(*client, "abc");
  client->close(true);
  loop->settle();
  EXPECT_EQ(ended(), "3 0 client");
  EXPECT_EQ(error(*server), net::IoError::kReset);
  start();
  server->close(true);
  loop->settle();
  EXPECT_EQ(ended(), "0 0 server");
  EXPECT_EQ(error(*client), net::IoError::kReset);
}

TEST_F(TunnelTest, ends_in_order_when_nothing_has_moved_in_either_direction_for_too_long) {
  start({.idle = 10s});
  loop->advance(9s);
  write(*client, "a");
  loop->advance(9s);
  write(*server, "b");
  loop->advance(10s - 1ms);
  EXPECT_EQ(ended(), "goes on");
  loop->advance(1ms);
  EXPECT_EQ(ended(), "1 1 idle");
  client->take();
  EXPECT_EQ(error(*client), net::IoError::kEnd);
}

TEST_F(TunnelTest, that_has_no_limit_stands_still_forever) {
  start();
  loop->advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(ended(), "goes on");
  write(*client, "a");
  EXPECT_EQ(server->take(), "a");
}

TEST_F(TunnelTest, a_reader_that_stops_stops_its_writer_and_no_byte_is_lost) {
  start({}, {}, {}, 10);
  std::string sent, got;
  for (int i = 0; i < 100; ++i) {
    const std::string piece = std::to_string(i) + ",";
    sent += piece.substr(0, write(*client, piece));
  }
  EXPECT_LE(sent.size(), 30u) << "what two pipes and one read hold";
  EXPECT_EQ(write(*server, "b"), 1u);
  EXPECT_EQ(client->take(), "b") << "the other direction goes on";
  for (std::string more = "-"; !more.empty();) {
    more = server->take();
    got += more;
    loop->settle();
  }
  EXPECT_EQ(got, sent);
}

TEST_F(TunnelTest, what_moves_in_the_other_direction_keeps_it_while_bytes_wait) {
  start({.idle = 5s}, {}, {}, 4);
  write(*client, "abcd");
  write(*client, "efgh");
  for (int second = 0; second < 8; ++second) {
    loop->advance(1s);
    write(*server, "x");
    EXPECT_EQ(client->take(), "x") << second;
  }
  EXPECT_EQ(ended(), "goes on");
  loop->advance(5s);
  EXPECT_EQ(ended(), "8 8 idle");
}

TEST_F(TunnelTest, a_side_that_takes_a_part_has_not_stalled) {
  for (const TunnelLimits limits : {TunnelLimits{.idle = 5s}, TunnelLimits{.stall = 5s}}) {
    result.reset();
    start(limits, "abcdefghijkl", {}, 4);
    loop->advance(3s);
    EXPECT_EQ(server->take(), "abcd");
    loop->settle();
    loop->advance(5s - 1ms);
    EXPECT_EQ(ended(), "goes on");
    loop->advance(1ms);
    EXPECT_EQ(ended(), "12 0 idle");
  }
}

TEST_F(TunnelTest, a_side_that_takes_nothing_ends_it_by_the_idle_limit_or_without_one_by_that_of_a_stall) {
  for (const TunnelLimits limits : {TunnelLimits{.idle = 5s, .stall = 1s}, TunnelLimits{.stall = 5s}}) {
    result.reset();
    start(limits, {}, {}, 4);
    write(*client, "abcd");
    write(*client, "efgh");
    loop->advance(5s - 1ms);
    EXPECT_EQ(ended(), "goes on");
    loop->advance(1ms);
    EXPECT_EQ(ended(), "8 0 idle");
  }
  result.reset();
  start({.stall = 5s});
  loop->advance(std::chrono::hours(1));
  EXPECT_EQ(ended(), "goes on") << "nothing waits to be moved";
}

}  // namespace
}  // namespace weft::proxy
