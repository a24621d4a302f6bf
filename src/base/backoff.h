#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace weft {

/// The delays before something that failed is tried again: each is twice the one before, up to a maximum.
///
/// Owner: who tries. Thread: its own.
class Backoff {
 public:
  struct Limits {
    Duration initial;
    Duration max;
  };

  explicit Backoff(Limits limits) : limits_(limits), next_(limits.initial) {}
  /// The delay after the failure just seen.
  Duration next() {
    const Duration delay = next_;
    next_ = std::min(delay * 2, limits_.max);
    return delay;
  }
  /// The same with jitter: uniform between its half and itself, so that clients that failed together do not
  /// come back together.
  Duration next(Random& random) {
    const Duration delay = next();
    return delay / 2 + std::chrono::duration_cast<Duration>(delay / 2 * random.unit());
  }
  /// After a success: the next delay is the initial one.
  void reset() { next_ = limits_.initial; }
  /// After what will not change soon: the next delay is the longest.
  void set_to_max() { next_ = limits_.max; }

 private:
  Limits limits_;
  Duration next_;
};

}  // namespace weft
