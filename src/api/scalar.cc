#include <charconv>
#include <cmath>

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

/// Integers of every form; null when it is none, or does not fit.
Json integer(std::string_view text) {
  bool negative = text.starts_with('-');
  std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
  int base = 10;
  if (digits.starts_with("0x")) base = 16;
  if (digits.starts_with("0o")) base = 8;
  if (base != 10) {
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' && all_of(digits, "01234567")) {
    base = 8;
  } else if (!all_of(digits, "0123456789")) {
    return nullptr;
  }
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

}  // namespace

Json plain_scalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  char first = text[0];
  if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
    if (Json number = integer(text); !number.is_null()) return number;
    if (Json number = real(text); !number.is_null()) return number;
  }
  return std::string(text);
}

}  // namespace weft::api
