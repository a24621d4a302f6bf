#include "common/forwarding.h"

#include <array>

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

}  // namespace

std::span<const std::string_view> headers_productpage_copies() {
  return std::span(kNames).first(kProductpageNames);
}

std::span<const std::string_view> headers_reviews_copies() { return kNames; }

void copy_headers(std::span<const std::string_view> names, const Headers& from, Headers& to) {
  for (const std::string_view name : names) {
    if (const auto value = from.joined(name)) to.add(name, *value);
  }
}

}  // namespace bookinfo
