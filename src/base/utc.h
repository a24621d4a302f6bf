#pragma once

#include <chrono>
#include <string>

namespace weft {

/// "2026-08-01T12:34:56Z": a point of time in UTC to the second (RFC 3339 §5.6). Of the years 0 to 9999 such
/// texts sort as their times do. Any thread.
std::string utc_text(std::chrono::system_clock::time_point when);
/// That of now, for what objects tell people.
std::string utc_now();

}  // namespace weft
