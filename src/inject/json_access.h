#pragma once

#include <string_view>

#include "api/json_access.h"

namespace weft::inject {

namespace json = api::json;

/// The list itself, for changing; null when there is none.
inline api::Json* list_in(api::Json& from, std::string_view name) {
  const auto found = from.find(name);
  return found == from.end() || !found->is_array() ? nullptr : &*found;
}

}  // namespace weft::inject
