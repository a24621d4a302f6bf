#include "cli/age.h"

#include <array>

#include "cli/log_times.h"

namespace weft::cli {
namespace {

/// Below `limit` seconds: whole `big` units, and the rest in `small` units when `small` is not 0.
struct Step {
  long long limit;
  long long big;
  char big_name;
  long long small;
  char small_name;
};

constexpr long long kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kYear = 365 * kDay;
constexpr std::array<Step, 8> kSteps = {{
    {2 * kMinute, 1, 's', 0, ' '},
    {10 * kMinute, kMinute, 'm', 1, 's'},
    {3 * kHour, kMinute, 'm', 0, ' '},
    {8 * kHour, kHour, 'h', kMinute, 'm'},
    {2 * kDay, kHour, 'h', 0, ' '},
    {8 * kDay, kDay, 'd', kHour, 'h'},
    {2 * kYear, kDay, 'd', 0, ' '},
    {8 * kYear, kYear, 'y', kDay, 'd'},
}};

}  // namespace

std::string human_duration(std::chrono::seconds duration) {
  const long long seconds = duration.count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  for (const Step& step : kSteps) {
    if (seconds >= step.limit) continue;
    std::string text = std::to_string(seconds / step.big) + step.big_name;
    const long long rest = step.small == 0 ? 0 : seconds % step.big / step.small;
    if (rest != 0) text += std::to_string(rest) + step.small_name;
    return text;
  }
  return std::to_string(seconds / kYear) + "y";
}

std::string age_since(std::string_view timestamp, std::chrono::sys_seconds now) {
  const auto then = parse_rfc3339(timestamp);
  return then ? human_duration(now - std::chrono::floor<std::chrono::seconds>(*then)) : "<unknown>";
}

}  // namespace weft::cli
