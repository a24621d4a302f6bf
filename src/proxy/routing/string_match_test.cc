#include "proxy/routing/string_match.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace weft::proxy {
namespace {

using Kind = StringMatch::Kind;

StringMatch text(Kind kind, std::string want, bool ignore_case = false) {
  StringMatch match{.kind = kind, .ignore_case = ignore_case, .text = std::move(want), .regex = nullptr};
  if (kind == Kind::kRegex) match.regex = std::make_shared<const re2::RE2>(match.text);
  return match;
}

TEST(StringMatch, each_kind_takes_what_it_names) {
  struct Row {
    StringMatch match;
    const char* text;
    bool matches;
  };
  for (const Row& row : {
           Row{text(Kind::kExact, "ab"), "ab", true},
           Row{text(Kind::kExact, "ab"), "aB", false},
           Row{text(Kind::kExact, "ab", true), "aB", true},
           Row{text(Kind::kPrefix, "ab"), "abc", true},
           Row{text(Kind::kPrefix, "ab"), "xab", false},
           Row{text(Kind::kPrefix, "ab", true), "ABc", true},
           Row{text(Kind::kSuffix, "ab"), "xab", true},
           Row{text(Kind::kSuffix, "ab"), "abx", false},
           Row{text(Kind::kSuffix, "ab", true), "xAB", true},
           Row{text(Kind::kSuffix, "ab", true), "b", false},
           Row{text(Kind::kContains, "b"), "abc", true},
           Row{text(Kind::kContains, "d"), "abc", false},
           Row{text(Kind::kContains, "B", true), "abc", true},
           Row{text(Kind::kRegex, "a.c"), "abc", true},
           Row{text(Kind::kRegex, "a.c"), "abcd", false},
           Row{text(Kind::kPresent, ""), "", true},
       })
    EXPECT_EQ(matches(row.match, row.text), row.matches) << row.match.text << " " << row.text;
}

http::RequestHead request(std::initializer_list<std::pair<const char*, const char*>> fields) {
  http::RequestHead head;
  head.method = "GET";
  head.path = "/x";
  head.scheme = "http";
  head.authority = "shop.example";
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return head;
}

HeaderMatch header(std::string name, StringMatch match, bool invert = false, bool missing_is_empty = false) {
  return {.name = std::move(name),
          .match = std::move(match),
          .invert = invert,
          .treat_missing_as_empty = missing_is_empty};
}

TEST(HeaderMatch, one_of_repeated_fields_is_enough_and_an_inverted_match_wants_none) {
  const http::RequestHead head = request({{"x-a", "1"}, {"X-A", "2"}});
  EXPECT_TRUE(matches(header("x-a", text(Kind::kExact, "2")), head));
  EXPECT_FALSE(matches(header("x-a", text(Kind::kExact, "1,2")), head));
  EXPECT_FALSE(matches(header("x-a", text(Kind::kExact, "2"), true), head));
  EXPECT_TRUE(matches(header("x-a", text(Kind::kExact, "3"), true), head));
}

TEST(HeaderMatch, an_absent_field_satisfies_nothing_unless_it_is_to_count_as_empty) {
  const http::RequestHead head = request({});
  for (const bool invert : {false, true}) {
    EXPECT_FALSE(matches(header("x-a", text(Kind::kExact, "1"), invert), head));
    EXPECT_EQ(matches(header("x-a", text(Kind::kPresent, ""), invert), head), invert);
    EXPECT_EQ(matches(header("x-a", text(Kind::kExact, ""), invert, true), head), !invert);
  }
}

TEST(HeaderMatch, names_with_a_colon_and_host_are_parts_of_the_request_line) {
  const http::RequestHead head = request({});
  for (const auto& [name, value] : {std::pair{":method", "GET"},
                                    {":path", "/x"},
                                    {":scheme", "http"},
                                    {":authority", "shop.example"},
                                    {"host", "shop.example"}}) {
    EXPECT_TRUE(matches(header(name, text(Kind::kExact, value)), head)) << name;
    EXPECT_FALSE(matches(header(name, text(Kind::kExact, "other")), head)) << name;
  }
}

TEST(QueryMatch, looks_at_the_first_parameter_of_its_name) {
  const QueryMatch match{.name = "a", .match = text(Kind::kExact, "1")};
  for (const char* query : {"a=1", "b=2&a=1", "a=1&a=2", "&&a=1"})
    EXPECT_TRUE(matches(match, query)) << query;
  for (const char* query : {"", "a", "a=2&a=1", "aa=1", "a=11", "b=a=1", "A=1"})
    EXPECT_FALSE(matches(match, query)) << query;
  EXPECT_TRUE(matches(QueryMatch{.name = "a", .match = text(Kind::kPresent, "")}, "b&a"));
  EXPECT_FALSE(matches(QueryMatch{.name = "a", .match = text(Kind::kPresent, "")}, "b"));
}

TEST(StringMatch, a_pattern_that_makes_others_try_again_and_again_is_matched_in_one_pass) {
  // A backtracking engine would take longer than there is time, for each of them.
  for (const char* pattern : {"(a+)+b", "(a|aa)*b", "(.*)*x", "([a-z]+)*[0-9]"})
    EXPECT_FALSE(matches(text(Kind::kRegex, pattern), std::string(8'000, 'a'))) << pattern;
}

}  // namespace
}  // namespace weft::proxy
