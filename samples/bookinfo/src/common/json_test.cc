#include "common/json.h"

#include <gtest/gtest.h>

namespace bookinfo {

TEST(Json, is_written_compact_or_with_a_space_after_colon_and_comma) {
  const auto value = parse_json(R"({"z":1,"a":[true,null,"x, y: z"],"e":{},"f":[]})");
  ASSERT_TRUE(value);
  EXPECT_EQ(compact_json(*value), R"({"z":1,"a":[true,null,"x, y: z"],"e":{},"f":[]})");
  EXPECT_EQ(spaced_json(*value), R"({"z": 1, "a": [true, null, "x, y: z"], "e": {}, "f": []})");
}

TEST(Json, refuses_text_that_is_not_json_and_nesting_without_bound) {
  EXPECT_FALSE(parse_json("{bad"));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("{} x"));
  EXPECT_FALSE(parse_json(std::string(1000, '[') + std::string(1000, ']')));
}

TEST(Json, has_no_members_where_there_is_no_object) {
  const auto value = parse_json(R"({"a":{"b":1},"c":[2]})");
  ASSERT_TRUE(value);
  ASSERT_NE(member(member(&*value, "a"), "b"), nullptr);
  EXPECT_EQ(*member(member(&*value, "a"), "b"), 1);
  EXPECT_EQ(member(member(&*value, "c"), "b"), nullptr);
  EXPECT_EQ(member(member(&*value, "x"), "b"), nullptr);
}

}  // namespace bookinfo
