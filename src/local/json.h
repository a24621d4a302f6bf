#pragma once

#include <string>
#include <string_view>

#include "api/json_access.h"
#include "api/object.h"

namespace weft::local {

namespace json = api::json;

/// The machine as pods see it.
inline constexpr std::string_view kNodeName = "local";
inline constexpr std::string_view kHostIp = "10.244.0.1";

std::string service_account_of(const api::Object& pod);

}  // namespace weft::local
