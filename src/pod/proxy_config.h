#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::pod {

/// What PROXY_CONFIG (Istio's ProxyConfig as JSON) says that matters to a running proxy. A value.
struct ProxyConfig {
  std::optional<unsigned> concurrency;  ///< 0: one worker for each processor
  /// How long a proxy that drains waits at most for requests that are open, and how long a TCP connection may
  /// go on whose listener or filter chain is removed.
  std::chrono::milliseconds drain{45'000};
  /// How long it stays at least, so that calls of an application that ends too still work.
  std::chrono::milliseconds termination_drain{5'000};
  std::uint16_t status_port = 15020;            ///< 0: no status server
  std::map<std::string, std::string> metadata;  ///< proxyMetadata: environment variables
  std::vector<std::string> ignored;             ///< fields without a meaning here; reported, not rejected

  /// Errors: kInvalid, "PROXY_CONFIG: field: what is wrong". An empty text is all defaults.
  static Result<ProxyConfig> parse(std::string_view json);
};

}  // namespace weft::pod
