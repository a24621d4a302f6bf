#include "http/h2/flood_guard.h"

#include <gtest/gtest.h>

namespace weft::http::h2 {
namespace {

constexpr TimePoint kStart{};

TEST(FloodGuard, a_peer_that_resets_most_of_what_it_opens_is_a_flood) {
  const Http2Limits limits{.max_resets = 10};
  FloodGuard guard(limits, kStart);
  int borne = 0;
  for (guard.stream_opened(kStart); !guard.reset(kStart, kStart); guard.stream_opened(kStart)) ++borne;
  EXPECT_EQ(borne, 10);
}

TEST(FloodGuard, a_peer_that_cancels_some_of_many_streams_is_none) {
  const Http2Limits limits{.max_resets = 10};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 1000; ++i) guard.stream_opened(kStart);
  for (int i = 0; i < 500; ++i) EXPECT_FALSE(guard.reset(kStart, kStart)) << i;
  EXPECT_TRUE(guard.reset(kStart, kStart));
}

TEST(FloodGuard, where_no_half_may_be_reset_the_streams_that_are_none_change_nothing) {
  const Http2Limits limits{.max_resets = 10, .may_reset_half = false, .flood_period = 10s};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 1000; ++i) guard.stream_opened(kStart);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(guard.reset(kStart + 9s, kStart + 9s)) << i;
  EXPECT_TRUE(guard.reset(kStart + 9s, kStart + 9s));
  EXPECT_FALSE(guard.reset(kStart + 10s, kStart + 10s));
}

TEST(FloodGuard, streams_are_counted_in_their_period) {
  const Http2Limits limits{.max_opened = 3, .flood_period = 10s};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(guard.stream_opened(kStart)) << i;
  EXPECT_TRUE(guard.stream_opened(kStart + 9s));
  EXPECT_FALSE(guard.stream_opened(kStart + 10s));
}

TEST(FloodGuard, streams_of_the_second_before_count_too_and_those_before_it_do_not) {
  const Http2Limits limits{.max_resets = 10};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 1000; ++i) guard.stream_opened(kStart);
  for (int i = 0; i < 400; ++i) EXPECT_FALSE(guard.reset(kStart + 1s, kStart + 1s)) << i;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(guard.reset(kStart + 2s, kStart + 2s)) << i;
  EXPECT_TRUE(guard.reset(kStart + 2s, kStart + 2s));
}

TEST(FloodGuard, a_peer_may_send_a_ping_for_each_data_frame_that_it_was_sent) {
  const Http2Limits limits{.max_frames_without_data = 10};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 5000; ++i) {
    guard.data_sent(kStart);
    ASSERT_FALSE(guard.ping(kStart)) << i;
  }
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(guard.ping(kStart)) << i;
  EXPECT_TRUE(guard.ping(kStart));
}

TEST(FloodGuard, data_that_was_sent_long_ago_is_no_reason_for_pings) {
  const Http2Limits limits{.max_frames_without_data = 10};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 5000; ++i) guard.data_sent(kStart);
  for (int i = 0; i < 5000; ++i) ASSERT_FALSE(guard.ping(kStart + 1s)) << i;
  int borne = 0;
  while (!guard.ping(kStart + 2s)) ++borne;
  EXPECT_EQ(borne, 10);
}

TEST(FloodGuard, streams_that_are_reset_long_after_they_began_are_no_rapid_reset) {
  const Http2Limits limits{.max_resets = 10};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(guard.reset(kStart, kStart + 1s)) << i;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(guard.reset(kStart + 1s, kStart + 1s)) << i;
  EXPECT_TRUE(guard.reset(kStart + 1s, kStart + 1s));
}

TEST(FloodGuard, a_peer_whose_streams_are_those_of_many_may_reset_as_many_as_ten_others) {
  const Http2Limits limits{.max_resets = 10, .of_many = true};
  FloodGuard guard(limits, kStart);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(guard.reset(kStart, kStart)) << i;
  EXPECT_TRUE(guard.reset(kStart, kStart));
}

TEST(FloodGuard, small_padded_pieces_are_borne_until_they_lack_what_fifty_thousand_lack) {
  const Http2Limits limits;
  FloodGuard guard(limits, kStart);
  int borne = 0;
  while (!guard.padded_frame(0, kStart)) ++borne;
  EXPECT_EQ(borne, 50'000);
  FloodGuard other(limits, kStart);
  for (int i = 0; i < 200'000; ++i) ASSERT_FALSE(other.padded_frame(256, kStart)) << "of a useful size";
}

}  // namespace
}  // namespace weft::http::h2
