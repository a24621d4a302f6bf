#include "http/h2/own_heads.h"

#include <gtest/gtest.h>

namespace weft::http::h2 {
namespace {

TEST(OwnHeads, leave_in_the_order_in_which_they_came_between_other_bytes) {
  OwnHeads heads;
  heads.added(10, false);
  heads.added(100, true);
  heads.added(20, true);
  heads.added(5, false);
  heads.added(7, true);
  EXPECT_EQ(heads.waiting(), 127u);
  heads.sent(10);
  EXPECT_EQ(heads.waiting(), 127u);
  heads.sent(119);
  EXPECT_EQ(heads.waiting(), 8u);
  heads.sent(6);
  EXPECT_EQ(heads.waiting(), 7u);
  heads.sent(7);
  EXPECT_EQ(heads.waiting(), 0u);
}

TEST(OwnHeads, are_counted_exactly_however_many_wait_and_whatever_pieces_leave) {
  OwnHeads heads;
  constexpr std::size_t kAll = 1000;
  for (std::size_t i = 0; i < kAll; ++i) {
    heads.added(3, true);
    heads.added(2, false);
  }
  for (std::size_t sent = 0; sent < 5 * kAll; sent += 4) {
    ASSERT_EQ(heads.waiting(), 3 * kAll - (sent / 5 * 3 + std::min<std::size_t>(sent % 5, 3))) << sent;
    heads.sent(4);
  }
  EXPECT_EQ(heads.waiting(), 0u);
  heads.added(1, true);
  EXPECT_EQ(heads.waiting(), 1u);
}

}  // namespace
}  // namespace weft::http::h2
