#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"

/// Reading stored objects: they were validated when they were stored, so what is absent or of another type
/// here reads as empty rather than as an error. Nothing here throws. Any thread.
namespace weft::control::json {

using api::Json;

/// The member, or null (a JSON null that lives for ever).
const Json& at(const Json& object, std::string_view key);
/// The member's text; empty when it is absent or no string. The view lives as long as `object`.
std::string_view text(const Json& object, std::string_view key);
/// The member's number; `otherwise` when it is absent or no number.
std::int64_t number(const Json& object, std::string_view key, std::int64_t otherwise = 0);
bool boolean(const Json& object, std::string_view key, bool otherwise = false);
/// The member when it is an array, else an empty array: for range-for.
const Json& list(const Json& object, std::string_view key);
/// The member when it is an object, else an empty object: for items().
const Json& map(const Json& object, std::string_view key);

/// The value as text with the keys of its maps sorted: equal for equal values, whatever their order was.
std::string canonical(const Json& value);
inline bool same(const Json& a, const Json& b) { return canonical(a) == canonical(b); }

}  // namespace weft::control::json
