#include "ratings/database.h"

#include <cmath>
#include <cstdint>

namespace bookinfo::ratings {

namespace {
constexpr double kLargestExact = 9007199254740992.0;  // 2^53: above it not every whole number is there
}

boost::json::value number(double value) {
  if (!std::isfinite(value)) return nullptr;
  const bool is_whole = std::trunc(value) == value && std::abs(value) <= kLargestExact;
  return is_whole ? boost::json::value(static_cast<std::int64_t>(value)) : boost::json::value(value);
}

}  // namespace bookinfo::ratings
