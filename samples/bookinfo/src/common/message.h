#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bookinfo {

/// Compares two header names or tokens as HTTP does: letter case does not count. Source: RFC 9110 §5.1.
bool same_name(std::string_view left, std::string_view right);

/// The header lines of one message, in the order they came. Lookup is linear; messages have a few dozen
/// lines.
class Headers {
 public:
  using Line = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Line> lines) : lines_(lines) {}

  void add(std::string_view name, std::string_view value) { lines_.emplace_back(name, value); }

  /// The first line of that name. The view is good until the next `add`.
  std::optional<std::string_view> find(std::string_view name) const;

  /// Every line of that name joined with commas, as RFC 9110 §5.3 allows; nothing when there is none.
  std::optional<std::string> joined(std::string_view name) const;

  auto begin() const { return lines_.begin(); }
  auto end() const { return lines_.end(); }

 private:
  std::vector<Line> lines_;
};

/// One request as a service sees it: read whole, within the server's limits.
struct Request {
  std::string method;
  std::string target;  ///< as sent, query included; never with a scheme and host
  std::string path;    ///< `target` up to the `?`, still percent-encoded
  std::string query;   ///< what follows the `?`, still percent-encoded
  Headers headers;
  std::string body;
};

/// One answer. The server adds Date, Content-Length and Connection and leaves the body out for HEAD.
struct Response {
  unsigned status = 200;
  Headers headers;
  std::string body;
};

/// Splits a request target into `path` and `query`. An absolute form (RFC 9112 §3.2.2), which proxies send,
/// loses its scheme and host first.
void set_target(Request& request, std::string_view target);

Response json_response(unsigned status, std::string body);
/// `{"error":"..."}`.
Response error_json(unsigned status, std::string_view text);
Response html_response(unsigned status, std::string body);
/// A small HTML page that only names the status, e.g. `404 Not Found`.
Response error_page(unsigned status, std::string_view reason);
/// 405 with the `Allow` line RFC 9110 §15.5.6 demands.
Response method_not_allowed(std::string_view allow);

}  // namespace bookinfo
