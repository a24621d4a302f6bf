#pragma once

#include <string_view>

#include "http/limits.h"

/// What the codecs of all versions share: the character classes of RFC 9110 §5, and what targets may be.
namespace weft::http {

/// RFC 9110 §5.6.2.
bool is_token(std::string_view text);
bool is_token_char(char c);
/// RFC 9110 §5.5: no control byte but the tab; bytes from 0x80 pass.
bool is_field_value(std::string_view text);
std::string_view trim(std::string_view text);
/// RFC 3986 §3.2, host[:port], without userinfo; without a comma, too, which would be two hosts in one field.
bool is_authority(std::string_view text);
bool is_digits(std::string_view text);
/// RFC 3986: visible ASCII only; what else a path may hold arrives percent-encoded.
bool is_target(std::string_view text);
/// A longer method is not a known one.
inline constexpr std::size_t kMaxMethod = 64;
/// Of CONNECT (RFC 9112 §3.2.3, RFC 9113 §8.5): an authority with a port.
bool is_tunnel_target(std::string_view text);
/// Some servers read an underscore as a hyphen; framing must never depend on who reads.
bool is_framing_with_underscore(std::string_view name);

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

}  // namespace weft::http
