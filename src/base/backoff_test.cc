#include "base/backoff.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr Backoff::Limits kLimits{.initial = 100ms, .max = 350ms};

TEST(Backoff, doubles_up_to_its_max_and_begins_again_after_a_success) {
  Backoff backoff(kLimits);
  for (const Duration expected : {100ms, 200ms, 350ms, 350ms}) EXPECT_EQ(backoff.next(), expected);
  backoff.reset();
  EXPECT_EQ(backoff.next(), 100ms);
  backoff.set_to_max();
  EXPECT_EQ(backoff.next(), 350ms);
}

TEST(Backoff, jitter_stays_between_half_of_the_delay_and_all_of_it_and_reaches_near_both) {
  Random random(7);
  Duration least = kNever - TimePoint(), most{};
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff(kLimits);
    const Duration delay = backoff.next(random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, 50ms);
  EXPECT_LT(least, 55ms);
  EXPECT_LE(most, 100ms);
  EXPECT_GT(most, 95ms);
}

}  // namespace
}  // namespace weft
