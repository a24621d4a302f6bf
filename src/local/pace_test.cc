#include "local/pace.h"

#include <gtest/gtest.h>

namespace weft::local {
namespace {

TEST(Pace, lets_cheap_work_follow_each_change_after_the_time_in_which_changes_gather) {
  Pace pace(5ms, 2s);
  const TimePoint now{100s};
  EXPECT_EQ(pace.next(now), now + 5ms);
  pace.worked(now, 1ms);
  EXPECT_EQ(pace.next(now), now + 5ms);
}

TEST(Pace, leaves_three_times_free_what_work_has_cost_and_no_more_than_its_limit) {
  Pace pace(5ms, 2s);
  const TimePoint now{100s};
  pace.worked(now, 100ms);
  EXPECT_EQ(pace.next(now + 100ms), now + 400ms);
  EXPECT_EQ(pace.next(now + 399ms), now + 404ms) << "what comes then gathers as ever";
  pace.worked(now, 10s);
  EXPECT_EQ(pace.next(now + 10ms), now + 2s);
}

}  // namespace
}  // namespace weft::local
