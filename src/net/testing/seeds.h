#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

namespace weft::net::testing {

/// Tries `run` with one seed after another, and stops at the first that fails, whose number it tells.
/// `usual`: how many; SEEDS in the environment says another number, SEED that only this one is tried. Test
/// files only.
template <class Run>
std::uint64_t try_seeds(std::uint64_t usual, Run run) {
  const char* const one = std::getenv("SEED");
  const char* const many = std::getenv("SEEDS");
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t count = one ? 1 : many ? std::strtoull(many, nullptr, 10) : usual;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    run(seed);
    if (!::testing::Test::HasFailure()) continue;
    ADD_FAILURE() << "SEED=" << seed;
    break;
  }
  return count;
}

}  // namespace weft::net::testing
