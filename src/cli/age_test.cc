#include "cli/age.h"

#include <gtest/gtest.h>

namespace weft::cli {
namespace {

using namespace std::chrono_literals;

TEST(Age, IsCoarserTheLongerItIsAsInKubectl) {
  const std::pair<std::chrono::seconds, const char*> cases[] = {
      {-5s, "<invalid>"},
      {-1s, "0s"},
      {0s, "0s"},
      {59s, "59s"},
      {119s, "119s"},
      {120s, "2m"},
      {123s, "2m3s"},
      {599s, "9m59s"},
      {600s, "10m"},
      {179min, "179m"},
      {3h, "3h"},
      {3h + 5min, "3h5m"},
      {8h + 59min, "8h"},
      {47h, "47h"},
      {48h, "2d"},
      {52h, "2d4h"},
      {8 * 24h, "8d"},
      {400 * 24h, "400d"},
      {730 * 24h, "2y"},
      {3 * 365 * 24h + 480h, "3y20d"},
      {8 * 365 * 24h, "8y"},
      {9 * 365 * 24h + 480h, "9y"},
  };
  for (const auto& [duration, text] : cases) EXPECT_EQ(human_duration(duration), text) << duration.count();
}

TEST(Age, OfATimestampIsCountedInWholeSeconds) {
  for (const char* text :
       {"1970-01-01T00:00:10Z", "1970-01-01T00:00:10.987654Z", "1970-01-01T01:00:10+01:00"})
    EXPECT_EQ(age_since(text, std::chrono::sys_seconds(12s)), "2s") << text;
}

TEST(Age, OfAnythingElseIsUnknown) {
  for (const char* bad : {"", "1970-02-30T00:00:00Z", "1970-02-28 00:00:00", "yesterday"})
    EXPECT_EQ(age_since(bad, {}), "<unknown>") << bad;
}

}  // namespace
}  // namespace weft::cli
