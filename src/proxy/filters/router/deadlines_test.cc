#include "proxy/filters/router/deadlines.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

constexpr TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }
constexpr Milliseconds kNone{0};

TEST(Deadlines, nothing_is_limited_where_nothing_is_set) {
  Deadlines none({.response = kNone, .per_try = kNone, .idle = kNone, .stall = 7s});
  none.start(at(1));
  none.start_try(at(1));
  EXPECT_EQ(none.whole(), kNever);
  EXPECT_EQ(none.for_connection(at(1)), kNever);
  EXPECT_EQ(none.for_reading(at(1), true, false), kNever);
  EXPECT_EQ(none.for_writing(false), kNever);
  EXPECT_EQ(none.idle_or_stall(), 7s);
  EXPECT_FALSE(none.passed(at(1000)) || none.try_passed(at(1000)));
}

TEST(Deadlines, a_response_s_time_counts_from_the_first_start_over_all_tries) {
  Deadlines limits({.response = 15s, .per_try = 5s, .idle = 60s, .stall = 60s});
  EXPECT_EQ(limits.for_connection(at(10)), at(25));
  limits.start(at(10));
  limits.start_try(at(10));
  limits.start(at(12));
  limits.start_try(at(12));
  EXPECT_EQ(limits.whole(), at(25));
  EXPECT_EQ(limits.for_connection(at(10)), at(15));
  EXPECT_FALSE(limits.try_passed(at(14)));
  EXPECT_TRUE(limits.try_passed(at(15)));
  limits.begin_try();
  EXPECT_FALSE(limits.try_passed(at(15)));
  limits.start_try(at(16));
  EXPECT_EQ(limits.for_reading(at(16), true, false), at(21));
  EXPECT_TRUE(limits.passed(at(25)));
}

TEST(Deadlines, a_try_ends_with_the_first_byte_of_its_response_and_the_request_does_not) {
  Deadlines limits({.response = 15s, .per_try = 5s, .idle = 60s, .stall = 60s});
  limits.start(at(0));
  limits.start_try(at(0));
  EXPECT_EQ(limits.for_reading(at(1), true, false), at(5));
  EXPECT_EQ(limits.for_reading(at(1), true, true), at(15));
  EXPECT_EQ(limits.for_writing(true), at(15));
}

TEST(Deadlines, a_stream_is_not_idle_while_the_client_sends) {
  Deadlines limits({.response = kNone, .per_try = kNone, .idle = 3s, .stall = 7s});
  EXPECT_EQ(limits.for_reading(at(1), true, true), at(4));
  EXPECT_EQ(limits.for_reading(at(1), false, false), kNever);
  EXPECT_EQ(limits.idle_or_stall(), 3s);
  EXPECT_EQ(limits.for_connection(at(1)), at(4));
}

}  // namespace
}  // namespace weft::proxy
