#include "proxy/filters/router/retry_policy.h"

#include <algorithm>
#include <charconv>

#include "proxy/routing/string_match.h"

namespace weft::proxy {
namespace {

bool is_gateway_error(int status) { return status == 502 || status == 503 || status == 504; }

/// A response that is over with its head says there how the call went (gRPC over HTTP, "Trailers-Only").
bool has_grpc_status(const http::ResponseHead& response, std::uint32_t statuses) {
  const auto text = response.headers.get("grpc-status");
  if (!statuses || !text) return false;
  unsigned status = 32;
  std::from_chars(text->data(), text->data() + text->size(), status);
  return status < 32 && (statuses >> status & 1) != 0;
}

}  // namespace

bool is_idempotent(std::string_view method) {
  for (const std::string_view one : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    if (method == one) return true;
  return false;
}

bool is_safe(std::string_view method) {
  return is_idempotent(method) && method != "PUT" && method != "DELETE";
}

bool retries_response(const RetryPolicy& policy, const http::ResponseHead& response) {
  // A limit that was reached is not to be run into again, unless that is wanted.
  if (response.headers.get("x-envoy-ratelimited")) return policy.rate_limited;
  const int status = response.status;
  if (policy.five_xx && status >= 500) return true;
  if (policy.gateway_error && is_gateway_error(status)) return true;
  if (policy.retriable_4xx && status == 409) return true;
  const auto& codes = policy.status_codes;
  if (policy.retriable_status_codes && std::find(codes.begin(), codes.end(), status) != codes.end())
    return true;
  if (has_grpc_status(response, policy.grpc_statuses)) return true;
  return policy.retriable_headers &&
         std::any_of(policy.response_headers.begin(), policy.response_headers.end(),
                     [&](const HeaderMatch& match) { return matches(match, response); });
}

}  // namespace weft::proxy
