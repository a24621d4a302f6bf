#include "proxy/filters/router/retry_policy.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

http::ResponseHead answer(int status, std::string_view name = {}, std::string_view value = {}) {
  http::ResponseHead head;
  head.status = status;
  if (!name.empty()) head.headers.add(name, value);
  return head;
}

TEST(RetryPolicy, asks_again_for_the_answers_that_it_names_and_for_no_others) {
  RetryPolicy policy;
  EXPECT_FALSE(retries_response(policy, answer(503)));
  policy.gateway_error = true;
  EXPECT_TRUE(retries_response(policy, answer(503)));
  EXPECT_FALSE(retries_response(policy, answer(500)));
  policy.five_xx = true;
  EXPECT_TRUE(retries_response(policy, answer(500)));
  EXPECT_FALSE(retries_response(policy, answer(409)));
  policy.retriable_4xx = true;
  EXPECT_TRUE(retries_response(policy, answer(409)));
  policy.status_codes = {404};
  EXPECT_FALSE(retries_response(policy, answer(404)));
  policy.retriable_status_codes = true;
  EXPECT_TRUE(retries_response(policy, answer(404)));
}

TEST(RetryPolicy, looks_at_the_headers_of_an_answer) {
  RetryPolicy policy;
  policy.response_headers.push_back(
      {.name = "x-busy", .match = {.kind = StringMatch::Kind::kPrefix, .text = "yes", .regex = nullptr}});
  EXPECT_FALSE(retries_response(policy, answer(200, "X-Busy", "yes, very")));
  policy.retriable_headers = true;
  EXPECT_TRUE(retries_response(policy, answer(200, "X-Busy", "yes, very")));
  EXPECT_FALSE(retries_response(policy, answer(200, "X-Busy", "no")));
  EXPECT_FALSE(retries_response(policy, answer(200)));
}

TEST(RetryPolicy, an_answer_over_a_rate_limit_is_final_unless_asked_for) {
  RetryPolicy policy;
  policy.five_xx = true;
  EXPECT_FALSE(retries_response(policy, answer(503, "x-envoy-ratelimited", "true")));
  policy.rate_limited = true;
  EXPECT_TRUE(retries_response(policy, answer(429, "x-envoy-ratelimited", "true")));
  EXPECT_FALSE(retries_response(policy, answer(429)));
}

TEST(RetryPolicy, knows_a_call_s_status_where_the_head_tells_it) {
  RetryPolicy policy;
  policy.grpc_statuses = 1u << 14;
  EXPECT_TRUE(retries_response(policy, answer(200, "grpc-status", "14")));
  for (const char* other : {"0", "13", "140", "", "x", "-14"})
    EXPECT_FALSE(retries_response(policy, answer(200, "grpc-status", other))) << other;
}

}  // namespace
}  // namespace weft::proxy
