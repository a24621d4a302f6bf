#include "proxy/log/time_format.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

std::string written(std::string_view format, std::int64_t nanoseconds) {
  auto compiled = TimeFormat::compile(format);
  if (!compiled) return compiled.error().text;
  std::string out;
  compiled->append_to(out, std::chrono::system_clock::time_point(std::chrono::nanoseconds(nanoseconds)));
  return out;
}

constexpr std::int64_t kThen = 1'785'587'696'007'080'900;  // 2026-08-01T12:34:56.0070809Z

TEST(TimeFormat, knows_strftime_and_what_envoy_adds) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"%s.%3f", "1785587696.007"},
      {"%Y-%m-%dT%H:%M:%E3S%Ez", "2026-08-01T12:34:56.007+00:00"},
      {"%FT%T%E*z", "2026-08-01T12:34:56+00:00:00"},
      {"%E4Y%ET%E*S", "2026T56.0070809"},
      {"%f %1f %9f %E*f %E6f", "007080900 0 007080900 0070809 007080"},
      {"%d/%b/%Y:%H:%M:%S %z", "01/Aug/2026:12:34:56 +0000"},
      {"plain %% %Z", "plain % GMT"},
      {"", ""},
  };
  for (const auto& [format, want] : kCases) EXPECT_EQ(written(format, kThen), want) << format;
  EXPECT_EQ(written("%E*S %E*f", kThen / 1'000'000'000 * 1'000'000'000), "56 0");
  EXPECT_EQ(written("%s.%3f", -500'000'000), "-1.500");
}

TEST(TimeFormat, names_what_it_does_not_know) {
  for (const char* format : {"%Q", "%10f", "%0f", "%E", "%E*", "%EQ", "%E0S", "%", "%H:%", "%-d", "%3", "%n"})
    EXPECT_NE(written(format, kThen).find("is not known"), std::string::npos) << format;
}

}  // namespace
}  // namespace weft::proxy
