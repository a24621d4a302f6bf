#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace weft::cli {

using WallTime = std::chrono::system_clock::time_point;

/// An RFC 3339 time, "2026-11-28T19:21:08.120+01:00". nullopt for any other text.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// The first time that a line of a log says in its first 128 bytes, as access logs, JSON loggers and most
/// others write it: RFC 3339, with a space for the T too; without a zone it is this machine's. nullopt when
/// there is none.
std::optional<WallTime> time_of_line(std::string_view line);

/// Where in a log the lines of `since` and later begin. A line that says no time is of the time of the one
/// before it, those at the beginning are of the first that is said. When no line says one, the whole file is
/// as old as its last write, and `known` is false.
struct LogPosition {
  off_t at = 0;
  bool known = true;
};
LogPosition position_since(int file, WallTime since);

}  // namespace weft::cli
