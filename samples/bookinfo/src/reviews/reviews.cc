#include "reviews/reviews.h"

#include "common/compat.h"
#include "common/forwarding.h"
#include "common/json.h"
#include "common/request_log.h"
#include "reviews/product_id.h"

namespace bookinfo::reviews {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 2> kReviewers = {"Reviewer1", "Reviewer2"};
constexpr std::array<std::string_view, 2> kTexts = {
    "Two pairs of twins, one town, and not a dull scene in it: I laughed until the very last page!",
    "Great fun, quick and silly in the best way. It lacks the depth of the later plays, but I would read it "
    "again.",
};

}  // namespace

Settings Settings::of(const Environment& environment) {
  Settings settings;
  settings.asks_ratings = same_name(environment.get("ENABLE_RATINGS", "false"), "true");
  settings.star_color = environment.get("STAR_COLOR", "black");
  settings.timeout = settings.star_color == "black" ? 10s : 2500ms;
  settings.ratings = endpoint_of(environment, "ratings");
  settings.pod_name = environment.get("HOSTNAME", "null");
  settings.cluster_name = environment.get("CLUSTER_NAME", "null");
  settings.is_029 = is_compat_029(environment);
  return settings;
}

boost::asio::awaitable<Response> Reviews::handle(const Request& request) {
  const bool is_health = request.path == "/health";
  const auto product = product_id_of_path(request.path);
  if (!is_health && !product) co_return error_page(404, "Not Found");
  if (request.method != "GET" && request.method != "HEAD") co_return method_not_allowed("GET, HEAD");
  if (is_health) co_return json_response(200, spaced_json({{"status", "Reviews is healthy"}}));
  co_return co_await show(*product, request);
}

boost::asio::awaitable<Response> Reviews::show(std::int32_t product, const Request& request) {
  if (!settings_.asks_ratings) co_return render(product, Stars{});
  const auto stars = co_await ask_ratings(product, request);
  if (!stars) co_return error_page(500, "Internal Server Error");
  co_return render(product, *stars);
}

boost::asio::awaitable<std::expected<Stars, Nonsense>> Reviews::ask_ratings(std::int32_t product,
                                                                            const Request& request) {
  Call call;
  call.to = settings_.ratings;
  call.target = "/ratings/" + std::to_string(product);
  call.timeout = settings_.timeout;
  call.headers = headers_for_ratings(request);
  const auto answer = co_await get(std::move(call));
  if (answer) co_return stars_of_answer(*answer, settings_.is_029);
  log_failure("reviews", request.headers, "no ratings: " + answer.error());
  if (settings_.is_029) co_return std::unexpected(Nonsense{});
  co_return Stars{};
}

Headers Reviews::headers_for_ratings(const Request& request) const {
  Headers headers{{"Accept", "application/json"}};
  if (!settings_.is_029) {
    copy_headers(headers_inner_services_copy(), request.headers, headers);
    return headers;
  }
  copy_headers(headers_029_copies(), request.headers, headers);
  if (const auto user = user_cookie(request.headers)) headers.add("Cookie", *user);
  return headers;
}

Response Reviews::render(std::int32_t product, const Stars& stars) const {
  json::array reviews;
  for (std::size_t at = 0; at < kReviewers.size(); ++at) {
    json::object review{{"reviewer", kReviewers[at]}, {"text", kTexts[at]}};
    if (auto stars_of_one = rating(stars, at)) review["rating"] = std::move(*stars_of_one);
    reviews.push_back(std::move(review));
  }
  json::object all{{"id", std::to_string(product)}};
  if (!settings_.is_029) {
    all["podname"] = settings_.pod_name;
    all["clustername"] = settings_.cluster_name;
  }
  all["reviews"] = std::move(reviews);
  return json_response(200, spaced_json(all));
}

std::optional<json::value> Reviews::rating(const Stars& stars, std::size_t reviewer) const {
  if (!settings_.asks_ratings) return std::nullopt;
  // 0.2.9 looked at the first reviewer's stars to decide about both, and showed -1 for a missing second.
  if (settings_.is_029 && !stars[0]) return std::nullopt;
  if (!settings_.is_029 && !stars[reviewer]) {
    return json::value{{"error", "Ratings service is currently unavailable"}};
  }
  return json::value{{"stars", stars[reviewer].value_or(kNotRated)}, {"color", settings_.star_color}};
}

}  // namespace bookinfo::reviews
