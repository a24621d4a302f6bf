#pragma once

#include <cstddef>
#include <string>

#include "api/json.h"

namespace weft::api {

/// The bytes that a value takes in memory, roughly: for limits. Of a value of parse_json(), which bounds the
/// depth.
inline std::size_t json_bytes(const Json& value) {
  std::size_t bytes = sizeof value;
  if (value.is_string()) return bytes + sizeof(std::string) + value.get_ref<const std::string&>().size();
  if (!value.is_structured()) return bytes;
  if (value.is_object())
    for (const auto& [name, member] : value.items()) bytes += sizeof name + name.size();
  for (const Json& each : value) bytes += json_bytes(each);
  return bytes;
}

}  // namespace weft::api
