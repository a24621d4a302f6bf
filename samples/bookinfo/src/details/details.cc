#include "details/details.h"

#include <algorithm>
#include <array>

#include "common/json.h"
#include "details/book_id.h"

namespace bookinfo::details {

namespace {

bool is_at_or_below(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

Response book(std::string_view path) {
  const auto id = book_id_of_path(path);
  if (!id) return json_response(400, compact_json({{"error", "please provide numeric product id"}}));
  const boost::json::value facts = {
      {"id", *id},
      {"author", "William Shakespeare"},
      {"year", 1595},
      {"type", "paperback"},
      {"pages", 200},
      {"publisher", "PublisherA"},
      {"language", "English"},
      {"ISBN-10", "1234567890"},
      {"ISBN-13", "123-1234567890"},
  };
  return json_response(200, compact_json(facts));
}

Response answer(const Request& request) {
  const bool is_health = is_at_or_below(request.path, "/health");
  if (!is_health && !is_at_or_below(request.path, "/details")) return error_page(404, "Not Found");
  // POST and PUT answer like GET, as they always did here.
  constexpr std::array<std::string_view, 4> kMethods = {"GET", "HEAD", "POST", "PUT"};
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    return method_not_allowed("GET, HEAD, POST, PUT");
  }
  if (is_health) return json_response(200, compact_json({{"status", "Details is healthy"}}));
  return book(request.path);
}

}  // namespace

boost::asio::awaitable<Response> Details::handle(const Request& request) { co_return answer(request); }

}  // namespace bookinfo::details
