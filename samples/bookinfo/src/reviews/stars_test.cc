#include "reviews/stars.h"

#include <gtest/gtest.h>

namespace bookinfo::reviews {

namespace {
std::expected<Stars, Nonsense> read(unsigned status, const char* body) {
  return stars_of_answer({.status = status, .headers = {}, .body = body});
}
}  // namespace

TEST(Stars, are_those_of_each_reviewer_that_ratings_names) {
  EXPECT_EQ(read(200, R"({"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}})").value(), (Stars{5, 4}));
  EXPECT_EQ(read(200, R"({"ratings":{"Reviewer2":4}})").value(), (Stars{std::nullopt, 4}));
  EXPECT_EQ(read(200, R"({"ratings":{"Reviewer1":-1,"Reviewer2":2.9}})").value(), (Stars{std::nullopt, 2}));
}

TEST(Stars, that_are_not_a_number_are_none_for_that_reviewer_alone) {
  for (const char* stars : {"\"five\"", "null", "[5]", "{}", "true", "1e300", "18446744073709551615"}) {
    const std::string body = std::string(R"({"ratings":{"Reviewer1":)") + stars + R"(,"Reviewer2":7}})";
    EXPECT_EQ(read(200, body.c_str()).value(), (Stars{std::nullopt, 7})) << stars;
    EXPECT_FALSE(stars_of_answer({.status = 200, .headers = {}, .body = body}, true)) << stars;
  }
}

TEST(Stars, are_nobodys_without_ratings_or_success) {
  EXPECT_EQ(read(200, R"({"error":"x"})").value(), Stars{});
  EXPECT_EQ(read(500, R"({"ratings":{"Reviewer1":5}})").value(), Stars{});
  EXPECT_EQ(read(503, "not json").value(), Stars{});
}

TEST(Stars, are_an_error_when_the_answer_makes_no_sense) {
  for (const char* body : {"", "[1]", "hello", R"({"ratings":5})", R"({"ratings":null})"}) {
    EXPECT_FALSE(read(200, body)) << body;
  }
}

}  // namespace bookinfo::reviews
