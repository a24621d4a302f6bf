#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "http/limits.h"

namespace weft::http::grpc {

/// What a session takes from its peer, and how long it bears its silence.
struct SessionLimits {
  std::size_t max_message = 32 * 1024 * 1024;  ///< bytes; a longer message ends its call with kTooLarge
  std::uint32_t max_header_bytes = 32 * 1024;  ///< of a decoded list: names, values and 32 for each (RFC 9113
                                               ///< §6.5.2); more ends the session, as do the next two
  std::uint32_t max_header_fields = 100;       ///< with those that begin with ':'
  std::uint32_t max_idle_frames = 5000;        ///< in 10 s, of those that carry no data: PING, SETTINGS,
                                               ///< CONTINUATION, empty ones of every type (§10.5)
  std::uint32_t max_streams = 100;             ///< calls at the same time that the peer may open
  std::uint32_t stream_window = 1024 * 1024;   ///< bytes of a call that are taken before they are read
  std::uint32_t connection_window = 4 * 1024 * 1024;
  Duration ping_after = 30s;     ///< of silence the peer is asked by a PING
  Duration ping_timeout = 15s;   ///< silence after a PING ends the session
  Duration write_timeout = 60s;  ///< a peer that takes no byte for so long ends the session
  /// For a server that strangers may connect to: what a call may hold before it is known who it is fits
  /// into one small window.
  static SessionLimits for_server();

  /// The same, as what HTTP calls so.
  Limits heads() const;
  Http2Limits http2() const;
};

}  // namespace weft::http::grpc
