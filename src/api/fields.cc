#include "api/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/duration.h"

namespace weft::api {
namespace {

bool says_something(const Json& value) {
  return !(value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
           (value.is_structured() && value.empty()));
}

}  // namespace

const Json* Fields::any(std::string_view name) {
  if (!map_.is_object()) return nullptr;
  const auto found = map_.find(name);
  if (found == map_.end() || found->is_null()) return nullptr;
  if (says_something(*found)) ++read_;
  return &*found;
}

bool Fields::understood() const {
  return !wrong_ && static_cast<std::size_t>(std::ranges::count_if(map_, says_something)) == read_;
}

std::optional<std::string> Fields::optional_text(std::string_view name) {
  const Json* value = any(name);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get_ref<const std::string&>();
  wrong_ = true;
  return std::nullopt;
}

std::string Fields::text(std::string_view name) { return optional_text(name).value_or(std::string()); }

std::optional<bool> Fields::flag(std::string_view name) {
  const Json* value = any(name);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong_ = true;
  return std::nullopt;
}

std::optional<double> Fields::number(std::string_view name) {
  const Json* value = any(name);
  if (!value) return std::nullopt;
  if (value->is_number()) return value->get<double>();
  wrong_ = true;
  return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  // Bounds of fields are far below what a double holds exactly.
  const std::optional<double> value = number(name);
  if (!value) return std::nullopt;
  if (*value >= static_cast<double>(min) && *value <= static_cast<double>(max) &&
      std::trunc(*value) == *value)
    return static_cast<std::int64_t>(*value);
  wrong_ = true;
  return std::nullopt;
}

std::optional<std::uint32_t> Fields::count(std::string_view name) {
  const auto value = integer(name, 0, std::numeric_limits<std::int32_t>::max());
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::uint16_t Fields::port(std::string_view name) {
  return static_cast<std::uint16_t>(integer(name, 1, std::numeric_limits<std::uint16_t>::max()).value_or(0));
}

std::optional<std::chrono::milliseconds> Fields::duration(std::string_view name) {
  const std::optional<std::string> text = optional_text(name);
  if (!text) return std::nullopt;
  if (const auto parsed = parse_duration(*text)) return *parsed;
  wrong_ = true;
  return std::nullopt;
}

std::vector<std::string> Fields::texts(std::string_view name) {
  std::vector<std::string> made;
  const Json* list = any(name);
  if (!list) return made;
  if (!list->is_array()) {
    wrong_ = true;
    return made;
  }
  made.reserve(list->size());
  for (const Json& each : *list)
    if (each.is_string())
      made.push_back(each.get_ref<const std::string&>());
    else
      wrong_ = true;
  return made;
}

TextPairs Fields::pairs(std::string_view name) {
  TextPairs made;
  const Json* entries = map(name);
  if (!entries) return made;
  made.reserve(entries->size());
  for (const auto& [key, value] : entries->items())
    if (value.is_string())
      made.emplace_back(key, value.get_ref<const std::string&>());
    else
      wrong_ = true;
  return made;
}

Labels Fields::labels(std::string_view name) {
  Labels made;
  for (auto& [key, value] : pairs(name)) made.emplace(std::move(key), std::move(value));
  return made;
}

const Json* Fields::map(std::string_view name) {
  const Json* value = any(name);
  if (!value || value->is_object()) return value;
  wrong_ = true;
  return nullptr;
}

}  // namespace weft::api
