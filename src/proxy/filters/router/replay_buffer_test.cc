#include "proxy/filters/router/replay_buffer.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

TEST(ReplayBuffer, keeps_all_pieces_in_order_up_to_its_size) {
  ReplayBuffer buffer;
  EXPECT_TRUE(buffer.complete());
  buffer.add("ab", true);
  buffer.add("", true);
  buffer.add("c", true);
  EXPECT_EQ(buffer.bytes(), "abc");
  buffer.add(std::string(ReplayBuffer::kMaxBytes - 3, 'x'), true);
  EXPECT_TRUE(buffer.complete());
  EXPECT_EQ(buffer.bytes().size(), ReplayBuffer::kMaxBytes);
}

TEST(ReplayBuffer, keeps_no_more_than_its_connection_may_hold) {
  ReplayBuffer buffer(3);
  buffer.add("abc", true);
  EXPECT_TRUE(buffer.complete());
  buffer.add("d", true);
  EXPECT_FALSE(buffer.complete());
  ReplayBuffer large(10 * ReplayBuffer::kMaxBytes);
  large.add(std::string(ReplayBuffer::kMaxBytes + 1, 'x'), true);
  EXPECT_FALSE(large.complete());
}

TEST(ReplayBuffer, is_incomplete_for_good_once_a_piece_was_left_out) {
  for (const bool needed : {true, false}) {
    ReplayBuffer buffer;
    buffer.add("ab", true);
    buffer.add(std::string(needed ? ReplayBuffer::kMaxBytes : 1, 'x'), needed);
    EXPECT_FALSE(buffer.complete());
    EXPECT_TRUE(buffer.empty());
    buffer.add("c", true);
    EXPECT_FALSE(buffer.complete());
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(ReplayBuffer, an_end_without_bytes_leaves_nothing_out) {
  ReplayBuffer buffer;
  buffer.add("", false);
  EXPECT_TRUE(buffer.complete());
}

}  // namespace
}  // namespace weft::proxy
