#include "api/json_access.h"

#include <cmath>

namespace weft::api::json {
namespace {

const Json& list_or_empty(const Json& value) {
  static const Json kEmpty = Json::array();
  return value.is_array() ? value : kEmpty;
}

std::string_view text_of(const Json& value) {
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

std::int64_t number_of(const Json& value, std::int64_t otherwise) {
  if (!value.is_number_float()) return value.is_number() ? value.get<std::int64_t>() : otherwise;
  // Beyond, the conversion has no meaning.
  const double number = value.get<double>();
  return std::abs(number) < 9e18 ? static_cast<std::int64_t>(number) : otherwise;
}

}  // namespace

const Json& at(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

const Json& at(const Json& object, Path path) {
  const Json* here = &object;
  for (const std::string_view key : path) here = &at(*here, key);
  return *here;
}

std::string_view text(const Json& object, std::string_view key) { return text_of(at(object, key)); }
std::string string(const Json& object, Path path) { return std::string(text_of(at(object, path))); }

std::int64_t number(const Json& object, std::string_view key, std::int64_t otherwise) {
  return number_of(at(object, key), otherwise);
}
std::int64_t number(const Json& object, Path path, std::int64_t otherwise) {
  return number_of(at(object, path), otherwise);
}

bool boolean(const Json& object, std::string_view key, bool otherwise) {
  const Json& member = at(object, key);
  return member.is_boolean() ? member.get<bool>() : otherwise;
}

const Json& list(const Json& object, std::string_view key) { return list_or_empty(at(object, key)); }
const Json& list(const Json& object, Path path) { return list_or_empty(at(object, path)); }

const Json& map(const Json& object, std::string_view key) {
  static const Json kEmpty = Json::object();
  const Json& member = at(object, key);
  return member.is_object() ? member : kEmpty;
}

std::string canonical(const Json& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace weft::api::json
