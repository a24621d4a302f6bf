#include "reviews/stars.h"

#include <cmath>

#include "common/json.h"

namespace bookinfo::reviews {

namespace {

namespace json = boost::json;

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (const auto* whole = value.if_int64()) return *whole;
  const auto* fraction = value.if_double();
  if (fraction != nullptr && std::abs(*fraction) < 1e15) return static_cast<std::int64_t>(*fraction);
  return std::nullopt;
}

}  // namespace

std::expected<Stars, Nonsense> stars_of_answer(const Response& answer, bool is_029) {
  Stars stars;
  if (answer.status != 200) return stars;
  const auto parsed = parse_json(answer.body);
  if (!parsed || !parsed->is_object()) return std::unexpected(Nonsense{});
  const json::value* ratings = parsed->get_object().if_contains("ratings");
  if (ratings == nullptr) return stars;
  if (!ratings->is_object()) return std::unexpected(Nonsense{});
  constexpr std::array<const char*, 2> kReviewers = {"Reviewer1", "Reviewer2"};
  for (std::size_t at = 0; at < kReviewers.size(); ++at) {
    const json::value* rating = ratings->get_object().if_contains(kReviewers[at]);
    if (rating == nullptr) continue;
    const auto number = whole_number(*rating);
    if (!number && is_029) return std::unexpected(Nonsense{});
    if (number && *number != kNotRated) stars[at] = number;
  }
  return stars;
}

}  // namespace bookinfo::reviews
