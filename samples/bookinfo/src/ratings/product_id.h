#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bookinfo::ratings {

/// Reads the number a text begins with, the way JavaScript's `parseInt` does, because clients of the original
/// service may rely on it: `12abc` is 12, `1.5` is 1, `0x10` is 16. Nothing when it begins with no number,
/// and for numbers past 2^53, which JavaScript would round.
std::optional<std::int64_t> parse_leading_integer(std::string_view text);

/// The product a target like `/ratings/7` asks for: what follows the last `/` of all of it, query included.
std::optional<std::int64_t> product_id_of_target(std::string_view target);

}  // namespace bookinfo::ratings
