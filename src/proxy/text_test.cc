#include "proxy/text.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::proxy {
namespace {

TEST(Text, is_what_it_was_made_from_and_costs_a_pointer) {
  EXPECT_EQ(Text("a"), "a");
  EXPECT_EQ(Text(std::string(1000, 'x')), std::string(1000, 'x'));
  const std::string with_zero("a\0b", 3);
  EXPECT_EQ(Text(with_zero), with_zero);
  EXPECT_EQ(Text(with_zero).size(), 3u);
  EXPECT_EQ(std::string(Text("a")) + "b", "ab");
  EXPECT_EQ(sizeof(Text), sizeof(void*));
}

TEST(Text, of_nothing_is_empty) {
  for (const Text& text : {Text(), Text(""), Text(std::string())}) {
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(text.size(), 0u);
    EXPECT_EQ(text, "");
    EXPECT_EQ(text, Text());
  }
  EXPECT_FALSE(Text("a").empty());
}

TEST(Text, is_equal_by_its_bytes) {
  EXPECT_EQ(Text("ab"), Text(std::string("ab")));
  EXPECT_NE(Text("ab"), Text("ac"));
  EXPECT_NE(Text("ab"), "a");
  EXPECT_TRUE(std::string("ab") == Text("ab"));
  EXPECT_FALSE(std::string_view("b") == Text("ab"));
}

TEST(Text, a_copy_is_another) {
  Text first = "one";
  Text second = first;
  first = "two";
  EXPECT_EQ(second, "one");
  second = std::move(first);
  EXPECT_EQ(second, "two");
  const Text& itself = second;
  second = itself;
  EXPECT_EQ(second, "two");
  second = {};
  EXPECT_TRUE(second.empty());
}

}  // namespace
}  // namespace weft::proxy
