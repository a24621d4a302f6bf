#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "common/client.h"
#include "common/environment.h"
#include "common/service.h"
#include "reviews/stars.h"

namespace bookinfo::reviews {

/// What tells v1, v2 and v3 apart, and where ratings is.
struct Settings {
  bool asks_ratings = false;            ///< `ENABLE_RATINGS` is `true` in any letter case
  std::string star_color = "black";     ///< `STAR_COLOR`
  std::chrono::milliseconds timeout{};  ///< for ratings: 10 s with black stars, 2.5 s with any other colour
  Endpoint ratings;                     ///< `RATINGS_HOSTNAME`, `RATINGS_SERVICE_PORT`, `SERVICES_DOMAIN`
  std::string pod_name;                 ///< `HOSTNAME`, or the word `null`
  std::string cluster_name;             ///< `CLUSTER_NAME`, or the word `null`
  bool is_029 = false;                  ///< the behaviour of release 0.2.9

  static Settings of(const Environment& environment);
};

/// Two reviews of every book. With ratings enabled it asks the ratings service once per request and shows the
/// stars, or per reviewer that there are none to be had. As of 0.2.9 a failing ratings service costs both
/// ratings without a word, and one that does not answer costs the whole answer, which is 500 then.
class Reviews final : public Service {
 public:
  explicit Reviews(Settings settings) : settings_(std::move(settings)) {}

  boost::asio::awaitable<Response> handle(const Request& request) override;

 private:
  boost::asio::awaitable<Response> show(std::int32_t product, const Request& request);
  boost::asio::awaitable<std::expected<Stars, Nonsense>> ask_ratings(std::int32_t product,
                                                                     const Request& request);
  Headers headers_for_ratings(const Request& request) const;
  Response render(std::int32_t product, const Stars& stars) const;
  /// The `rating` of one reviewer; nothing when the review shows none.
  std::optional<boost::json::value> rating(const Stars& stars, std::size_t reviewer) const;

  Settings settings_;
};

}  // namespace bookinfo::reviews
