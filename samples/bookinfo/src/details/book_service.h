#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "common/client.h"
#include "common/environment.h"

namespace bookinfo::details {

/// The external book service that details v2 asks: the Google Books API, for the edition with one fixed ISBN,
/// whichever book was asked for.
class BookService {
 public:
  struct Settings {
    Endpoint endpoint;     ///< `EXTERNAL_BOOK_SERVICE_HOSTNAME`, `EXTERNAL_BOOK_SERVICE_PORT`
    bool encrypts = true;  ///< `DO_NOT_ENCRYPT` is not `true`; decides between port 443 and 80
  };

  /// What an answer costs at most, however the service drips its bytes.
  static constexpr std::chrono::seconds kLongest{30};

  /// Nothing unless `ENABLE_EXTERNAL_BOOK_SERVICE` is exactly `true`.
  static std::optional<Settings> settings_of(const Environment& environment);

  explicit BookService(Settings settings);

  /// Asks once, and once more when the connection breaks or is silent for 5 s after it was made, so a dead
  /// slow service costs 10 s; 30 s are the end in any case. The status of the answer does not matter. The
  /// error is one line for the client.
  boost::asio::awaitable<std::expected<boost::json::value, std::string>> book(std::int64_t id,
                                                                              const Headers& client) const;

 private:
  Settings settings_;
  /// Null for plain text.
  std::unique_ptr<boost::asio::ssl::context> tls_;
};

}  // namespace bookinfo::details
