#include <gtest/gtest.h>

#include "http/h2/testing/served.h"

namespace weft::http::h2 {
namespace {

using namespace http::testing;

constexpr std::size_t kReadBlock = 16 * 1024;

net::Task<void> count_turns(net::Loop& loop, net::Stream& until_read, std::size_t& turns) {
  for (; !until_read.quiet() && turns < 1000; ++turns) co_await loop.yield();
}

/// In how many turns of the loop the server reads all of that, which has come at once.
std::size_t turns_for(const std::string& bytes) {
  ServerSessionOptions options;
  options.limits.head_bytes = 1024 * 1024;
  options.limits.fields = 10'000;
  h2::testing::Served served(h2::testing::ignore_body, options);
  served.greet();
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  EXPECT_EQ(served.client->try_write({&part, 1}).bytes, bytes.size());
  std::size_t turns = 0;
  net::TaskScope tasks;
  tasks.spawn(count_turns(*served.loop, *served.server, turns));
  served.loop->settle();
  EXPECT_FALSE(served.over());
  return turns;
}

std::string requests(std::size_t count, const std::string& more) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes += frame(kHeaders, kEndStream | kEndHeaders, static_cast<unsigned char>(2 * i + 1),
                   block_of(get()) + more);
  return bytes;
}

/// RFC 7541 §6.1: an octet is a whole field, here "accept-encoding: gzip, deflate".
TEST(Http2Turns, a_peer_whose_octets_are_whole_fields_leaves_the_loop_to_others_after_each_read) {
  const std::string bytes = requests(90, std::string(4000, '\x90'));
  EXPECT_GE(turns_for(bytes), bytes.size() / kReadBlock);
}

TEST(Http2Turns, a_peer_that_sends_many_small_frames_leaves_the_loop_to_others_after_each_read) {
  std::string bytes = headers(1, post(), false);
  while (bytes.size() < 20 * kReadBlock) bytes += frame(kData, 0, 1, "x");
  EXPECT_GE(turns_for(bytes), bytes.size() / kReadBlock);
}

TEST(Http2Turns, large_frames_are_read_as_they_come) {
  std::string bytes = headers(1, post(), false);
  while (bytes.size() < 12 * kReadBlock) bytes += frame(kData, 0, 1, std::string(kReadBlock - 9, 'x'));
  EXPECT_LE(turns_for(bytes), 3u);
}

}  // namespace
}  // namespace weft::http::h2
