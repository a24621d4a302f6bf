#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "common/message.h"

namespace bookinfo::reviews {

/// Stars of Reviewer1 and Reviewer2; nothing for one whom ratings does not name.
using Stars = std::array<std::optional<std::int64_t>, 2>;

/// Ratings answered 200 with something that is not a rating: reviews itself answers 500 then.
struct Nonsense {};

/// Reads the answer of ratings. A status other than 200, or no `ratings` in it, is a rating for nobody.
std::expected<Stars, Nonsense> stars_of_answer(const Response& answer);

}  // namespace bookinfo::reviews
