#include "ratings/ratings.h"

#include "common/json.h"
#include "ratings/product_id.h"

namespace bookinfo::ratings {

namespace {

/// Posted values stay for the life of the process, so their number and size need a bound.
constexpr std::size_t kMostProducts = 10'000;
constexpr std::size_t kMostBytesPosted = 16 * 1024;

Response error_json(unsigned status, std::string_view text) {
  return json_response(status, compact_json({{"error", text}}));
}

Response ratings_json(std::int64_t product, const boost::json::value& ratings) {
  return json_response(200, compact_json({{"id", product}, {"ratings", ratings}}));
}

Response not_found() { return {.status = 404, .headers = {}, .body = {}}; }

}  // namespace

boost::asio::awaitable<Response> Ratings::handle(const Request& request) { co_return answer(request); }

Response Ratings::answer(const Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool writes = request.method == "POST";
  if (!reads && !writes) return method_not_allowed("GET, HEAD, POST");
  if (reads && request.path == "/health") {
    return json_response(200, compact_json({{"status", "Ratings is healthy"}}));
  }
  if (!request.path.starts_with("/ratings/")) return not_found();
  const auto product = product_id_of_target(request.target);
  if (!product) return error_json(400, "please provide numeric product ID");
  return reads ? show(*product) : store(*product, request.body);
}

Response Ratings::show(std::int64_t product) const {
  const auto found = posted_.find(product);
  if (found != posted_.end()) return ratings_json(product, found->second);
  return ratings_json(product, {{"Reviewer1", 5}, {"Reviewer2", 4}});
}

Response Ratings::store(std::int64_t product, const std::string& body) {
  if (body.size() > kMostBytesPosted) return error_json(413, "ratings JSON is too large");
  const auto ratings = parse_json(body);
  if (!ratings) return error_json(400, "please provide valid ratings JSON");
  if (posted_.size() >= kMostProducts && !posted_.contains(product)) {
    return error_json(507, "too many products have posted ratings");
  }
  posted_.insert_or_assign(product, *ratings);
  return ratings_json(product, *ratings);
}

}  // namespace bookinfo::ratings
