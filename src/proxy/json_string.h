#pragma once

#include <string>
#include <string_view>

namespace weft::proxy {

/// `text` as a string of JSON, with its quotes (RFC 8259 §7). Names from configuration may hold anything. Any
/// thread.
inline std::string json_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20)
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    else
      out.push_back(c);
  }
  return out + "\"";
}

}  // namespace weft::proxy
