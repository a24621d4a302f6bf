#pragma once

#include <cstdint>

namespace weft {

/// A small fast generator (xoshiro256**). One owner, one thread; tests seed it.
/// Not for keys or tokens: those come from the kernel.
class Random {
 public:
  /// Seeded from the kernel.
  Random();
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, bound); bound 0 gives 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();

 private:
  std::uint64_t state_[4];
};

}  // namespace weft
