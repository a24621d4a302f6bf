#include "ratings/ratings.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "common/json.h"
#include "common/request_log.h"
#include "ratings/product_id.h"

namespace bookinfo::ratings {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

/// Posted values stay for the life of the process, so each and all together need a bound.
constexpr std::size_t kMostBytesPosted = 16 * 1024;
constexpr std::size_t kMostBytesKept = 2 * 1024 * 1024;
/// What a product costs besides its text, about.
constexpr std::size_t kBytesPerProduct = 128;

constexpr std::size_t kDatabaseThreads = 8;
constexpr std::size_t kMostWaitingForDatabase = 256;
constexpr std::chrono::milliseconds kHealthTimeout = 500ms;

/// `ratings` is JSON already.
Response ratings_json(std::int64_t product, std::string_view ratings) {
  std::string body = "{\"id\":" + std::to_string(product) + ",\"ratings\":";
  body += ratings;
  return json_response(200, body + "}");
}

Response not_found() { return {.status = 404, .headers = {}, .body = {}}; }

Response not_healthy(std::string_view why) {
  json::object status{{"status", "Ratings is not healthy"}};
  if (!why.empty()) status["error"] = why;
  return json_response(500, compact_json(status));
}

asio::awaitable<void> wait(std::chrono::milliseconds time) {
  boost::system::error_code cancelled;
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

}  // namespace

Ratings::Ratings(Settings settings)
    : settings_(std::move(settings)), workers_(kDatabaseThreads, kMostWaitingForDatabase) {}

asio::awaitable<Response> Ratings::handle(const Request& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool writes = request.method == "POST";
  if (!reads && !writes) co_return method_not_allowed("GET, HEAD, POST");
  if (reads && request.path == "/health") co_return co_await health();
  if (!request.path.starts_with("/ratings/")) co_return not_found();
  if (writes && settings_.is_2017) co_return not_found();
  const auto product = product_id_of_target(request.target);
  if (!product) co_return error_json(400, "please provide numeric product ID");
  if (writes) co_return store(*product, request.body);
  co_return co_await show(*product, request.headers);
}

Response Ratings::refuse(unsigned status, std::string_view reason) { return error_json(status, reason); }

asio::awaitable<Response> Ratings::health() {
  if (settings_.faults && !settings_.faults->is_healthy()) co_return not_healthy("");
  if (settings_.database && settings_.database->is_embedded()) {
    const RatingRows rows = co_await read_database(kHealthTimeout);
    // Somebody else's lock, or many requests at once, will pass; they are no fault of the file.
    const bool is_fault = !rows && rows.error().kind != Failure::Kind::kBusy;
    if (is_fault) co_return not_healthy(rows.error().why);
  }
  co_return json_response(200, compact_json({{"status", "Ratings is healthy"}}));
}

asio::awaitable<Response> Ratings::show(std::int64_t product, const Headers& headers) {
  if (settings_.database) co_return co_await show_database(product, headers);
  if (settings_.faults) {
    const Faults::Effect effect = settings_.faults->next_request();
    if (effect.is_refused) co_return error_json(503, "Service unavailable");
    if (effect.delay > 0ms) co_await wait(effect.delay);
  }
  co_return show_memory(product);
}

Response Ratings::show_memory(std::int64_t product) const {
  const auto found = posted_.find(product);
  if (found != posted_.end()) return ratings_json(product, found->second);
  return ratings_json(product, R"({"Reviewer1":5,"Reviewer2":4})");
}

asio::awaitable<RatingRows> Ratings::read_database(std::chrono::milliseconds timeout) {
  Database& database = *settings_.database;
  return workers_.run([&database](Deadline deadline) { return database.read(deadline); }, timeout);
}

asio::awaitable<Response> Ratings::show_database(std::int64_t product, const Headers& headers) {
  const RatingRows rows = co_await read_database(settings_.database_timeout);
  if (!rows) co_return show_failure(rows.error(), headers);
  const json::value ratings{{"Reviewer1", rows->empty() ? json::value(0) : rows->at(0)},
                            {"Reviewer2", rows->size() < 2 ? json::value(0) : rows->at(1)}};
  Response answer = ratings_json(product, compact_json(ratings));
  // Text in a database can be any bytes; JSON cannot.
  if (!parse_json(answer.body))
    co_return show_failure({Failure::Kind::kRead, "a rating is not UTF-8"}, headers);
  co_return answer;
}

Response Ratings::show_failure(const Failure& failure, const Headers& headers) const {
  log_failure("ratings", headers, "no stars from the database: " + failure.why);
  const bool reached = failure.kind != Failure::Kind::kConnect;
  return error_json(500,
                    reached ? settings_.database->read_error() : "could not connect to ratings database");
}

Response Ratings::store(std::int64_t product, const std::string& body) {
  if (body.size() > kMostBytesPosted) return error_json(413, "ratings JSON is too large");
  const auto ratings = parse_json(body);
  if (!ratings) return error_json(400, "please provide valid ratings JSON");
  if (settings_.database) return error_json(501, "Post not implemented for database backed ratings");
  std::string text = compact_json(*ratings);
  const auto before = posted_.find(product);
  const std::size_t freed = before == posted_.end() ? 0 : kBytesPerProduct + before->second.size();
  const std::size_t kept = bytes_kept_ - freed + kBytesPerProduct + text.size();
  if (kept > kMostBytesKept) return error_json(507, "no room for more posted ratings");
  bytes_kept_ = kept;
  text.shrink_to_fit();
  Response answer = ratings_json(product, text);
  posted_.insert_or_assign(product, std::move(text));
  return answer;
}

}  // namespace bookinfo::ratings
