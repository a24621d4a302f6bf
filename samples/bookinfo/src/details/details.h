#pragma once

#include <optional>

#include "common/service.h"
#include "details/book_service.h"

namespace bookinfo::details {

/// Facts about a book: author, year, pages, publisher, numbers. Every numeric id names the same book. v1 has
/// it built in and calls nobody; v2 asks an external book service, whose every failure is a 400 with its
/// text.
class Details final : public Service {
 public:
  /// v2 when `books` is there.
  explicit Details(std::optional<BookService::Settings> books);

  boost::asio::awaitable<Response> handle(const Request& request) override;

 private:
  boost::asio::awaitable<Response> book(const Request& request) const;

  std::optional<BookService> books_;
};

}  // namespace bookinfo::details
