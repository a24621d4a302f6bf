#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/message.h"

namespace bookinfo {

/// How one request ended, for the log.
struct Served {
  std::string_view service;  ///< `details`
  unsigned status = 0;
  std::size_t bytes = 0;                           ///< of the answer's body
  std::chrono::duration<double, std::milli> took;  ///< from the whole request to the whole answer
  std::chrono::system_clock::time_point when;      ///< of the answer
};

/// One JSON object without a line end, whose keys are always these and in this order:
///
///     {"time":"2026-01-31T08:15:30.123Z","service":"details","request_id":"…","trace_id":"…",
///      "method":"GET","target":"/details/0","status":200,"bytes":178,"ms":0.1}
///
/// `request_id` is the header `x-request-id`; `trace_id` is `x-b3-traceid`, or else the id in `traceparent`;
/// each is `null` when the request has none. What clients send is cut after 512 bytes, and every byte that is
/// not printable ASCII is escaped, so that a line stays one line.
std::string request_log_line(const Request& request, const Served& served);

/// What went wrong behind an answer, in the same form: `time`, `service`, `request_id`, `trace_id`, `error`.
/// `headers` are those of the request, or of the call that was made for it; none at start.
std::string failure_log_line(std::chrono::system_clock::time_point when, std::string_view service,
                             const Headers& headers, std::string_view error);

/// Writes that line to stderr.
void log_failure(std::string_view service, const Headers& headers, std::string_view error);

}  // namespace bookinfo
