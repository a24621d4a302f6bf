#include "proxy/rare_vector.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::proxy {
namespace {

using Texts = RareVector<std::string>;

TEST(RareVector, has_its_items_in_order_and_costs_a_pointer) {
  Texts texts = {"a", "b"};
  texts.push_back("c");
  texts.edit().insert(texts.edit().begin(), "0");
  EXPECT_EQ(texts.all(), (std::vector<std::string>{"0", "a", "b", "c"}));
  EXPECT_EQ(texts.size(), 4u);
  EXPECT_EQ(texts[1], "a");
  EXPECT_EQ(sizeof(Texts), sizeof(void*));
}

TEST(RareVector, a_copy_is_another_and_an_empty_one_equals_one_that_was_emptied) {
  Texts first = {"a"};
  Texts second = first;
  second.edit().clear();
  EXPECT_EQ(first, Texts({"a"}));
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(second, Texts());
  second = first;
  EXPECT_EQ(second, first);
  EXPECT_TRUE(Texts().all().empty());
}

}  // namespace
}  // namespace weft::proxy
