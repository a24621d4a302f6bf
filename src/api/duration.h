#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::api {

/// A length of time as Istio and Kubernetes objects write it: "1.5s", "300ms", "1h2m", "0s". Parts below a
/// millisecond are rounded up to one, so that a positive duration never becomes none.
/// Any thread. Errors: kInvalid for anything else: no unit, a sign, unknown units, more than 1,000,000 hours.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text that parse_duration reads as the same: "1m30s", "250ms", "0s".
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace weft::api
