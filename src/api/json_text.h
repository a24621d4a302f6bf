#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::api {

// The door of JSON. The library throws where a type or a byte is not what was asked for, and nothing of ours
// catches. So text becomes JSON and JSON becomes text only here, and members of foreign objects are
// read by these functions, or behind a test of their type (scripts/check_json).

/// JSON text (RFC 8259) as a value; a discarded one, which is of no type, when it is not JSON, not UTF-8, or
/// nested more than 200 levels deep: what walks through a value recurs.
Json parse_json(std::string_view text);

/// The value as text, on one line when `indent` is negative. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const Json& value, int indent = -1);
std::string json_text(const nlohmann::json& value, int indent = -1);

/// The member; null (of static life) when there is none, or `from` is not an object.
const Json& json_member(const Json& from, std::string_view name);
/// The member's text; empty when it is absent or not a text.
std::string json_string(const Json& from, std::string_view name);
/// The member's whole number; `otherwise` when it is absent, not a whole number, or outside of
/// `min` to `max`.
std::int64_t json_integer(const Json& from, std::string_view name, std::int64_t otherwise,
                          std::int64_t min = INT64_MIN, std::int64_t max = INT64_MAX);

/// Whether maps and lists are nested more than `levels` deep in it.
bool deeper_than(const Json& value, int levels);

/// Whether the bytes are UTF-8 (RFC 3629), as JSON text has to be.
bool is_utf8(std::string_view text);

}  // namespace weft::api
