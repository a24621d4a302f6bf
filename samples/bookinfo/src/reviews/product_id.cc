#include "reviews/product_id.h"

#include <charconv>

namespace bookinfo::reviews {

std::optional<std::int32_t> product_id_of_path(std::string_view path) {
  constexpr std::string_view kRoot = "/reviews/";
  if (!path.starts_with(kRoot)) return std::nullopt;
  std::string_view digits = path.substr(kRoot.size());
  if (digits.ends_with('/')) digits.remove_suffix(1);
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.starts_with('-')) return std::nullopt;
  }
  std::int32_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

}  // namespace bookinfo::reviews
