#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::cli {

/// Reads in objects that may lack any part: what is not there, or has another type, is null, empty or 0.
/// `path` is names between dots: "status.podIP". The results live as long as `json`.
const api::Json& at(const api::Json& json, std::string_view path);
/// The same for a list: an empty one when there is none.
const api::Json& list_at(const api::Json& json, std::string_view path);
std::string text_at(const api::Json& json, std::string_view path);
std::int64_t number_at(const api::Json& json, std::string_view path, std::int64_t otherwise = 0);
bool flag_at(const api::Json& json, std::string_view path);
/// A scalar as a person writes it, without quotes; containers as JSON.
std::string scalar_text(const api::Json& json);

/// The texts of a list, with `separator` between them; what is not a text as scalar_text.
std::string joined(const api::Json& list, std::string_view separator);
/// "a=b,c=d" of a map; `empty` when there is nothing in it.
std::string pairs_text(const api::Json& map, std::string_view empty = "<none>");

}  // namespace weft::cli
