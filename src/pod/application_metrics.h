#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::pod {

/// Where the application's own metrics are, as its annotations said before injection turned Prometheus to the
/// sidecar. A value.
struct ApplicationMetrics {
  net::Address at;
  std::string path = "/metrics";

  /// `json`: ISTIO_PROMETHEUS_ANNOTATIONS. Nothing when there are none to be fetched. Errors: kInvalid.
  static Result<std::optional<ApplicationMetrics>> parse(std::string_view json, const net::Address& pod);

  /// The metrics as text, ending with a line's end. Errors: no response before `deadline`, one that is not
  /// 200, more than 4 MiB.
  net::Task<Result<std::string>> fetch(net::Loop& loop, TimePoint deadline) const;
};

}  // namespace weft::pod
