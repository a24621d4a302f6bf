#pragma once

#include <algorithm>

#include "base/time.h"

namespace weft::local {

/// When work that reads everything may be done again. What it cost is left free three times, so that changes
/// that come one after another take a quarter of a processor, and not their number squared.
///
/// Owner: the one who works. Thread: its own.
class Pace {
 public:
  /// `gather`: what changes within it is one work, however cheap; `max_rest`: the longest wait.
  Pace(Duration gather, Duration max_rest) : gather_(gather), max_rest_(max_rest) {}
  /// When a change that comes now is to be worked on.
  TimePoint next(TimePoint now) const { return std::max(now + gather_, rested_); }
  /// Work that began at `begin` has cost so much processor time.
  void worked(TimePoint begin, Duration cost) { rested_ = begin + std::min(cost * 4, max_rest_); }

 private:
  Duration gather_, max_rest_;
  TimePoint rested_{};
};

}  // namespace weft::local
