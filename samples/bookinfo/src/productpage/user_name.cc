#include "productpage/user_name.h"

namespace bookinfo::productpage {

std::optional<std::string> header_bytes_of(std::string_view utf8) {
  std::string bytes;
  for (std::size_t at = 0; at < utf8.size(); ++at) {
    const auto byte = static_cast<unsigned char>(utf8[at]);
    if (byte < 0x20 || byte == 0x7F) return std::nullopt;
    if (byte < 0x80) {
      bytes += utf8[at];
      continue;
    }
    // U+0080 to U+00FF are the two-byte forms that begin with C2 and C3.
    const bool is_latin = (byte == 0xC2 || byte == 0xC3) && at + 1 < utf8.size();
    const unsigned next = is_latin ? static_cast<unsigned char>(utf8[at + 1]) : 0U;
    if ((next & 0xC0U) != 0x80U) return std::nullopt;
    bytes += static_cast<char>((byte & 0x03U) << 6U | (next & 0x3FU));
    ++at;
  }
  return bytes;
}

}  // namespace bookinfo::productpage
