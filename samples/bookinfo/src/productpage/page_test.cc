#include "productpage/page.h"

#include <gtest/gtest.h>

#include "common/json.h"
#include "productpage/html_template.h"
#include "productpage/routes.h"
#include "productpage/user_name.h"

namespace bookinfo::productpage {

namespace {

Fetched good(const char* json) {
  return {.status = 200, .json = parse_json(json), .error = {}, .attempts = {}};
}

std::string page_with(const char* reviews, const std::optional<std::string>& user = std::nullopt,
                      Compat compat = Compat::kToday) {
  return product_page({.product = only_product(),
                       .details = good("{}"),
                       .reviews = good(reviews),
                       .user = user,
                       .making = {},
                       .compat = compat});
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t times = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size()))
    ++times;
  return times;
}

}  // namespace

TEST(Fill, replaces_marks_once_and_drops_unknown_ones) {
  EXPECT_EQ(fill("a {{x}} b {{y}} {{x}}", {{"x", "{{y}}"}}), "a {{y}} b  {{y}}");
  EXPECT_EQ(fill("open {{x", {{"x", "1"}}), "open {{x");
}

TEST(Page, survives_json_of_any_shape) {
  for (const char* odd :
       {"{}", "[]", "5", "null", R"({"reviews":5})", R"({"reviews":[5,null,{"rating":[]}]})",
        R"({"reviews":[{"rating":{"stars":"many"}}]})"}) {
    EXPECT_NE(page_with(odd).find("Book Reviews"), std::string::npos) << odd;
  }
}

TEST(Page, never_draws_more_than_five_stars_and_none_for_zero) {
  EXPECT_EQ(count(page_with(R"({"reviews":[{"rating":{"stars":1000000,"color":"red"}}]})"), "glyphicon-star"),
            5U);
  EXPECT_EQ(count(page_with(R"({"reviews":[{"rating":{"stars":2,"color":"red"}}]})"), "glyphicon-star"), 2U);
  EXPECT_EQ(count(page_with(R"({"reviews":[{"rating":{"stars":0,"color":"red"}}]})"), "glyphicon-star"), 0U);
}

TEST(Page, of_029_has_stars_in_a_font_and_empty_ones_that_count) {
  const std::string page =
      page_with(R"({"reviews":[{"rating":{"stars":4,"color":"red"}},{"rating":{"stars":-1,"color":"red"}}]})",
                std::nullopt, Compat::k029);
  EXPECT_EQ(count(page, "<font color=\"red\">"), 2U);
  EXPECT_EQ(count(page, "glyphicon-star-empty"), 6U);
  EXPECT_EQ(count(page, "glyphicon-star"), 10U);
}

TEST(Page, says_which_version_the_reviews_are_of_when_the_pod_tells) {
  EXPECT_NE(page_with(R"({"podname":"reviews-v3-5d8f-x2"})").find("version v3"), std::string::npos);
  EXPECT_EQ(page_with(R"({"podname":"reviews-7f"})").find("class=\"chip\""), std::string::npos);
}

TEST(Page, escapes_a_colour_as_well) {
  const std::string page = page_with(R"({"reviews":[{"rating":{"stars":1,"color":"\"><script>"}}]})");
  EXPECT_EQ(page.find("\"><script>"), std::string::npos);
}

TEST(Page, treats_the_empty_user_as_signed_out) {
  EXPECT_NE(page_with("{}", "").find("sign-in-button"), std::string::npos);
  EXPECT_EQ(page_with("{}", "jason").find("sign-in-button"), std::string::npos);
}

TEST(Routes, are_exact) {
  EXPECT_EQ(find_route("/api/v1/products/a%2Fb/reviews")->id, "a%2Fb");
  EXPECT_EQ(find_route("/api/v1/products/0")->place, Place::kDetails);
  for (const char* path : {"/productpage/", "/api/v1/products/", "/api/v1/products//reviews", "/static",
                           "/indexhtml", "/api/v1/products/0/", "/api/v1/products/0/reviews/"}) {
    EXPECT_FALSE(find_route(path)) << path;
  }
}

TEST(UserName, travels_as_latin_1_or_not_at_all) {
  EXPECT_EQ(header_bytes_of("jason"), "jason");
  EXPECT_EQ(header_bytes_of("\xC3\xA9"), "\xE9");
  EXPECT_EQ(header_bytes_of("\xC2\xA0"), "\xA0");
  for (const char* name : {"\xE2\x82\xAC", "a\r\nx: y", "\xC3", "\xFF", "\x7F"}) {
    EXPECT_EQ(header_bytes_of(name), std::nullopt) << name;
  }
}

}  // namespace bookinfo::productpage
