#include "api/selector.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

const std::map<std::string, std::string> kLabels = {{"app", "reviews"}, {"version", "v1"}, {"a.b/c", ""}};

TEST(LabelSelector, texts_select_as_kubectl_does) {
  struct Case {
    const char* text;
    bool matches;
  };
  const Case cases[] = {
      {"", true},
      {"app=reviews", true},
      {"app==reviews", true},
      {"app = reviews , version != v2", true},
      {"app=ratings", false},
      {"app!=reviews", false},
      {"other!=x", true},
      {"app", true},
      {"other", false},
      {"!app", false},
      {"!other", true},
      {"app in (ratings, reviews)", true},
      {"app in (ratings)", false},
      {"app notin (ratings)", true},
      {"other notin (x)", true},
      {"app in (reviews),version in (v1,v2),!x", true},
      {"a.b/c=", true},
      {"app=", false},
  };
  for (const Case& each : cases) {
    auto selector = LabelSelector::parse(each.text);
    ASSERT_TRUE(selector) << each.text << ": " << selector.error().text;
    EXPECT_EQ(selector->matches(kLabels), each.matches) << each.text;
  }
}

TEST(LabelSelector, texts_that_are_not_one_are_rejected) {
  for (const char* text :
       {"=", "a=b=c", "a,", ",", "a in b", "a in (b", "a within (b)", "!", "a b", "a>1", "a=(b)", ")"})
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
}

TEST(LabelSelector, objects_select_by_labels_and_expressions) {
  auto matches = [](const char* text) {
    auto selector = LabelSelector::from_json(Json::parse(text));
    return selector ? (selector->matches(kLabels) ? "yes" : "no") : "rejected";
  };
  EXPECT_STREQ(matches(R"({"matchLabels":{"app":"reviews"}})"), "yes");
  EXPECT_STREQ(matches(R"({"matchLabels":{"app":"x"}})"), "no");
  EXPECT_STREQ(matches(R"({"app":"reviews"})"), "yes");
  EXPECT_STREQ(matches(R"({})"), "yes");
  EXPECT_STREQ(matches(R"(null)"), "yes");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"version","operator":"In","values":["v1"]}]})"), "yes");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"version","operator":"NotIn","values":["v1"]}]})"),
               "no");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"x","operator":"Exists"}]})"), "no");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"x","operator":"DoesNotExist"}]})"), "yes");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"x","operator":"Is"}]})"), "rejected");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"key":"x","operator":"Exists","values":["a"]}]})"),
               "rejected");
  EXPECT_STREQ(matches(R"({"matchExpressions":[{"operator":"Exists"}]})"), "rejected");
  EXPECT_STREQ(matches(R"({"matchExpressions":["x"]})"), "rejected");
  EXPECT_STREQ(matches(R"({"app":1})"), "rejected");
  EXPECT_STREQ(matches(R"([])"), "rejected");
}

}  // namespace
}  // namespace weft::api
