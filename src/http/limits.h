#pragma once

#include <cstdint>
#include <string_view>

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
