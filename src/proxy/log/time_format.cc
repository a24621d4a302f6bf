#include "proxy/log/time_format.h"

#include <ctime>

namespace weft::proxy {
namespace {

constexpr std::string_view kCalendarSpecifiers = "aAbBcCdDeFgGhHIjklmMpPrRStTuUVwWxXyYzZ%";
constexpr int kMaxFraction = 9;

bool is_count(char c) { return c >= '1' && c <= '9'; }

std::string nine_digits(std::int64_t nanoseconds) {
  std::string text = std::to_string(nanoseconds);
  return std::string(9 - text.size(), '0') + text;
}

}  // namespace

std::string& TimeFormat::calendar() {
  if (parts_.empty() || parts_.back().kind != Kind::kCalendar) add(Kind::kCalendar, 0);
  return parts_.back().text;
}

/// The length of the specifier, or 0 when it is none.
std::size_t TimeFormat::add_specifier(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == 's') {
    add(Kind::kEpoch, 0);
    return 1;
  }
  if (text[0] == 'f') {
    add(Kind::kFraction, kMaxFraction);
    return 1;
  }
  if (is_count(text[0]) && text.size() > 1 && text[1] == 'f') {
    add(Kind::kFraction, text[0] - '0');
    return 2;
  }
  if (text[0] == 'E') {
    const std::size_t size = add_extended(text.substr(1));
    return size ? size + 1 : 0;
  }
  if (kCalendarSpecifiers.find(text[0]) == kCalendarSpecifiers.npos) return 0;
  calendar().append("%").push_back(text[0]);
  return 1;
}

std::size_t TimeFormat::add_extended(std::string_view text) {
  if (text.starts_with("z") || text.starts_with("T")) {
    calendar() += text[0] == 'z' ? "+00:00" : "T";
    return 1;
  }
  if (text.starts_with("*z") || text.starts_with("4Y")) {
    calendar() += text[0] == '*' ? "+00:00:00" : "%Y";
    return 2;
  }
  if (text.size() < 2 || (text[0] != '*' && !is_count(text[0])) || (text[1] != 'S' && text[1] != 'f'))
    return 0;
  add(text[1] == 'S' ? Kind::kSecondWithFraction : Kind::kFraction,
      text[0] == '*' ? kAsManyAsNeeded : text[0] - '0');
  return 2;
}

Result<TimeFormat> TimeFormat::compile(std::string_view text) {
  TimeFormat format;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '%') {
      format.calendar().push_back(text[i++]);
      continue;
    }
    const std::size_t size = format.add_specifier(text.substr(i + 1));
    if (size == 0)
      return fail(Error::config(Code::kInvalid, "time format '" + std::string(text) + "': '" +
                                                    std::string(text.substr(i, 3)) + "' is not known"));
    i += 1 + size;
  }
  return format;
}

void TimeFormat::append_to(std::string& out, std::chrono::system_clock::time_point when) const {
  const auto since = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch());
  const auto nanoseconds = std::chrono::nanoseconds(when.time_since_epoch() - since).count();
  const auto seconds = static_cast<std::time_t>(since.count());
  std::tm calendar{};
  gmtime_r(&seconds, &calendar);
  for (const Part& part : parts_) {
    if (part.kind == Kind::kCalendar) {
      char text[256];
      out.append(text, strftime(text, sizeof text, part.text.c_str(), &calendar));
      continue;
    }
    if (part.kind == Kind::kEpoch) {
      out += std::to_string(seconds);
      continue;
    }
    std::string digits = nine_digits(nanoseconds);
    if (part.digits == kAsManyAsNeeded)
      digits.erase(digits.find_last_not_of('0') + 1);
    else
      digits.resize(static_cast<std::size_t>(part.digits));
    if (part.kind == Kind::kSecondWithFraction) {
      char text[3];
      out.append(text, strftime(text, sizeof text, "%S", &calendar));
      if (!digits.empty()) out += '.';
    }
    out += part.digits == kAsManyAsNeeded && digits.empty() && part.kind == Kind::kFraction ? "0" : digits;
  }
}

}  // namespace weft::proxy
