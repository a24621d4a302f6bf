#include "api/json_access.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

const Json kObject = Json::parse(R"({
  "text": "t", "number": 7, "negative": -7, "fraction": 2.9, "huge": 1e300, "large": 9223372036854775807,
  "flag": true, "list": [1, 2], "map": {"inner": {"text": "deep", "list": ["a"], "number": 3}}, "null": null
})");

TEST(JsonAccess, gives_members_of_the_type_asked_for) {
  EXPECT_EQ(json::text(kObject, "text"), "t");
  EXPECT_EQ(json::string(kObject, "text"), "t");
  EXPECT_EQ(json::number(kObject, "number"), 7);
  EXPECT_EQ(json::number(kObject, "negative"), -7);
  EXPECT_EQ(json::number(kObject, "fraction"), 2);
  EXPECT_EQ(json::number(kObject, "large"), INT64_MAX);
  EXPECT_TRUE(json::boolean(kObject, "flag"));
  EXPECT_EQ(json::list(kObject, "list").size(), 2u);
  EXPECT_EQ(json::map(kObject, "map").size(), 1u);
}

TEST(JsonAccess, what_is_absent_or_of_another_type_reads_as_empty) {
  for (const char* key : {"absent", "null", "list", "map"}) {
    EXPECT_EQ(json::text(kObject, key), "") << key;
    EXPECT_EQ(json::number(kObject, key, 5), 5) << key;
    EXPECT_TRUE(json::boolean(kObject, key, true)) << key;
  }
  for (const char* key : {"absent", "null", "text", "number"}) {
    EXPECT_TRUE(json::list(kObject, key).is_array() && json::list(kObject, key).empty()) << key;
    EXPECT_TRUE(json::map(kObject, key).is_object() && json::map(kObject, key).empty()) << key;
  }
  EXPECT_EQ(json::number(kObject, "huge", 5), 5) << "no 64 bits hold it";
  for (const Json& no_object : {Json(), Json("text"), Json::array({1})}) {
    EXPECT_TRUE(json::at(no_object, "any").is_null());
    EXPECT_EQ(json::text(no_object, "any"), "");
  }
}

TEST(JsonAccess, a_path_ends_in_nothing_where_a_step_is_missing_or_no_map) {
  EXPECT_EQ(json::string(kObject, {"map", "inner", "text"}), "deep");
  EXPECT_EQ(json::list(kObject, {"map", "inner", "list"}).size(), 1u);
  EXPECT_EQ(json::number(kObject, {"map", "inner", "number"}), 3);
  EXPECT_EQ(&json::at(kObject, json::Path{}), &kObject);
  for (const json::Path path : {json::Path{"map", "absent", "text"}, {"text", "inner"}, {"list", "0"}}) {
    EXPECT_TRUE(json::at(kObject, path).is_null());
    EXPECT_EQ(json::string(kObject, path), "");
    EXPECT_TRUE(json::list(kObject, path).empty());
  }
}

TEST(JsonAccess, the_order_of_keys_makes_no_difference) {
  EXPECT_TRUE(json::same(Json::parse(R"({"a": {"x": 1, "y": 2}, "b": [1]})"),
                         Json::parse(R"({"b": [1], "a": {"y": 2, "x": 1}})")));
  EXPECT_FALSE(json::same(Json::parse("[1, 2]"), Json::parse("[2, 1]")));
}

}  // namespace
}  // namespace weft::api
