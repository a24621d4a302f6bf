#include "ratings/database.h"

#include <gtest/gtest.h>

#include <limits>

namespace bookinfo::ratings {

TEST(Number, is_whole_without_a_fraction_and_null_when_it_is_none) {
  EXPECT_EQ(number(5.0), boost::json::value(5));
  EXPECT_EQ(number(-1.0), boost::json::value(-1));
  EXPECT_EQ(number(2.5), boost::json::value(2.5));
  EXPECT_EQ(number(1e300), boost::json::value(1e300));
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), boost::json::value(nullptr));
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), boost::json::value(nullptr));
}

}  // namespace bookinfo::ratings
