#include "ratings/faults.h"

#include <gtest/gtest.h>

namespace bookinfo::ratings {
namespace {

using namespace std::chrono_literals;

/// Faults under a clock that stands until the test moves it.
struct Moved {
  explicit Moved(Faults::Kind kind) : faults(kind, [this] { return now; }, 1) {}
  Faults::Clock::time_point now{};
  Faults faults;
};

TEST(Faults, unavailable_takes_turns_of_a_minute_and_stays_healthy) {
  Moved v(Faults::Kind::kUnavailable);
  for (const auto& [at, is_refused] :
       {std::pair{0s, false}, {59s, false}, {60s, true}, {119s, true}, {120s, false}}) {
    v.now = Faults::Clock::time_point(at);
    EXPECT_EQ(v.faults.next_request().is_refused, is_refused) << at.count();
    EXPECT_TRUE(v.faults.is_healthy());
  }
}

TEST(Faults, unhealthy_takes_turns_of_a_quarter_of_an_hour_and_says_so) {
  Moved v(Faults::Kind::kUnhealthy);
  for (const auto& [at, is_bad] :
       {std::pair{0s, false}, {899s, false}, {900s, true}, {1799s, true}, {1800s, false}, {2700s, true}}) {
    v.now = Faults::Clock::time_point(at);
    EXPECT_EQ(v.faults.next_request().is_refused, is_bad) << at.count();
    EXPECT_EQ(v.faults.is_healthy(), !is_bad) << at.count();
  }
}

TEST(Faults, faulty_refuses_about_half_and_delayed_delays_about_half) {
  Moved faulty(Faults::Kind::kFaulty), delayed(Faults::Kind::kDelayed);
  int refused = 0, late = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto effect = faulty.faults.next_request();
    refused += effect.is_refused ? 1 : 0;
    EXPECT_EQ(effect.delay, 0ms);
    const auto delay = delayed.faults.next_request();
    EXPECT_FALSE(delay.is_refused);
    EXPECT_TRUE(delay.delay == 0ms || delay.delay == 7s);
    late += delay.delay == 7s ? 1 : 0;
  }
  EXPECT_NEAR(refused, 500, 50);
  EXPECT_NEAR(late, 500, 50);
}

TEST(Faults, are_those_of_four_versions) {
  EXPECT_EQ(Faults::kind_of("v-unhealthy"), Faults::Kind::kUnhealthy);
  for (const char* other : {"v1", "v2", "v-", "v-Faulty", ""})
    EXPECT_EQ(Faults::kind_of(other), std::nullopt);
}

TEST(Faults, take_turns_at_any_speed_for_years) {
  constexpr int kSpeed = 100'000;
  Faults::Clock::time_point wall;
  for (const auto kind : {Faults::Kind::kUnavailable, Faults::Kind::kUnhealthy}) {
    const auto turn = kind == Faults::Kind::kUnavailable ? std::chrono::minutes(1) : std::chrono::minutes(15);
    Faults faults(kind, clock_of_speed([&wall] { return wall; }, kSpeed), 1);
    wall += std::chrono::years(3) / 30min * 30min;
    const auto real_turn = std::chrono::duration_cast<Faults::Clock::duration>(turn) / kSpeed;
    for (int passed = 0; passed < 6; ++passed) {
      wall += passed == 0 ? real_turn / 2 : real_turn;
      EXPECT_EQ(faults.next_request().is_refused, passed % 2 == 1) << passed;
    }
  }
}

}  // namespace
}  // namespace bookinfo::ratings
