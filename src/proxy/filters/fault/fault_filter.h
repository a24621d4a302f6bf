#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "proxy/filters/filter_config.h"

namespace weft::proxy {

/// What is done to requests on purpose, as Envoy's fault filter does it: each share by itself, the delay
/// before the abort.
struct Fault {
  std::chrono::milliseconds delay{0};
  std::uint32_t delays_per_million = 0;
  int abort_status = 0;
  /// Of calls, whose abort_status is then that of other requests. nullopt: what goes with abort_status.
  std::optional<int> abort_grpc_status = {};
  std::uint32_t aborts_per_million = 0;
};

/// Neither share: a filter without hooks, for a chain whose routes bring their own.
HttpFilterFactory fault_filter(const Fault& fault);

}  // namespace weft::proxy
