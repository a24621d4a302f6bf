#pragma once

#include "api/json_access.h"

namespace weft::control {

namespace json = api::json;

}  // namespace weft::control
