#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace weft::cli {

/// A duration as kubectl's AGE column writes it: "5s", "119s", "2m3s", "12m", "3h", "3h5m", "2d4h", "400d",
/// "3y20d". The longer it is, the coarser; a little below zero (clocks differ) is "0s", more is "<invalid>".
std::string human_duration(std::chrono::seconds duration);

/// How long ago an API timestamp (RFC 3339) was, its fraction cut off; "<unknown>" when it is none.
std::string age_since(std::string_view timestamp, std::chrono::sys_seconds now);

}  // namespace weft::cli
