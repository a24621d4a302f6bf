#include "api/json_text.h"

#include <gtest/gtest.h>

#include <ctime>

namespace weft::api {
namespace {

std::string members(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text += "\"name-" + std::to_string(i) + "\":0,";
  text.back() = '}';
  return text;
}

TEST(ParseJson, keeps_the_order_of_members_and_the_later_one_of_two_with_the_same_name) {
  EXPECT_EQ(json_text(parse_json(R"({"b":1,"a":{"z":[],"y":[{},[1,null]]},"b":2.5,"":"x"})")),
            R"({"b":2.5,"a":{"z":[],"y":[{},[1,null]]},"":"x"})");
  std::string text = members(100);
  text.back() = ',';
  const Json many = parse_json(text + R"("name-0":{"a":1},"name-99":[2],"name-50":3})");
  ASSERT_EQ(many.size(), 100u);
  EXPECT_EQ(many.begin().key(), "name-0");
  EXPECT_EQ(json_text(many["name-0"]), R"({"a":1})");
  EXPECT_EQ(json_text(many["name-99"]), "[2]");
  EXPECT_EQ(many["name-50"], 3);
  EXPECT_EQ(many["name-98"], 0);
}

TEST(ParseJson, takes_no_longer_for_a_member_because_there_are_many) {
  const std::string text = members(200'000);  // 3 MB, as much as the API takes
  const std::clock_t begin = std::clock();
  const Json made = parse_json(text);
  EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 30);
  EXPECT_EQ(made.size(), 200'000u);
}

TEST(ParseJson, rejects_what_is_not_json_and_what_is_nested_too_deep) {
  for (const char* text :
       {"", "{", "[1,]", R"({"a":1,})", R"({"a" 1})", "1 2", "{\"\xff\":1}", "1e999", "nul"})
    EXPECT_TRUE(parse_json(text).is_discarded()) << text;
  EXPECT_TRUE(parse_json(std::string_view("{}\0{", 4)).is_discarded());
  EXPECT_TRUE(parse_json(std::string(200, '[') + std::string(200, ']')).is_array());
  EXPECT_TRUE(parse_json(std::string(201, '[') + std::string(201, ']')).is_discarded());
}

}  // namespace
}  // namespace weft::api
