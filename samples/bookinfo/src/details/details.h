#pragma once

#include "common/environment.h"
#include "common/service.h"

namespace bookinfo::details {

/// Facts about a book: author, year, pages, publisher, numbers. Every numeric id names the same book; the
/// service keeps nothing and calls nobody.
class Details final : public Service {
 public:
  boost::asio::awaitable<Response> handle(const Request& request) override;
};

}  // namespace bookinfo::details
