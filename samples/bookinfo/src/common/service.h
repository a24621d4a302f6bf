#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "common/message.h"

namespace bookinfo {

/// What answers the requests of one process: productpage, details, reviews or ratings.
/// Thread: the io_context's one thread. Lives longer than every request it was given.
class Service {
 public:
  virtual ~Service() = default;

  /// Answers one request. `request` stays valid until the answer is there.
  virtual boost::asio::awaitable<Response> handle(const Request& request) = 0;

  /// The answer to what the server itself turns away before it is a request: too large, or not HTTP.
  virtual Response refuse(unsigned status, std::string_view reason) { return error_page(status, reason); }
};

}  // namespace bookinfo
