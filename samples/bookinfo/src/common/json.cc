#include "common/json.h"

// Boost.JSON is compiled into this file, so nothing has to be linked for it.
#include <boost/json/src.hpp>

namespace bookinfo {

namespace json = boost::json;

namespace {

void append_spaced(std::string& out, const json::value& value);

void append_spaced(std::string& out, const json::object& object) {
  out += '{';
  const char* separator = "";
  for (const auto& [key, value] : object) {
    out += separator;
    out += json::serialize(json::string_view(key));
    out += ": ";
    append_spaced(out, value);
    separator = ", ";
  }
  out += '}';
}

void append_spaced(std::string& out, const json::array& array) {
  out += '[';
  const char* separator = "";
  for (const json::value& value : array) {
    out += separator;
    append_spaced(out, value);
    separator = ", ";
  }
  out += ']';
}

void append_spaced(std::string& out, const json::value& value) {
  if (const json::object* object = value.if_object()) return append_spaced(out, *object);
  if (const json::array* array = value.if_array()) return append_spaced(out, *array);
  out += json::serialize(value);
}

}  // namespace

std::optional<json::value> parse_json(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return std::nullopt;
  return value;
}

const json::value* member(const json::value* from, std::string_view name) {
  const json::object* object = from == nullptr ? nullptr : from->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string compact_json(const json::value& value) { return json::serialize(value); }

std::string spaced_json(const json::value& value) {
  std::string out;
  append_spaced(out, value);
  return out;
}

}  // namespace bookinfo
