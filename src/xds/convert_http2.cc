#include <string>

#include "xds/convert.h"

namespace weft::xds {
namespace {

// RFC 9113 §6.5.2 and §6.9.2; Envoy's minimum for windows is what every connection begins with.
constexpr std::uint32_t kMinWindow = 65'535;
constexpr std::uint32_t kMaxOfSetting = 0x7fff'ffff;

Result<void> read_number(const google::protobuf::UInt32Value& from, std::uint32_t min, std::uint32_t& into,
                         const Path& path) {
  if (from.value() < min || from.value() > kMaxOfSetting)
    return fail(path.invalid("has to be from " + std::to_string(min) + " to " +
                             std::to_string(kMaxOfSetting) + ", not " + std::to_string(from.value())));
  into = from.value();
  return {};
}

Result<void> read_keepalive(const core::KeepaliveSettings& from, http::Http2Limits& into, const Path& path) {
  if (from.has_timeout()) {
    WEFT_TRY(into.ping_timeout, to_milliseconds(from.timeout(), path.field("timeout")));
    if (into.ping_timeout == Duration::zero())
      return fail(path.field("timeout").invalid("has to be longer than 0"));
  }
  if (!from.has_interval()) return {};
  WEFT_TRY(const auto interval, to_milliseconds(from.interval(), path.field("interval")));
  if (interval.count() == 0) return fail(path.field("interval").invalid("has to be longer than 0"));
  into.ping_interval = interval;
  return {};
}

}  // namespace

Result<void> read_http2_options(const core::Http2ProtocolOptions& from, http::Http2Limits& into,
                                const Path& path) {
  if (from.has_max_concurrent_streams())
    WEFT_CHECK(read_number(from.max_concurrent_streams(), 1, into.max_concurrent_streams,
                           path.field("max_concurrent_streams")));
  if (from.has_initial_stream_window_size())
    WEFT_CHECK(read_number(from.initial_stream_window_size(), kMinWindow, into.stream_window,
                           path.field("initial_stream_window_size")));
  if (from.has_initial_connection_window_size())
    WEFT_CHECK(read_number(from.initial_connection_window_size(), kMinWindow, into.connection_window,
                           path.field("initial_connection_window_size")));
  into.extended_connect = from.allow_connect();
  return read_keepalive(from.connection_keepalive(), into, path.field("connection_keepalive"));
}

}  // namespace weft::xds
