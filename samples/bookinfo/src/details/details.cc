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

boost::json::value built_in_book(std::int64_t id) {
  return {
      {"id", id},
      {"author", "William Shakespeare"},
      {"year", 1595},
      {"type", "paperback"},
      {"pages", 200},
      {"publisher", "PublisherA"},
      {"language", "English"},
      {"ISBN-10", "1234567890"},
      {"ISBN-13", "123-1234567890"},
  };
}

}  // namespace

Details::Details(std::optional<BookService::Settings> books) {
  if (books) books_.emplace(std::move(*books));
}

boost::asio::awaitable<Response> Details::handle(const Request& request) {
  const bool is_health = is_at_or_below(request.path, "/health");
  if (!is_health && !is_at_or_below(request.path, "/details")) co_return error_page(404, "Not Found");
  // POST and PUT answer like GET, as they always did here.
  constexpr std::array<std::string_view, 4> kMethods = {"GET", "HEAD", "POST", "PUT"};
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    co_return method_not_allowed("GET, HEAD, POST, PUT");
  }
  if (is_health) co_return json_response(200, compact_json({{"status", "Details is healthy"}}));
  co_return co_await book(request);
}

boost::asio::awaitable<Response> Details::book(const Request& request) const {
  const auto id = book_id_of_path(request.path);
  if (!id) co_return error_json(400, "please provide numeric product id");
  if (!books_) co_return json_response(200, compact_json(built_in_book(*id)));
  const auto found = co_await books_->book(*id, request.headers);
  if (!found) co_return error_json(400, found.error());
  co_return json_response(200, compact_json(*found));
}

}  // namespace bookinfo::details
