#include "api/duration.h"

#include <cmath>

#include "base/strings.h"

namespace weft::api {
namespace {

struct Unit {
  std::string_view name;
  double milliseconds;
};

// Two-letter units before the one-letter ones they begin with.
constexpr Unit kUnits[] = {{"ms", 1},        {"ns", 1e-6},  {"us", 1e-3}, {"\xc2\xb5s", 1e-3},
                           {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}};

Error rejected(std::string_view text) {
  return Error::config(
      Code::kInvalid, "\"" + std::string(cut(text, 64)) + "\" is not a duration such as 1.5s, 300ms or 1h2m");
}

/// Takes "12.5" from the front; false when there is no number, or one too long to be meant.
bool take_number(std::string_view& rest, double& number) {
  auto end = std::min(rest.find_first_not_of("0123456789."), rest.size());
  std::string_view digits = rest.substr(0, end);
  if (digits.empty() || digits.size() > 20 || digits == "." || digits.find('.') != digits.rfind('.'))
    return false;
  number = 0;
  double place = 0;
  for (char c : digits) {
    if (c == '.') {
      place = 1;
    } else if (place > 0) {
      place /= 10;
      number += (c - '0') * place;
    } else {
      number = number * 10 + (c - '0');
    }
  }
  rest.remove_prefix(end);
  return true;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr double kMaxDuration = 1e6 * 3'600'000;
  if (text == "0") return std::chrono::milliseconds(0);
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) return fail(rejected(text));
  while (!rest.empty()) {
    double number = 0;
    if (!take_number(rest, number)) return fail(rejected(text));
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits)
      if (!found && rest.starts_with(unit.name)) found = &unit;
    if (!found) return fail(rejected(text));
    rest.remove_prefix(found->name.size());
    total += number * found->milliseconds;
    if (total > kMaxDuration) return fail(rejected(text));
  }
  // The subtrahend keeps the sum's rounding noise from becoming a millisecond of its own.
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(total - 1e-7)));
}

std::string format_duration(std::chrono::milliseconds duration) {
  auto left = duration.count();
  if (left == 0) return "0s";
  std::string text;
  auto take = [&](std::int64_t unit, const char* name) {
    if (left >= unit) text += std::to_string(left / unit) + name;
    left %= unit;
  };
  take(3'600'000, "h");
  take(60'000, "m");
  take(1000, "s");
  take(1, "ms");
  return text;
}

}  // namespace weft::api
