#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "api/yaml_reader.h"

namespace weft::api {
namespace {

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

template <class Number>
bool parse_whole(std::string_view digits, int base, Number& number) {
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

/// Takes "0x" and its like from the front of the digits; YAML 1.1 has a bare 0 for octal.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  int base = 0;
  switch (digits[1]) {
    case 'x':
    case 'X': base = 16; break;
    case 'o':
    case 'O': base = 8; break;
    case 'b':
    case 'B': base = 2; break;
    default: return all_of(digits, "01234567") ? 8 : 10;
  }
  digits.remove_prefix(2);
  return base;
}

/// Integers of every form; null when it is none, or does not fit.
Json integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
  const int base = take_base(digits);
  std::uint64_t magnitude = 0;
  if (!parse_whole(digits, base, magnitude)) return nullptr;
  if (!negative) {
    // One representation per value, as the JSON parser has it.
    return magnitude;
  }
  if (magnitude > std::uint64_t{1} << 63) return nullptr;
  return static_cast<std::int64_t>(~magnitude + 1);
}

Json real(std::string_view text) {
  std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (digits.empty() || digits.find_first_of("0123456789") == digits.npos) return nullptr;
  if (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9')) return nullptr;
  if (!all_of(digits, "0123456789.eE+-")) return nullptr;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return nullptr;
  return number;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> candidates) {
  return std::ranges::find(candidates, text) != candidates.end();
}

}  // namespace

Json plain_scalar(std::string_view text) {
  if (text.empty() || is_one_of(text, {"~", "null", "Null", "NULL"})) return nullptr;
  const char first = text[0];
  if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
    std::string digits(text);
    std::erase(digits, '_');
    if (Json number = integer(digits); !number.is_null()) return number;
    if (Json number = real(digits); !number.is_null()) return number;
    return std::string(text);
  }
  constexpr std::size_t kMaxBoolean = 5;
  if (text.size() > kMaxBoolean) return std::string(text);
  if (is_one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "on", "On", "ON"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "n", "N", "off", "Off", "OFF"}))
    return false;
  return std::string(text);
}

}  // namespace weft::api
