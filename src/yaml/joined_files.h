#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::yaml {

/// What files look like that others were joined to: `cat`, `jq -c`, two times `kubectl get -o json`.

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

inline bool has_byte_order_mark(std::string_view text) { return text.find(kByteOrderMark) != text.npos; }

/// The text without the byte order marks that stand where a document begins: at the head, before or behind a
/// line of three dashes, behind a line of three dots (YAML 1.2 §9.1.1). Elsewhere they are part of a value.
std::string without_byte_order_marks(std::string_view text);

/// Where the first JSON value of the text ends, when another begins behind it with nothing but white space
/// between; 0 when that is not so. A text with anything outside quotes that JSON does not have is left alone.
std::size_t end_of_first_json(std::string_view text);

}  // namespace weft::yaml
