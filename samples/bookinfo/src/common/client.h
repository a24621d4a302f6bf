#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <expected>
#include <string>

#include "common/environment.h"
#include "common/message.h"

namespace bookinfo {

/// Where a downstream service is. The name is resolved anew for each connection, so a Service that moves is
/// found again.
struct Endpoint {
  std::string host;
  std::string port;

  /// `reviews`, `[::1]`.
  std::string host_of_url() const;
  /// `reviews:9080`, `[::1]:9080`: what goes into `Host` and into URLs.
  std::string authority() const;
};

/// The endpoint a service name stands for. `REVIEWS_HOSTNAME` replaces the name, `SERVICES_DOMAIN` is
/// appended after a dot, `REVIEWS_SERVICE_PORT` replaces 9080. `service` is in lower case.
Endpoint endpoint_of(const Environment& environment, std::string_view service);

/// One GET to another service.
struct Call {
  Endpoint to;
  std::string target;  ///< path and query, percent-encoded
  Headers headers;     ///< sent as they are, after Host, which has the port unless it is the scheme's own
  std::chrono::milliseconds timeout{};  ///< to find and connect, and again for each wait for bytes
  /// When the call is over, retries and redirects included; a peer that drips bytes never meets `timeout`.
  std::chrono::steady_clock::time_point ends = std::chrono::steady_clock::time_point::max();
  unsigned redirects = 0;  ///< how many 3xx answers to follow
  unsigned retries = 0;    ///< how often to call anew when a connection breaks, or times out, once it is made
  boost::asio::ssl::context* tls = nullptr;  ///< outlives the call; null for plain text
};

/// Makes the call on a connection that an earlier one has left (kept_connections.h says how long they are
/// kept), else on a new one; over TLS always on a new one, which is closed afterwards. When a kept connection
/// ends before a byte of the answer came, its server had given it up, and the call is made once more, on a
/// new one. The error is one line for the log: not resolved, refused, reset, timed out, not trusted, not
/// HTTP. Answers over 1 MiB are an error as well.
boost::asio::awaitable<std::expected<Response, std::string>> get(Call call);

}  // namespace bookinfo
