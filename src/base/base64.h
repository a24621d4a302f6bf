#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// RFC 4648 §4, padded.
std::string encode_base64(std::string_view bytes);

/// RFC 4648 §4 or the alphabet of §5; line ends are passed over, padding may be left out. Nothing: a byte
/// that is none of it, or a text that ends inside a byte.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace weft
