#include "ratings/database.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace bookinfo::ratings {

namespace {
constexpr double kLargestExact = 9007199254740992.0;  // 2^53: above it not every whole number is there
}

std::int32_t milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Deadline::clock::now());
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(left.count(), 1, kMost));
}

boost::json::value number(double value) {
  if (!std::isfinite(value)) return nullptr;
  const bool is_whole = std::trunc(value) == value && std::abs(value) <= kLargestExact;
  return is_whole ? boost::json::value(static_cast<std::int64_t>(value)) : boost::json::value(value);
}

}  // namespace bookinfo::ratings
