#pragma once

#include <string_view>

#include "api/json.h"
#include "api/parse.h"

namespace weft::api::testing {

/// A spec as YAML, checked by nothing. Ends the program when it is no YAML: the test itself is wrong then.
Json spec(std::string_view yaml);
/// A file with one object of that kind and `spec`, which begins at the file's fifth line, checked and
/// defaulted. Ends the program when something is wrong with it.
Parsed file(std::string_view api_version, std::string_view kind, std::string_view spec);

}  // namespace weft::api::testing
