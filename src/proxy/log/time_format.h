#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::proxy {

/// How a point of time is written, in UTC: strftime's specifiers, and Envoy's besides:
/// %s seconds since 1970; %f and %1f…%9f digits of the second's fraction (9 without a number); %E3S and %E*S
/// seconds with their fraction; %E3f and %E*f the fraction; %Ez "+00:00"; %E*z "+00:00:00"; %E4Y the year;
/// %ET "T".
///
/// Immutable; any thread.
class TimeFormat {
 public:
  /// Errors name the specifier that is not known.
  static Result<TimeFormat> compile(std::string_view text);
  void append_to(std::string& out, std::chrono::system_clock::time_point when) const;

 private:
  enum class Kind : std::uint8_t { kCalendar, kEpoch, kFraction, kSecondWithFraction };
  static constexpr int kAsManyAsNeeded = -1;
  struct Part {
    Kind kind = Kind::kCalendar;
    int digits = 0;
    std::string text;  ///< of kCalendar, for strftime
  };
  std::string& calendar();
  void add(Kind kind, int digits) { parts_.push_back({kind, digits, {}}); }
  std::size_t add_specifier(std::string_view behind_percent);
  std::size_t add_extended(std::string_view behind_e);

  std::vector<Part> parts_;
};

}  // namespace weft::proxy
