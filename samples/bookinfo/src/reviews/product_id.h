#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bookinfo::reviews {

/// The product a path like `/reviews/7` or `/reviews/7/` asks for: a decimal number of 32 bits with an
/// optional sign and any number of leading zeros. Nothing for every other path, which is then simply not
/// there (404).
std::optional<std::int32_t> product_id_of_path(std::string_view path);

}  // namespace bookinfo::reviews
