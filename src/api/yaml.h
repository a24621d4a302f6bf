#pragma once

#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::api {

/// One YAML document as kubectl prints it: block style, two spaces, list items at their key's column, keys of
/// maps in byte order as kubectl's, strings quoted exactly when plain they would read as something else, long
/// texts of several lines as `|` blocks. Ends with a line end. Reading it gives an equal value again. Any
/// thread.
std::string to_yaml(const Json& value);

/// The same of a map that has this one member, and of a list that has this one item.
std::string member_to_yaml(std::string_view name, const Json& value);
std::string item_to_yaml(const Json& value);

}  // namespace weft::api
