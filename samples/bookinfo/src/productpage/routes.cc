#include "productpage/routes.h"

#include <array>
#include <utility>

namespace bookinfo::productpage {

namespace {

std::optional<Route> find_product_route(std::string_view rest) {
  const auto slash = rest.find('/');
  const std::string_view id = rest.substr(0, slash);
  if (id.empty()) return std::nullopt;
  if (slash == std::string_view::npos) return Route{Place::kDetails, id};
  const std::string_view part = rest.substr(slash);
  if (part == "/reviews") return Route{Place::kReviews, id};
  if (part == "/ratings") return Route{Place::kRatings, id};
  return std::nullopt;
}

}  // namespace

std::optional<Route> find_route(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, Place>, 8> kExact = {{
      {"/", Place::kIndex},
      {"/index.html", Place::kIndex},
      {"/health", Place::kHealth},
      {"/login", Place::kLogin},
      {"/logout", Place::kLogout},
      {"/productpage", Place::kPage},
      {"/api/v1/products", Place::kProducts},
      {"/metrics", Place::kMetrics},
  }};
  for (const auto& [exact, place] : kExact) {
    if (path == exact) return Route{place, {}};
  }
  if (path.starts_with("/static/")) return Route{Place::kStatic, {}};
  constexpr std::string_view kProducts = "/api/v1/products/";
  if (path.starts_with(kProducts)) return find_product_route(path.substr(kProducts.size()));
  return std::nullopt;
}

std::string_view methods_of(Place place) {
  return place == Place::kLogin ? "OPTIONS, POST" : "GET, HEAD, OPTIONS";
}

}  // namespace bookinfo::productpage
