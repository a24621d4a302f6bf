#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The parts of `text` between separators, empty ones included: split("a,,b", ',') gives three. The views
/// point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
/// The parts with `separator` between them.
std::string join(std::span<const std::string> parts, std::string_view separator);
/// Without spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);
/// At most `most` bytes from the front of a text, no code point cut in two: for messages, which travel as
/// JSON.
std::string_view cut(std::string_view text, std::size_t most);
/// ASCII letters only.
std::string to_lower(std::string_view text);

/// How many insertions, removals, replacements and swaps of neighbours turn `a` into `b`. Time grows with the
/// product of the lengths: for words, not for documents.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate that `word` was probably meant to be; empty when none is near enough to be worth suggesting.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// How many columns a terminal gives the UTF-8 text: code points, each counted as one.
std::size_t display_width(std::string_view text);

}  // namespace weft
