#pragma once

#include <optional>
#include <string_view>

namespace bookinfo::productpage {

enum class Place {
  kIndex,
  kHealth,
  kLogin,
  kLogout,
  kPage,
  kProducts,
  kDetails,
  kReviews,
  kRatings,
  kMetrics,
  kStatic,
};

/// What a path leads to. `id` is the product of the three places under `/api/v1/products/`, still
/// percent-encoded.
struct Route {
  Place place;
  std::string_view id;
};

/// Nothing for a path that is not there. Paths are exact: a slash at the end makes another path.
std::optional<Route> find_route(std::string_view path);

/// The methods of a place, as an `Allow` line has them.
std::string_view methods_of(Place place);

}  // namespace bookinfo::productpage
