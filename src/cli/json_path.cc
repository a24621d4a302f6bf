#include "cli/json_path.h"

#include "base/strings.h"

namespace weft::cli {

const api::Json& at(const api::Json& json, std::string_view path) {
  static const api::Json kNothing;
  const api::Json* current = &json;
  for (std::string_view name : split(path, '.')) {
    if (!current->is_object()) return kNothing;
    const auto found = current->find(name);
    if (found == current->end()) return kNothing;
    current = &*found;
  }
  return *current;
}

const api::Json& list_at(const api::Json& json, std::string_view path) {
  static const api::Json kNothing = api::Json::array();
  const api::Json& value = at(json, path);
  return value.is_array() ? value : kNothing;
}

std::string text_at(const api::Json& json, std::string_view path) {
  const api::Json& value = at(json, path);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_at(const api::Json& json, std::string_view path, std::int64_t otherwise) {
  const api::Json& value = at(json, path);
  return value.is_number() ? value.get<std::int64_t>() : otherwise;
}

bool flag_at(const api::Json& json, std::string_view path) {
  const api::Json& value = at(json, path);
  return value.is_boolean() && value.get<bool>();
}

std::string scalar_text(const api::Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_null()) return "<none>";
  return json.dump(-1, ' ', false, api::Json::error_handler_t::replace);
}

std::string joined(const api::Json& list, std::string_view separator) {
  std::string text;
  if (!list.is_array()) return text;
  for (const api::Json& item : list) {
    if (!text.empty()) text += separator;
    text += scalar_text(item);
  }
  return text;
}

std::string pairs_text(const api::Json& map, std::string_view empty) {
  std::string text;
  if (map.is_object()) {
    for (const auto& [key, value] : map.items()) {
      if (!text.empty()) text += ",";
      text += key + "=" + scalar_text(value);
    }
  }
  return text.empty() ? std::string(empty) : text;
}

}  // namespace weft::cli
