#include "xds/alike.h"

#include <gtest/gtest.h>

namespace weft::xds {
namespace {

TEST(Alike, equal_values_are_one_object) {
  Alike<int> alike;
  const auto one = alike.one_of(1), two = alike.one_of(2);
  EXPECT_EQ(*one, 1);
  EXPECT_EQ(*two, 2);
  EXPECT_EQ(alike.one_of(1), one);
  EXPECT_EQ(alike.one_of(2), two);
}

TEST(Alike, what_was_long_ago_is_forgotten_and_still_equal) {
  Alike<int> alike;
  const auto first = alike.one_of(0);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(*alike.one_of(i), i);
  const auto again = alike.one_of(0);
  EXPECT_NE(again, first);
  EXPECT_EQ(*again, 0);
  EXPECT_EQ(first.use_count(), 1);
}

}  // namespace
}  // namespace weft::xds
