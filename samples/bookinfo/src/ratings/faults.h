#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string_view>

namespace bookinfo::ratings {

/// How the faulty versions of ratings misbehave, for GET /ratings/{id} and, v-unhealthy only, /health.
///
/// v-faulty refuses every second request, by chance; v-delayed keeps every second one waiting for 7 s;
/// v-unavailable is good and bad in turns of 60 s, v-unhealthy of 15 min, good first. Thread: the event
/// loop's.
class Faults {
 public:
  enum class Kind { kNone, kFaulty, kDelayed, kUnavailable, kUnhealthy };
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  struct Effect {
    bool is_refused = false;
    std::chrono::milliseconds delay{0};
  };

  /// `v-faulty` and so on; nothing for another version.
  static std::optional<Kind> kind_of(std::string_view version);

  /// The turns begin now, by the clock given.
  Faults(Kind kind, Now now, std::uint32_t seed);

  Effect next_request();
  bool is_healthy() const;

 private:
  bool is_bad_turn() const;

  Kind kind_;
  Now now_;
  Clock::time_point began_;
  std::minstd_rand chance_;
};

/// The clock's time since now, `speed` times as fast: minutes pass in a test's second. Every half an hour of
/// the clock it jumps back by whole pairs of turns, which no turn shows; without that it would overflow
/// within days.
Faults::Now clock_of_speed(Faults::Now clock, int speed);

}  // namespace bookinfo::ratings
