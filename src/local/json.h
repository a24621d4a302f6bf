#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/object.h"

namespace weft::local {

// Looking into objects that the store has checked: what is absent is empty.
const api::Json& member(const api::Json& json, std::string_view name);
std::string text_at(const api::Json& json, std::string_view name);
std::int64_t number_at(const api::Json& json, std::string_view name, std::int64_t otherwise);
bool flag_at(const api::Json& json, std::string_view name);
const api::Json& list_at(const api::Json& json, std::string_view name);

/// The machine as pods see it.
inline constexpr std::string_view kNodeName = "local";
inline constexpr std::string_view kHostIp = "10.244.0.1";

std::string service_account_of(const api::Object& pod);

}  // namespace weft::local
