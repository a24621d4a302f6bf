#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace weft::http {

/// Bounds of one message, the same for every version. Each has a response: 431 for heads, 414 for the request
/// line, 400 for chunk extensions.
struct Limits {
  std::uint32_t head_bytes = 60 * 1024;  ///< request or status line and fields, with line ends; for HTTP/2
                                         ///< names, values and 32 for each field (RFC 9113 §6.5.2)
  std::uint32_t fields = 100;
  std::uint32_t request_line_bytes = 16 * 1024;
  std::uint32_t chunk_extension_bytes = 16 * 1024;  ///< of all chunks of one body
  std::uint32_t trailer_bytes = 8 * 1024;
  std::uint32_t far_beyond = 2;  ///< HTTP/2: a list of more than so many times what it may have ends the
                                 ///< connection, a smaller one its message
};

/// What an HTTP/2 peer may ask of us, on either side of a connection (RFC 9113 §10.5).
struct Http2Limits {
  std::uint32_t max_concurrent_streams = 100;  ///< that the peer may open (bad-input.md G13)
  std::uint32_t stream_window = 256 * 1024;    ///< bytes of a body that are taken before it is read
  std::uint32_t connection_window = 1024 * 1024;
  std::uint32_t max_frames_without_data = 1000;  ///< in a period: PING, SETTINGS, PRIORITY, empty DATA …
  std::uint32_t max_resets = 100;                ///< in a period, of streams that had begun (rapid reset)
  bool may_reset_half = true;            ///< of its streams, however many they are, as one that serves others
  std::uint32_t max_opened = ~0u;        ///< streams that the peer opens in a period
  Duration flood_period = 1s;            ///< in which these are counted
  Duration write_timeout = 0s;           ///< a peer that takes no byte for so long ends the connection; 0: as
                                         ///< long as a server's `body_timeout`, 300 s of a client
  std::uint32_t max_output = 64 * 1024;  ///< bytes for the transport, beyond which bodies are not packed
  std::uint32_t kept_buffer = 32 * 1024;  ///< bytes that a stream keeps for the next piece of a body
  Duration ping_interval = 0s;            ///< of silence, before the peer is asked by a PING; 0: never
  Duration ping_timeout = 20s;            ///< without a response to it the connection ends
  bool extended_connect = false;          ///< RFC 8441 is offered, or used
  /// A server's: the requests of many come by one connection, and one of which nothing is read must not hold
  /// up the others. The streams' windows alone bound what is taken then, as they always do for a client.
  bool of_many = false;
  bool operator==(const Http2Limits&) const = default;
};

/// Why bytes are rejected. `rule` is the row of docs/bad-input.md ("A01"); it names a counter and goes to
/// the log.
struct Rejection {
  int status = 0;  ///< what a client is told; an upstream's fault becomes 502
  std::string_view rule;
  std::string_view reason;
  explicit operator bool() const { return status != 0; }
};

}  // namespace weft::http
