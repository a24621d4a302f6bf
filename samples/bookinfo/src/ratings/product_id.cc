#include "ratings/product_id.h"

#include <cctype>
#include <charconv>
#include <cstdlib>

namespace bookinfo::ratings {

namespace {
constexpr std::int64_t kLargestExactInDouble = std::int64_t{1} << 53;
}

std::optional<std::int64_t> parse_leading_integer(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  if (text.starts_with('-')) return std::nullopt;
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (read.ec != std::errc{} || value > kLargestExactInDouble) return std::nullopt;
  return is_negative ? -value : value;
}

std::optional<std::int64_t> product_id_of_target(std::string_view target) {
  return parse_leading_integer(target.substr(target.rfind('/') + 1));
}

}  // namespace bookinfo::ratings
