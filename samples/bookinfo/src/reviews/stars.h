#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "common/message.h"

namespace bookinfo::reviews {

/// Stars of Reviewer1 and Reviewer2; nothing for one whom ratings does not name.
using Stars = std::array<std::optional<std::int64_t>, 2>;

/// What the original took for "not there", so a reviewer rated -1 counts as not rated.
inline constexpr std::int64_t kNotRated = -1;

/// Ratings answered 200 with something that is no ratings: reviews itself answers 500 then.
struct Nonsense {};

/// Reads the answer of ratings. A status other than 200, or no `ratings` in it, is a rating for nobody. A
/// rating that is not a number is none for its reviewer alone; `is_029` makes it nonsense.
std::expected<Stars, Nonsense> stars_of_answer(const Response& answer, bool is_029 = false);

}  // namespace bookinfo::reviews
