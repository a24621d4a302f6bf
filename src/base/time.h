#pragma once

#include <chrono>

namespace weft {

/// Monotonic time. Everything that waits or measures uses it; wall time is only for people (logs, objects).
using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;
using Duration = SteadyClock::duration;
using namespace std::chrono_literals;

/// "No deadline".
inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace weft
