#pragma once

#include <expected>
#include <string>

#include "common/compat.h"
#include "common/environment.h"
#include "common/service.h"
#include "productpage/downstream.h"
#include "productpage/identity.h"
#include "productpage/request_results.h"
#include "productpage/static_files.h"

namespace bookinfo::productpage {

/// The front of the shop: it asks details and then reviews, and shows what they say as a page for people or
/// as JSON under `/api/v1`. It also signs users in (any name will do) and tells the services behind it who
/// that is.
class Productpage final : public Service {
 public:
  struct Settings {
    int flood_factor = 0;     ///< `FLOOD_FACTOR`: extra reviews fetches per page view, one after another
    std::string session_key;  ///< `SESSION_KEY`; without it a key that everybody can read in this source
    std::string pod;          ///< `HOSTNAME`: shown to the page's reader
    Compat compat = Compat::kToday;
  };

  /// The error is one line for a person: which variable is wrong.
  static std::expected<Settings, std::string> settings_of(const Environment& environment);

  Productpage(const Environment& environment, Settings settings);

  boost::asio::awaitable<Response> handle(const Request& request) override;

 private:
  boost::asio::awaitable<Response> route(const Request& request);
  boost::asio::awaitable<Response> page(const Request& request);
  boost::asio::awaitable<Response> api(const Request& request);
  Response login(const Request& request) const;
  Response logout(const Request& request) const;
  Response products() const;
  Outgoing outgoing_for(const Request& request) const;

  Settings settings_;
  RequestResults results_;
  Downstream downstream_;
  Identity identity_;
  StaticFiles static_files_;
};

}  // namespace bookinfo::productpage
