#include "common/forwarding.h"

#include <array>

#include "common/text.h"

namespace bookinfo {

namespace {

// productpage's names come first, so that one list serves both services.
constexpr std::array<std::string_view, 20> kNames = {
    "x-request-id",
    "x-ot-span-context",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "traceparent",
    "tracestate",
    "x-cloud-trace-context",
    "grpc-trace-bin",
    "sw8",
    "user-agent",
    "authorization",
    "jwt",
    "cookie",
    "end-user",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
};
constexpr std::size_t kProductpageNames = 14;

constexpr std::array<std::string_view, 7> kNames029 = {
    "x-request-id",      "x-b3-traceid", "x-b3-spanid",       "x-b3-sampled",
    "x-b3-parentspanid", "x-b3-flags",   "x-ot-span-context",
};

}  // namespace

std::span<const std::string_view> headers_productpage_copies() {
  return std::span(kNames).first(kProductpageNames);
}

std::span<const std::string_view> headers_inner_services_copy() { return kNames; }

std::span<const std::string_view> headers_029_copies() { return kNames029; }

std::optional<std::string> user_cookie(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!same_name(name, "cookie")) continue;
    if (const auto user = cookie_value(value, "user")) return "user=" + std::string(*user);
  }
  return std::nullopt;
}

void copy_headers(std::span<const std::string_view> names, const Headers& from, Headers& to) {
  for (const std::string_view name : names) {
    if (const auto value = from.joined(name)) to.add(name, *value);
  }
}

}  // namespace bookinfo
