#include "api/duration.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

TEST(Duration, texts_are_read_to_the_millisecond_and_rounded_up) {
  struct Case {
    const char* text;
    long milliseconds;
  };
  const Case cases[] = {{"0s", 0},      {"0", 0},          {"1s", 1000},      {"1.5s", 1500},
                        {"300ms", 300}, {"1h2m", 3720000}, {"1m0.5s", 60500}, {"10us", 1},
                        {"1ns", 1},     {"0.1s", 100},     {"0.3s", 300},     {".5s", 500},
                        {"1.1s", 1100}, {"24h", 86400000}, {"1.001s", 1001}};
  for (const Case& each : cases) {
    auto parsed = parse_duration(each.text);
    ASSERT_TRUE(parsed) << each.text;
    EXPECT_EQ(parsed->count(), each.milliseconds) << each.text;
  }
}

TEST(Duration, anything_else_is_rejected_by_its_value) {
  for (const char* text : {"", "s", "1", "-1s", "+1s", "1 s", "1d", "1s ", "1..5s", ".s", "1sx", "1e3s",
                           "99999999999999999999999s", "1000001h"}) {
    auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
    EXPECT_NE(parsed.error().text.find("\"" + std::string(text) + "\""), std::string::npos)
        << parsed.error().text;
  }
}

TEST(Duration, what_is_written_reads_as_the_same) {
  for (long count : {0L, 1L, 999L, 1000L, 1500L, 60000L, 3661001L, 86400000L}) {
    std::chrono::milliseconds duration(count);
    EXPECT_EQ(parse_duration(format_duration(duration)), duration) << format_duration(duration);
  }
  EXPECT_EQ(format_duration(std::chrono::milliseconds(90'250)), "1m30s250ms");
}

}  // namespace
}  // namespace weft::api
