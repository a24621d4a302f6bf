#include "http/trailers.h"

#include <algorithm>
#include <array>
#include <string>

#include "http/connection_fields.h"

namespace weft::http {
namespace {

constexpr std::array<std::string_view, 41> kNoTrailers = {"accept-ranges",
                                                          "age",
                                                          "authorization",
                                                          "cache-control",
                                                          "content-encoding",
                                                          "content-length",
                                                          "content-location",
                                                          "content-range",
                                                          "content-type",
                                                          "cookie",
                                                          "date",
                                                          "etag",
                                                          "expect",
                                                          "expires",
                                                          "forwarded",
                                                          "host",
                                                          "if-match",
                                                          "if-modified-since",
                                                          "if-none-match",
                                                          "if-range",
                                                          "if-unmodified-since",
                                                          "last-modified",
                                                          "location",
                                                          "max-forwards",
                                                          "origin",
                                                          "pragma",
                                                          "proxy-authenticate",
                                                          "proxy-authorization",
                                                          "proxy-status",
                                                          "range",
                                                          "referer",
                                                          "retry-after",
                                                          "server",
                                                          "set-cookie",
                                                          "strict-transport-security",
                                                          "te",
                                                          "user-agent",
                                                          "vary",
                                                          "via",
                                                          "warning",
                                                          "www-authenticate"};

}  // namespace

bool is_mesh_owned(std::string_view name) {
  for (const std::string_view prefix : {"x-envoy-", "x-b3-", "x-forwarded-"})
    if (name.size() > prefix.size() && equal_ignoring_case(name.substr(0, prefix.size()), prefix))
      return true;
  for (const std::string_view own : {"host", "x-request-id", "traceparent", "tracestate", "b3",
                                     "content-length", "transfer-encoding", "authorization-identity"})
    if (equal_ignoring_case(name, own)) return true;
  return false;
}

bool may_be_a_trailer(std::string_view written) {
  // Some servers read an underscore as a hyphen.
  std::string name(written);
  std::ranges::replace(name, '_', '-');
  if (is_of_the_connection(known_field(name)) || is_mesh_owned(name)) return false;
  return std::ranges::none_of(kNoTrailers,
                              [&name](std::string_view each) { return equal_ignoring_case(each, name); });
}

}  // namespace weft::http
