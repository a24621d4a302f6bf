#include "ratings/product_id.h"

#include <gtest/gtest.h>

namespace bookinfo::ratings {

TEST(LeadingInteger, is_what_parseInt_reads) {
  EXPECT_EQ(parse_leading_integer("12abc"), 12);
  EXPECT_EQ(parse_leading_integer("1.5"), 1);
  EXPECT_EQ(parse_leading_integer("-1"), -1);
  EXPECT_EQ(parse_leading_integer("+1"), 1);
  EXPECT_EQ(parse_leading_integer("0x10"), 16);
  EXPECT_EQ(parse_leading_integer("0?x=1"), 0);
  EXPECT_EQ(parse_leading_integer("010"), 10);
}

TEST(LeadingInteger, is_nothing_without_a_digit_in_front_or_past_the_exact_doubles) {
  for (const char* text : {"", "abc", "-", "--1", "+-1", "0x", "0xg", "?1", "9007199254740993"}) {
    EXPECT_EQ(parse_leading_integer(text), std::nullopt) << text;
  }
}

TEST(ProductId, follows_the_last_slash_of_the_whole_target) {
  EXPECT_EQ(product_id_of_target("/ratings/foo/7"), 7);
  EXPECT_EQ(product_id_of_target("/ratings/5/foo"), std::nullopt);
  EXPECT_EQ(product_id_of_target("/ratings/5?from=/9"), 9);
  EXPECT_EQ(product_id_of_target("/ratings/"), std::nullopt);
}

}  // namespace bookinfo::ratings
