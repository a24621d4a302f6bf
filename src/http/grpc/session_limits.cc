#include "http/grpc/session_limits.h"

namespace weft::http::grpc {
namespace {

/// A request has four fields that begin with ':', which Limits does not count.
constexpr std::uint32_t kPseudoFields = 4;
constexpr std::uint32_t kMaxResets = 100;
constexpr Duration kFloodPeriod = 10s;

}  // namespace

SessionLimits SessionLimits::for_server() {
  SessionLimits limits;
  limits.max_message = 4 * 1024 * 1024;
  limits.max_streams = 8;
  limits.stream_window = 64 * 1024;
  limits.connection_window = 256 * 1024;
  return limits;
}

Limits SessionLimits::heads() const {
  Limits limits;
  limits.head_bytes = limits.trailer_bytes = max_header_bytes;
  limits.fields = max_header_fields - kPseudoFields;
  limits.far_beyond = 1;
  return limits;
}

Http2Limits SessionLimits::http2() const {
  return {.max_concurrent_streams = max_streams,
          .stream_window = stream_window,
          .connection_window = connection_window,
          .max_frames_without_data = max_idle_frames,
          .max_resets = kMaxResets,
          .may_reset_half = false,
          .max_opened = max_idle_frames,
          .flood_period = kFloodPeriod,
          .write_timeout = write_timeout,
          .max_output = 1,   // one frame: thousands may be sent something at once
          .kept_buffer = 0,  // calls are silent for most of the time, and there are thousands
          .ping_interval = ping_after,
          .ping_timeout = ping_timeout};
}

}  // namespace weft::http::grpc
