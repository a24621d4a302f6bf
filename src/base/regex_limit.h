#pragma once

#include <cstddef>

namespace weft {

/// Bytes of a regular expression that users' rules and bootstraps may have; a longer one is rejected wherever
/// one is read. Matching is linear in the text, but a program grows with its pattern.
inline constexpr std::size_t kMaxRegex = 1024;

}  // namespace weft
