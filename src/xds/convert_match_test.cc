#include <gtest/gtest.h>

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;

std::string match_of(const std::string& text) {
  const auto made = to_route_match(parsed<route::RouteMatch>(text), Path());
  return made ? shown(*made) : made.error().text;
}

TEST(ConvertMatch, a_path_is_matched_in_one_of_four_ways) {
  const Row rows[] = {
      {"prefix: '/'", "{}"},
      {"prefix: ''", "{path {text ''}}"},
      {"prefix: '/a/'", "{path {text '/a/'}}"},
      {"path: '/a?b'", "{path {kind exact, text '/a?b'}}"},
      {"safe_regex { regex: '/a.*' }", "{path {kind regex, regex '/a.*'}}"},
      {"safe_regex { google_re2 { max_program_size { value: 1 } } regex: '/' }",
       "{path {kind regex, regex '/'}}"},
      {"connect_matcher {}", "{path {kind connect, text ''}}"},
      {"path_separated_prefix: '/a/b'", "{path {kind separated prefix, text '/a/b'}}"},
      {"prefix: '/a' case_sensitive { value: true }", "{path {text '/a'}}"},
      {"prefix: '/a' case_sensitive {}", "{path {text '/a', ignore_case true}}"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(match_of(text), want) << text;
}

TEST(ConvertMatch, what_is_wrong_with_a_path_is_told_by_its_field) {
  EXPECT_EQ(match_of(""),
            "has to have one of prefix, path, safe_regex, path_separated_prefix, connect_matcher");
  EXPECT_EQ(match_of("safe_regex { regex: '[' }"),
            "safe_regex.regex: '[' is no regular expression: missing ]: [");
  EXPECT_EQ(match_of("safe_regex { regex: '" + std::string(1025, 'a') + "' }"),
            "safe_regex.regex: is 1025 bytes long; at most 1024 are accepted");
  EXPECT_TRUE(
      match_of("safe_regex { regex: '" + std::string(1024, 'a') + "' }").starts_with("{path {kind regex"));
  for (const std::string bad : {"", "a", "/", "/a/", "/a?b", "/a#b"})
    EXPECT_EQ(match_of("path_separated_prefix: '" + bad + "'"),
              "path_separated_prefix: has to begin with '/', not to end with one, and to have no '?' or '#', "
              "not '" +
                  bad + "'");
}

/// Of a matcher of the header "X-A".
std::string header_of(const std::string& text) {
  const auto made = to_header_match(parsed<route::HeaderMatcher>("name: 'X-A' " + text), Path());
  return made ? shown(*made) : made.error().text;
}

TEST(ConvertMatch, a_header_is_matched_by_its_value_or_by_being_there) {
  const Row rows[] = {
      {"", "match {kind present}"},
      {"exact_match: 'V'", "match {text 'V'}"},
      {"prefix_match: 'V'", "match {kind prefix, text 'V'}"},
      {"suffix_match: 'V'", "match {kind suffix, text 'V'}"},
      {"contains_match: 'V'", "match {kind contains, text 'V'}"},
      {"safe_regex_match { regex: 'V+' }", "match {kind regex, regex 'V+'}"},
      {"string_match { exact: 'V' }", "match {text 'V'}"},
      {"string_match { prefix: 'V' ignore_case: true }", "match {kind prefix, text 'V', ignore_case true}"},
      {"string_match { suffix: 'V' }", "match {kind suffix, text 'V'}"},
      {"string_match { contains: 'V' }", "match {kind contains, text 'V'}"},
      {"string_match { safe_regex { regex: 'V+' } }", "match {kind regex, regex 'V+'}"},
      {"present_match: true", "match {kind present}"},
      {"present_match: false", "match {kind present}, invert true"},
      {"present_match: true invert_match: true", "match {kind present}, invert true"},
      {"present_match: false invert_match: true", "match {kind present}"},
      {"exact_match: 'V' invert_match: true", "match {text 'V'}, invert true"},
      {"exact_match: '' treat_missing_header_as_empty: true", "treat_missing_as_empty true"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(header_of(text), "{name 'x-a', " + want + "}") << text;
}

TEST(ConvertMatch, what_is_wrong_with_a_header_is_told_by_its_field) {
  const Row rows[] = {
      {"name: ''", "name: is missing"},
      {"name: ':protocol'",
       "name: ':protocol' cannot be matched: only :authority, :method, :path and :scheme can"},
      {"safe_regex_match { regex: '(' }",
       "safe_regex_match.regex: '(' is no regular expression: missing ): ("},
      {"string_match {}", "string_match: has to have one of exact, prefix, suffix, contains, safe_regex"},
      {"string_match { safe_regex { regex: '*' } }",
       "string_match.safe_regex.regex: '*' is no regular expression: no argument for repetition operator: *"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(header_of(text), want);
}

TEST(ConvertMatch, the_host_is_the_authority_and_what_ends_at_this_proxy_is_matched_by_no_rule) {
  EXPECT_EQ(header_of("name: 'Host'"), "{name ':authority', match {kind present}}");
  EXPECT_EQ(header_of("name: ':Path'"), "{name ':path', match {kind present}}");
  EXPECT_EQ(header_of("name: 'Upgrade'"), "{name 'upgrade', match {kind present}}");
  EXPECT_EQ(header_of("name: 'Content-Length'"), "{name 'content-length', match {kind present}}");
  for (const std::string name :
       {"connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Expect"})
    EXPECT_EQ(
        header_of("name: '" + name + "'"),
        "name: '" + to_lower(name) + "' cannot be matched: it is of the connection and ends at this proxy");
}

TEST(ConvertMatch, conditions_beside_the_path_keep_their_order) {
  const Row rows[] = {
      {"headers { name: 'b' exact_match: '1' } headers { name: 'a' exact_match: '2' }",
       "{headers [{name 'b', match {text '1'}}, {name 'a', match {text '2'}}]}"},
      {"query_parameters { name: 'Q' }", "{query [{name 'Q', match {kind present}}]}"},
      {"query_parameters { name: 'q' present_match: true }", "{query [{name 'q', match {kind present}}]}"},
      {"query_parameters { name: 'q' string_match { suffix: 'v' } }",
       "{query [{name 'q', match {kind suffix, text 'v'}}]}"},
      {"headers { name: 'a' } headers {}", "headers[1].name: is missing"},
      {"query_parameters {}", "query_parameters[0].name: is missing"},
      {"query_parameters { name: 'q' string_match {} }",
       "query_parameters[0].string_match: has to have one of exact, prefix, suffix, contains, safe_regex"},
      {"query_parameters { name: 'q' present_match: false }",
       "query_parameters[0].present_match: false is not supported"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(match_of("prefix: '/' " + text), want) << text;
}

TEST(ConvertMatch, a_share_of_requests_is_counted_in_millionths_and_is_all_of_them_at_most) {
  const struct {
    std::string text;
    std::uint32_t want;
  } rows[] = {
      {"", 0},
      {"numerator: 1", 10'000},
      {"numerator: 100", 1'000'000},
      {"numerator: 101", 1'000'000},
      {"numerator: 4294967295", 1'000'000},
      {"numerator: 25 denominator: HUNDRED", 250'000},
      {"numerator: 1 denominator: TEN_THOUSAND", 100},
      {"numerator: 10000 denominator: TEN_THOUSAND", 1'000'000},
      {"numerator: 1 denominator: MILLION", 1},
      {"numerator: 1000000 denominator: MILLION", 1'000'000},
      {"numerator: 1000001 denominator: MILLION", 1'000'000},
  };
  for (const auto& [text, want] : rows) {
    EXPECT_EQ(per_million(parsed<envoy::type::v3::FractionalPercent>(text)), want) << text;
    EXPECT_EQ(match_of("prefix: '/' runtime_fraction { runtime_key: 'k' default_value { " + text + " } }"),
              "{runtime_fraction_per_million " + std::to_string(want) + "}");
  }
}

}  // namespace
}  // namespace weft::xds
