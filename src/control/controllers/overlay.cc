#include "control/controllers/overlay.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "control/json.h"

namespace weft::control {
namespace {

bool says_nothing(const api::Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

/// "2000m", "1Gi", "2"; nothing when it is no quantity.
std::optional<double> quantity(const api::Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1},     {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},     {"G", 1e9},
      {"T", 1e12}, {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40},
  };
  const auto& text = value.get_ref<const std::string&>();
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : kUnits)
    if (unit == name) return number * factor;
  return std::nullopt;
}

/// Only amounts that are written differently: "080" and "80" are two texts anywhere but in resources.
bool same_quantity(const api::Json& a, const api::Json& b) {
  auto x = quantity(a), y = quantity(b);
  return x && y && std::abs(*x - *y) <= 1e-9 * std::abs(*x);
}

const api::Json* counterpart(const api::Json& present, const api::Json& item, std::size_t index) {
  std::string_view name = json::text(item, "name");
  if (name.empty()) return index < present.size() ? &present[index] : nullptr;
  for (const auto& each : present)
    if (json::text(each, "name") == name) return &each;
  return nullptr;
}

api::Json merge(const api::Json& present, const api::Json& wanted, bool quantities) {
  if (wanted.is_object() && present.is_object()) {
    api::Json made = present;
    for (const auto& [name, value] : wanted.items()) {
      auto found = made.find(name);
      if (found != made.end()) {
        *found = merge(*found, value, quantities || name == "resources");
      } else if (!says_nothing(value)) {
        made[name] = value;
      }
    }
    return made;
  }
  if (wanted.is_array() && present.is_array()) {
    api::Json made = api::Json::array();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const api::Json* before = counterpart(present, wanted[i], i);
      made.push_back(before ? merge(*before, wanted[i], quantities) : wanted[i]);
    }
    return made;
  }
  return quantities && same_quantity(present, wanted) ? present : wanted;
}

}  // namespace

api::Json overlay(const api::Json& present, const api::Json& wanted) { return merge(present, wanted, false); }

}  // namespace weft::control
