#pragma once

#include <cstdint>
#include <string_view>

/// What both directions of the HTTP/1 codec share: limits, the form of a refusal, and the character classes
/// of RFC 9110 §5.
namespace weft::http::h1 {

/// Bounds of one message. Every one has an answer: 431 for heads, 414 for the request line, 400 for chunk
/// extensions.
struct Limits {
  std::uint32_t head_bytes = 60 * 1024;  ///< request or status line and fields, with line ends
  std::uint32_t fields = 100;
  std::uint32_t request_line_bytes = 16 * 1024;
  std::uint32_t chunk_extension_bytes = 16 * 1024;  ///< of all chunks of one body
  std::uint32_t trailer_bytes = 8 * 1024;
};

/// Why bytes are not taken. `rule` is the row of docs/bad-input.md ("A01"); it names a counter and goes to
/// the log.
struct Refusal {
  int status = 0;  ///< what a client is told; an upstream's fault becomes 502
  std::string_view rule;
  std::string_view reason;
  explicit operator bool() const { return status != 0; }
};

/// RFC 9110 §5.6.2.
bool is_token(std::string_view text);
bool is_token_char(char c);
/// RFC 9110 §5.5: no control byte but the tab; bytes from 0x80 pass.
bool is_field_value(std::string_view text);
std::string_view trim(std::string_view text);
/// RFC 3986 §3.2, host[:port], without userinfo; without a comma, too, which would be two hosts in one field.
bool is_authority(std::string_view text);
bool is_digits(std::string_view text);

/// Calls `each(element)` for every comma-separated element, trimmed, empty ones included; stops when it
/// returns false.
template <class Each>
bool for_each_element(std::string_view list, Each each) {
  for (;;) {
    const auto comma = list.find(',');
    if (!each(trim(list.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weft::http::h1
