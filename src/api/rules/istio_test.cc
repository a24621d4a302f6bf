#include <gtest/gtest.h>

#include "api/parse.h"

namespace weft::api {
namespace {

/// What is wrong with a VirtualService of one HTTP route, the file left off; "none" when nothing is.
std::string wrong(const std::string& route) {
  const std::string text =
      "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
      "spec: {hosts: [a], http: [{" +
      route + "}]}\n";
  std::string found;
  for (const Problem& problem : parse_objects(text, "f").problems)
    found += (found.empty() ? "" : " | ") + problem.field + ": " + problem.text;
  return found.empty() ? "none" : found;
}

std::string wrong_match(const std::string& match) {
  return wrong("directResponse: {status: 200}, match: [{" + match + "}]");
}

TEST(VirtualServiceRules, ignore_uri_case_is_of_a_path_that_is_written_out) {
  EXPECT_EQ(wrong_match("uri: {exact: /a}, ignoreUriCase: true"), "none");
  EXPECT_EQ(wrong_match("uri: {prefix: /a}, ignoreUriCase: true"), "none");
  EXPECT_EQ(wrong_match("uri: {regex: /a}, ignoreUriCase: false"), "none");
  EXPECT_EQ(wrong_match("uri: {regex: '(?i)/a'}"), "none");
  EXPECT_EQ(wrong_match("uri: {regex: /a}, ignoreUriCase: true"),
            "spec.http[0].match[0].ignoreUriCase: true: has no effect on uri.regex; begin the regular "
            "expression with (?i)");
  EXPECT_EQ(wrong_match("method: {exact: GET}, ignoreUriCase: true"),
            "spec.http[0].match[0].ignoreUriCase: true: has no effect without a uri; remove it");
}

}  // namespace
}  // namespace weft::api
