#pragma once

#include <algorithm>
#include <cstddef>

#include "api/json.h"

namespace weft::api {

/// Whether a map in it has more than `members` members: to compare two maps takes the square of that. Of a
/// value of parse_json(), which bounds the depth.
inline bool wider_than(const Json& value, std::size_t members) {
  if (!value.is_structured()) return false;
  if (value.is_object() && value.size() > members) return true;
  return std::ranges::any_of(value, [members](const Json& each) { return wider_than(each, members); });
}

}  // namespace weft::api
