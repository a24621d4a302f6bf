#include "cli/log_times.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace weft::cli {
namespace {

using std::chrono::milliseconds;

TEST(LogTimes, of_rfc_3339_are_read_with_fraction_and_zone) {
  const auto plain = parse_rfc3339("2026-11-28T19:21:08Z");
  ASSERT_TRUE(plain);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*plain), 1795893668);
  EXPECT_EQ(parse_rfc3339("2026-11-28T20:21:08+01:00"), plain);
  EXPECT_EQ(parse_rfc3339("2026-11-28T14:51:08.000-04:30"), plain);
  EXPECT_EQ(parse_rfc3339("2026-11-28T19:21:08.250Z"), *plain + milliseconds(250));
  for (const char* bad :
       {"", "yesterday", "2026-11-28", "2026-11-28T19:21:08", "2026-13-28T19:21:08Z", "2026-02-30T19:21:08Z",
        "2026-11-28T24:21:08Z", "9999-11-28T19:21:08Z", "0000-11-28T19:21:08Z", "2026-11-28T19:21:08Z!"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(LogTimes, of_lines_are_found_where_loggers_write_them) {
  const auto time = parse_rfc3339("2026-11-28T19:21:08.120Z");
  for (const char* line : {"[2026-11-28T19:21:08.120Z] \"GET / HTTP/1.1\" 200",
                           "{\"level\":\"info\",\"time\":\"2026-11-28T19:21:08.120Z\",\"x\":1}",
                           "2026-11-28 19:21:08,120Z INFO started", "2026-11-28T20:21:08.12+01:00 x"})
    EXPECT_EQ(time_of_line(line), time) << line;
  for (const char* line : {"", "starting", "version 12026-11-28T19:21:08Z", "2026-99-28T19:21:08Z"})
    EXPECT_FALSE(time_of_line(line)) << line;
}

TEST(LogTimes, of_lines_without_a_zone_are_this_machines) {
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S hello", &parts);
  const auto time = time_of_line(text);
  ASSERT_TRUE(time);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*time), now);
}

/// A file of this text.
class Log {
 public:
  explicit Log(const std::string& text) : file_(std::tmpfile()) {
    std::fwrite(text.data(), 1, text.size(), file_);
    std::fflush(file_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { std::fclose(file_); }
  int fd() const { return ::fileno(file_); }

 private:
  std::FILE* file_;
};

TEST(LogTimes, lines_without_a_time_belong_to_the_one_before) {
  const std::string text =
      "hello\n2026-11-28T19:00:00Z one\n  more of one\n2026-11-28T19:00:10Z two\n  more of two\n";
  const Log log(text);
  const auto from = [&](const char* since) {
    const LogPosition found = position_since(log.fd(), *parse_rfc3339(since));
    EXPECT_TRUE(found.known);
    return text.substr(static_cast<std::size_t>(found.at));
  };
  EXPECT_EQ(from("2026-11-28T18:00:00Z"), text);
  EXPECT_EQ(from("2026-11-28T19:00:00Z"), text);
  EXPECT_EQ(from("2026-11-28T19:00:01Z"), "2026-11-28T19:00:10Z two\n  more of two\n");
  EXPECT_EQ(from("2026-11-28T19:00:11Z"), "");
}

TEST(LogTimes, a_line_of_the_same_millisecond_is_not_before) {
  const Log log("2026-11-28T19:00:00.384Z before\n2026-11-28T19:00:00.388Z after\n");
  EXPECT_EQ(position_since(log.fd(), *parse_rfc3339("2026-11-28T19:00:00.388761Z")).at, 32);
  EXPECT_EQ(position_since(log.fd(), *parse_rfc3339("2026-11-28T19:00:00.389001Z")).at, 63);
}

TEST(LogTimes, a_time_is_found_in_a_line_longer_than_a_block_and_in_the_last_without_an_end) {
  const std::string first(200'000, 'x'), last = "2026-11-28T19:00:10Z end";
  const Log log("2026-11-28T19:00:00Z " + first + "\n" + last);
  EXPECT_EQ(position_since(log.fd(), *parse_rfc3339("2026-11-28T19:00:05Z")).at,
            static_cast<off_t>(21 + first.size() + 1));
}

TEST(LogTimes, a_file_that_says_none_is_as_old_as_its_last_write) {
  const Log log("one\ntwo\n");
  const auto now = std::chrono::system_clock::now();
  const LogPosition young = position_since(log.fd(), now - std::chrono::hours(1));
  EXPECT_EQ(young.at, 0);
  EXPECT_FALSE(young.known);
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::futimens(log.fd(), long_ago), 0);
  EXPECT_EQ(position_since(log.fd(), now - std::chrono::hours(1)).at, 8);
}

}  // namespace
}  // namespace weft::cli
