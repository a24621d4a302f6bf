#include "details/book_id.h"

#include <cctype>
#include <charconv>
#include <string>

#include "common/text.h"

namespace bookinfo::details {

namespace {

std::string_view trim(std::string_view text) {
  const auto is_space = [](char letter) { return std::isspace(static_cast<unsigned char>(letter)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes a prefix like `0x` off and says which base it stands for. A bare `0` in front of digits means octal.
int take_base(std::string_view& digits) {
  if (digits.size() < 2 || digits.front() != '0') return 10;
  int base = 8;
  std::size_t prefix = 2;
  switch (std::tolower(static_cast<unsigned char>(digits[1]))) {
    case 'x': base = 16; break;
    case 'b': base = 2; break;
    case 'd': base = 10; break;
    case 'o': break;
    case '_': break;
    default: prefix = 1;
  }
  digits.remove_prefix(prefix);
  return base;
}

/// The digits without their underscores; nothing when one stands at an end or next to another.
std::optional<std::string> without_underscores(std::string_view digits) {
  std::string bare;
  char before = '_';
  for (const char letter : digits) {
    if (letter == '_' && before == '_') return std::nullopt;
    if (letter != '_') bare += letter;
    before = letter;
  }
  if (before == '_') return std::nullopt;
  return bare;
}

}  // namespace

std::optional<std::int64_t> parse_ruby_integer(std::string_view text) {
  text = trim(text);
  std::string number;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    if (text.front() == '-') number = "-";
    text.remove_prefix(1);
  }
  const int base = take_base(text);
  const auto digits = without_underscores(text);
  // from_chars would take a second sign.
  if (!digits || digits->front() == '-') return std::nullopt;
  number += *digits;
  std::int64_t value = 0;
  const char* end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, value, base);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> book_id_of_path(std::string_view path) {
  const std::string decoded = percent_decode(path);
  std::string_view rest = decoded;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  return parse_ruby_integer(rest.substr(rest.rfind('/') + 1));
}

}  // namespace bookinfo::details
