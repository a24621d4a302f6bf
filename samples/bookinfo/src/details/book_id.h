#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bookinfo::details {

/// Reads an integer the way Ruby's `Integer()` does, because clients of the original service may rely on it:
/// white space around it, a sign, `0x` `0o` `0b` `0d` prefixes, a leading zero for octal, and single
/// underscores between digits. Nothing for anything else, and for numbers outside 64 bits, which Ruby would
/// still take.
std::optional<std::int64_t> parse_ruby_integer(std::string_view text);

/// The book a path like `/details/7` asks for: its last segment that is not empty, percent-decoded.
std::optional<std::int64_t> book_id_of_path(std::string_view path);

}  // namespace bookinfo::details
