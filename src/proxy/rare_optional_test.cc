#include "proxy/rare_optional.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::proxy {
namespace {

using Maybe = RareOptional<std::string>;

TEST(RareOptional, has_its_value_or_none_and_costs_a_pointer) {
  Maybe none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.value_or("b"), "b");
  EXPECT_FALSE(Maybe(std::optional<std::string>()));
  const Maybe empty = std::string();
  EXPECT_TRUE(empty);
  EXPECT_EQ(empty.value_or("b"), "");
  EXPECT_EQ(Maybe(std::optional(std::string("a")))->size(), 1u);
  EXPECT_EQ(sizeof(Maybe), sizeof(void*));
}

TEST(RareOptional, a_copy_is_another) {
  Maybe first = std::string("a");
  Maybe second = first;
  first = std::string("b");
  EXPECT_EQ(*second, "a");
  second = first;
  first = {};
  EXPECT_FALSE(first);
  EXPECT_EQ(*second, "b");
}

}  // namespace
}  // namespace weft::proxy
