#include "proxy/text_list.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

using Strings = std::vector<std::string>;

Strings strings_of(const TextList& texts) { return {texts.begin(), texts.end()}; }

TEST(TextList, has_its_texts_in_order_and_costs_a_pointer) {
  const Strings strings = {"shop.example", "", std::string(300, 'x'), "a"};
  const TextList texts = strings;
  ASSERT_EQ(texts.size(), 4u);
  for (std::size_t i = 0; i < strings.size(); ++i) EXPECT_EQ(texts[i], strings[i]);
  EXPECT_EQ(strings_of(texts), strings);
  EXPECT_EQ(sizeof(TextList), sizeof(void*));
}

TEST(TextList, of_nothing_is_empty_and_of_an_empty_text_is_not) {
  EXPECT_TRUE(TextList().empty());
  EXPECT_EQ(TextList(Strings()).size(), 0u);
  EXPECT_EQ(strings_of(TextList()), Strings());
  const TextList one = {""};
  EXPECT_FALSE(one.empty());
  EXPECT_EQ(strings_of(one), Strings{""});
  EXPECT_NE(one, TextList());
}

TEST(TextList, is_equal_where_the_same_texts_stand_in_the_same_places) {
  EXPECT_EQ(TextList({"a", "b"}), TextList(Strings{"a", "b"}));
  EXPECT_NE(TextList({"a", "b"}), TextList({"b", "a"}));
  EXPECT_NE(TextList({"a", "b"}), TextList({"ab"}));
  EXPECT_NE(TextList({"a", "b"}), TextList({"ab", ""}));
  EXPECT_NE(TextList({"a"}), TextList({"a", ""}));
}

TEST(TextList, a_copy_is_another) {
  TextList first = {"a", "b"};
  const TextList second = first;
  first = {"c"};
  EXPECT_EQ(strings_of(second), (Strings{"a", "b"}));
  EXPECT_EQ(strings_of(first), Strings{"c"});
}

}  // namespace
}  // namespace weft::proxy
