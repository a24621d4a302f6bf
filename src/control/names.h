#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace weft::control {

/// A set of names: sorted, each once.
using Names = std::vector<std::string>;

inline void sort_names(Names& names) {
  std::ranges::sort(names);
  const auto rest = std::ranges::unique(names);
  names.erase(rest.begin(), rest.end());
}

inline bool contains(const Names& names, std::string_view name) {
  return std::ranges::binary_search(names, name);
}

}  // namespace weft::control
