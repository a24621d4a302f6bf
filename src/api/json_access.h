#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "api/json.h"

/// Looking into objects whose shape is not certain: what is absent or of another type reads as empty rather
/// than as an error. Nothing here throws. Any thread.
namespace weft::api::json {

/// The keys from an object down to a member of it.
using Path = std::initializer_list<std::string_view>;

/// The member, or null (a JSON null that lives as long as the program).
const Json& at(const Json& object, std::string_view key);
const Json& at(const Json& object, Path path);
/// The member's text; empty when it is absent or no string. The view lives as long as `object`.
std::string_view text(const Json& object, std::string_view key);
/// The same as a string of its own.
inline std::string string(const Json& object, std::string_view key) { return std::string(text(object, key)); }
std::string string(const Json& object, Path path);
/// The member's number; `otherwise` when it is absent or no number.
std::int64_t number(const Json& object, std::string_view key, std::int64_t otherwise = 0);
std::int64_t number(const Json& object, Path path, std::int64_t otherwise = 0);
bool boolean(const Json& object, std::string_view key, bool otherwise = false);
/// The member when it is an array, else an empty array: for range-for.
const Json& list(const Json& object, std::string_view key);
const Json& list(const Json& object, Path path);
/// The member when it is an object, else an empty object: for items().
const Json& map(const Json& object, std::string_view key);

/// The value as text with the keys of its maps sorted: equal for equal values, whatever their order was.
std::string canonical(const Json& value);
inline bool same(const Json& a, const Json& b) { return canonical(a) == canonical(b); }

}  // namespace weft::api::json
