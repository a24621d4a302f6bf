#pragma once

#include <nlohmann/json.hpp>

namespace weft::api {

/// Objects as they came, in the order of their fields. Heavy to compile: include it only in rooms from api
/// upward.
using Json = nlohmann::ordered_json;

}  // namespace weft::api
