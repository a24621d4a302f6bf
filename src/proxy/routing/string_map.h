#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace weft::proxy {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// A hash map that is searched by string_view without making a string.
template <class Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

}  // namespace weft::proxy
