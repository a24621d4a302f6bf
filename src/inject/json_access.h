#pragma once

#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::inject {

/// Reading of unchecked objects: what is not there, or is of another type, is as if it were not
/// written.

/// Null when it is not there.
inline const api::Json& member(const api::Json& from, std::string_view name) {
  static const api::Json kNothing;
  const auto found = from.find(name);
  return found == from.end() ? kNothing : *found;
}

inline std::string text_of(const api::Json& from, std::string_view name) {
  const api::Json& value = member(from, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// A member that is a list, for range-for; an empty one otherwise.
inline const api::Json& list_of(const api::Json& from, std::string_view name) {
  static const api::Json kEmpty = api::Json::array();
  const api::Json& value = member(from, name);
  return value.is_array() ? value : kEmpty;
}

/// The list itself, for changing; null when there is none.
inline api::Json* list_in(api::Json& from, std::string_view name) {
  const auto found = from.find(name);
  return found == from.end() || !found->is_array() ? nullptr : &*found;
}

}  // namespace weft::inject
