#include "base/utc.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

TEST(UtcText, is_the_second_that_has_begun) {
  EXPECT_EQ(utc_text(system_clock::time_point{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(system_clock::time_point{milliseconds{1'785'587'696'999}}), "2026-08-01T12:34:56Z");
  EXPECT_EQ(utc_text(system_clock::time_point{milliseconds{-1}}), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace weft
