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

TEST(VirtualServiceRules, a_uri_that_no_path_can_be_is_named) {
  const std::string only =
      ": must be a path only; queries (?) and fragments (#) match nothing; write a query under queryParams";
  EXPECT_EQ(wrong_match("uri: {exact: '/a?b=c'}"), "spec.http[0].match[0].uri.exact: \"/a?b=c\"" + only);
  EXPECT_EQ(wrong_match("uri: {prefix: '/a?'}"), "spec.http[0].match[0].uri.prefix: \"/a?\"" + only);
  EXPECT_EQ(wrong_match("uri: {exact: '/a#b'}"), "spec.http[0].match[0].uri.exact: \"/a#b\"" + only);
  EXPECT_EQ(wrong_match("uri: {prefix: reviews}"),
            "spec.http[0].match[0].uri.prefix: \"reviews\": must begin with '/', as every path does");
  EXPECT_EQ(wrong_match("uri: {exact: '*'}"), "none") << "OPTIONS * has it";
  EXPECT_EQ(wrong_match("uri: {regex: '/ab?'}"), "none");
  EXPECT_EQ(wrong_match("uri: {exact: /a}, queryParams: {b: {exact: 'c?#'}}"), "none");
}

TEST(VirtualServiceRules, a_fault_says_of_how_many_requests_it_is) {
  const auto wrong_fault = [](const std::string& fault) {
    return wrong("route: [{destination: {host: a}}], fault: {" + fault + "}");
  };
  EXPECT_EQ(wrong_fault("delay: {fixedDelay: 1s}"),
            "spec.http[0].fault.delay.percentage: is required: without it no request is delayed; write "
            "{value: 100} for all of them");
  EXPECT_EQ(wrong_fault("abort: {httpStatus: 503}"),
            "spec.http[0].fault.abort.percentage: is required: without it no request is aborted; write "
            "{value: 100} for all of them");
  EXPECT_EQ(wrong_fault("delay: {fixedDelay: 1s, percentage: null}").substr(0, 36),
            "spec.http[0].fault.delay.percentage:");
  EXPECT_EQ(
      wrong_fault("delay: {fixedDelay: 1s, percent: 7}, abort: {httpStatus: 503, percentage: {value: 7}}"),
      "none");
  // It is switched off; Istio's own programs leave a 0 out.
  EXPECT_EQ(
      wrong_fault("delay: {fixedDelay: 1s, percent: 0}, abort: {httpStatus: 503, percentage: {value: 0}}"),
      "none");
  EXPECT_EQ(wrong_fault("abort: {httpStatus: 503, percentage: {}}"), "none");
}

TEST(VirtualServiceRules, retries_pass_over_previous_hosts_whether_it_is_said_or_not) {
  const auto wrong_retries = [](const std::string& retries) {
    return wrong("route: [{destination: {host: a}}], retries: {" + retries + "}");
  };
  EXPECT_EQ(wrong_retries("attempts: 2, retryIgnorePreviousHosts: true"), "none");
  EXPECT_EQ(wrong_retries("attempts: 2, retryIgnorePreviousHosts: null"), "none");
  EXPECT_EQ(wrong_retries("attempts: 2, retryIgnorePreviousHosts: false"),
            "spec.http[0].retries.retryIgnorePreviousHosts: false is not supported by weft yet; remove it; a "
            "retry passes over endpoints that were tried while there is another");
  EXPECT_EQ(wrong_retries("attempts: 2, retryIgnorePreviousHosts: 'true'"),
            "spec.http[0].retries.retryIgnorePreviousHosts: must be true or false, and is \"true\"");
  EXPECT_EQ(wrong_retries("attempts: 0, retryIgnorePreviousHosts: true"),
            "spec.http[0].retries.attempts: 0 turns retries off; remove what else is said of them, or allow "
            "attempts");
}

}  // namespace
}  // namespace weft::api
