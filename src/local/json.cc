#include "local/json.h"

namespace weft::local {

const api::Json& member(const api::Json& json, std::string_view name) {
  static const api::Json kNothing = api::Json::object();
  if (!json.is_object()) return kNothing;
  const auto found = json.find(name);
  return found == json.end() ? kNothing : *found;
}

std::string text_at(const api::Json& json, std::string_view name) {
  const api::Json& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_at(const api::Json& json, std::string_view name, std::int64_t otherwise) {
  const api::Json& value = member(json, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool flag_at(const api::Json& json, std::string_view name) {
  const api::Json& value = member(json, name);
  return value.is_boolean() && value.get<bool>();
}

const api::Json& list_at(const api::Json& json, std::string_view name) {
  static const api::Json kEmpty = api::Json::array();
  const api::Json& value = member(json, name);
  return value.is_array() ? value : kEmpty;
}

std::string service_account_of(const api::Object& pod) {
  for (const char* name : {"serviceAccountName", "serviceAccount"})
    if (std::string account = text_at(pod.spec(), name); !account.empty()) return account;
  return "default";
}

}  // namespace weft::local
