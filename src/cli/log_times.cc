#include "cli/log_times.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>

namespace weft::cli {
namespace {

constexpr std::size_t kLookedAt = 128;
constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kShortest = std::string_view("2026-11-28T19:21:08").size();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "2026-11-28T19:21:08" begins here.
bool begins_here(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0'   ? is_digit(text[i])
                      : kForm[i] == 'T' ? text[i] == 'T' || text[i] == ' '
                                        : text[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

int number(std::string_view text) {
  int value = 0;
  for (char c : text) value = value * 10 + (c - '0');
  return value;
}

/// Seconds east of UTC; takes what it reads from `rest`.
std::optional<int> take_zone(std::string_view& rest) {
  if (rest.starts_with('Z')) {
    rest.remove_prefix(1);
    return 0;
  }
  const bool offset = rest.size() >= 6 && (rest[0] == '+' || rest[0] == '-') && is_digit(rest[1]) &&
                      is_digit(rest[2]) && rest[3] == ':' && is_digit(rest[4]) && is_digit(rest[5]);
  if (!offset) return std::nullopt;
  const int seconds = number(rest.substr(1, 2)) * 3600 + number(rest.substr(4, 2)) * 60;
  const int signed_seconds = rest[0] == '-' ? -seconds : seconds;
  rest.remove_prefix(6);
  return signed_seconds;
}

struct Read {
  WallTime time;
  bool has_zone = false;
  std::string_view rest;  ///< behind it
};

/// A time that begins_here(); nullopt when its numbers are none of a date.
std::optional<Read> read_time(std::string_view text) {
  const std::chrono::year_month_day date{std::chrono::year(number(text.substr(0, 4))),
                                         std::chrono::month(static_cast<unsigned>(number(text.substr(5, 2)))),
                                         std::chrono::day(static_cast<unsigned>(number(text.substr(8, 2))))};
  const int hour = number(text.substr(11, 2)), minute = number(text.substr(14, 2)),
            second = number(text.substr(17, 2));
  // Nanoseconds of 64 bits end in 2262.
  if (!date.ok() || date.year() < std::chrono::year(1900) || date.year() > std::chrono::year(2200))
    return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::string_view rest = text.substr(kShortest);
  std::chrono::microseconds fraction{0};
  if (rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && is_digit(rest[1])) {
    rest.remove_prefix(1);
    for (std::int64_t unit = 100'000; !rest.empty() && is_digit(rest[0]); unit /= 10, rest.remove_prefix(1))
      fraction += std::chrono::microseconds(unit * (rest[0] - '0'));
  }
  const std::optional<int> east = take_zone(rest);
  WallTime time;
  if (east) {
    time = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second - *east);
  } else {
    std::tm parts{};
    parts.tm_year = static_cast<int>(date.year()) - 1900;
    parts.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    parts.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
    parts.tm_hour = hour;
    parts.tm_min = minute;
    parts.tm_sec = second;
    parts.tm_isdst = -1;
    time = std::chrono::system_clock::from_time_t(std::mktime(&parts));
  }
  return Read{time + fraction, east.has_value(), rest};
}

/// Calls visit(offset, first bytes) for each line until it says false.
template <class Visit>
void each_line(int file, Visit visit) {
  std::array<char, kBlock> block{};
  std::string head;  // of the line that is being read
  off_t begin = 0, at = 0;
  for (;;) {
    const ssize_t got = ::pread(file, block.data(), block.size(), at);
    if (got <= 0) break;
    std::string_view rest(block.data(), static_cast<std::size_t>(got));
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      head += part.substr(0, kLookedAt - std::min(kLookedAt, head.size()));
      at += static_cast<off_t>(part.size());
      if (end == rest.npos) break;
      ++at;
      if (!visit(begin, std::string_view(head))) return;
      head.clear();
      begin = at;
      rest.remove_prefix(end + 1);
    }
  }
  if (!head.empty()) visit(begin, std::string_view(head));
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  if (!begins_here(text)) return std::nullopt;
  const auto read = read_time(text);
  if (!read || !read->has_zone || !read->rest.empty()) return std::nullopt;
  return read->time;
}

std::optional<WallTime> time_of_line(std::string_view line) {
  line = line.substr(0, kLookedAt);
  for (std::size_t i = 0; i + kShortest <= line.size(); ++i) {
    if (i > 0 && is_digit(line[i - 1])) continue;
    if (!begins_here(line.substr(i))) continue;
    if (const auto read = read_time(line.substr(i))) return read->time;
  }
  return std::nullopt;
}

LogPosition position_since(int file, WallTime since) {
  // Lines say their time to the millisecond, cut off: one of just after `since` may seem to be before.
  since = std::chrono::floor<std::chrono::milliseconds>(since);
  std::optional<off_t> found;
  bool first = true;
  each_line(file, [&](off_t begin, std::string_view line) {
    const auto time = time_of_line(line);
    if (!time) return true;
    if (*time >= since) found = first ? 0 : begin;
    first = false;
    return !found;
  });
  struct stat now{};
  if (::fstat(file, &now) != 0) return {};
  if (found) return {*found, true};
  if (!first) return {now.st_size, true};
  const WallTime written{std::chrono::seconds(now.st_mtim.tv_sec)};
  // The last write is known to the second here.
  return {written + std::chrono::seconds(1) < since ? now.st_size : 0, false};
}

}  // namespace weft::cli
