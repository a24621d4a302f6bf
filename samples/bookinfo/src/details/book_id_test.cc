#include "details/book_id.h"

#include <gtest/gtest.h>

namespace bookinfo::details {

TEST(RubyInteger, takes_the_forms_ruby_takes) {
  EXPECT_EQ(parse_ruby_integer("7"), 7);
  EXPECT_EQ(parse_ruby_integer("-7"), -7);
  EXPECT_EQ(parse_ruby_integer("+7"), 7);
  EXPECT_EQ(parse_ruby_integer(" 7 "), 7);
  EXPECT_EQ(parse_ruby_integer("0"), 0);
  EXPECT_EQ(parse_ruby_integer("0x1A"), 26);
  EXPECT_EQ(parse_ruby_integer("-0b11"), -3);
  EXPECT_EQ(parse_ruby_integer("0o17"), 15);
  EXPECT_EQ(parse_ruby_integer("0d9"), 9);
  EXPECT_EQ(parse_ruby_integer("010"), 8);
  EXPECT_EQ(parse_ruby_integer("0_7"), 7);
  EXPECT_EQ(parse_ruby_integer("1_000"), 1000);
}

TEST(RubyInteger, refuses_the_rest) {
  for (const char* text : {"", "abc", "7a", "1.5", "0x", "08", "1__0", "_1", "1_", "--1", "+-1", "-", "0_",
                           "0x-1", "99999999999999999999"}) {
    EXPECT_EQ(parse_ruby_integer(text), std::nullopt) << text;
  }
}

TEST(BookId, is_the_last_segment_that_is_not_empty) {
  EXPECT_EQ(book_id_of_path("/details/a/b/7"), 7);
  EXPECT_EQ(book_id_of_path("/details/7/"), 7);
  EXPECT_EQ(book_id_of_path("/details/%37"), 7);
  EXPECT_EQ(book_id_of_path("/details/"), std::nullopt);
  EXPECT_EQ(book_id_of_path("/details"), std::nullopt);
}

}  // namespace bookinfo::details
