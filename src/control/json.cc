#include "control/json.h"

namespace weft::control::json {

const Json& at(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string_view text(const Json& object, std::string_view key) {
  const Json& member = at(object, key);
  return member.is_string() ? std::string_view(member.get_ref<const std::string&>()) : std::string_view();
}

std::int64_t number(const Json& object, std::string_view key, std::int64_t otherwise) {
  const Json& member = at(object, key);
  return member.is_number() ? member.get<std::int64_t>() : otherwise;
}

bool boolean(const Json& object, std::string_view key, bool otherwise) {
  const Json& member = at(object, key);
  return member.is_boolean() ? member.get<bool>() : otherwise;
}

const Json& list(const Json& object, std::string_view key) {
  static const Json kEmpty = Json::array();
  const Json& member = at(object, key);
  return member.is_array() ? member : kEmpty;
}

const Json& map(const Json& object, std::string_view key) {
  static const Json kEmpty = Json::object();
  const Json& member = at(object, key);
  return member.is_object() ? member : kEmpty;
}

std::string canonical(const Json& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace weft::control::json
