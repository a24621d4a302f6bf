#include "proxy/filters/router/retry_state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft::proxy {
namespace {

using Decision = RetryState::Decision;
using enum TryFailure;

const std::vector<TryFailure> kAll = {kNoHost, kOverflow,    kConnect,  kConnectTimeout, kReset,
                                      kStale,  kUnprocessed, kProtocol, kTimeout,        kPerTryTimeout,
                                      kStatus, kOverdue,     kClient};

RetryState::Facts facts(std::string_view method) {
  return {.method = method, .repeatable = true, .place = true, .unanswered = false, .response = nullptr};
}

/// The failures after which one more try is made, as letters in the order of kAll: p by the policy, d by
/// default, "." for none.
std::string after_each(const RetryPolicy* policy, const RetryState::Facts& of) {
  std::string text;
  for (const TryFailure failure : kAll) {
    const Decision decision = RetryState(policy).decide(failure, of);
    text += decision == Decision::kByPolicy ? 'p' : decision == Decision::kByDefault ? 'd' : '.';
  }
  return text;
}

TEST(RetryState, without_a_policy_what_a_server_cannot_have_done_is_tried_once_more) {
  EXPECT_EQ(after_each(nullptr, facts("GET")), "..dd.dd......");
  EXPECT_EQ(after_each(nullptr, facts("PUT")), "..dd.dd......");
  EXPECT_EQ(after_each(nullptr, facts("POST")), "..dd..d......");
  RetryState::Facts of = facts("GET");
  of.unanswered = true;
  EXPECT_EQ(after_each(nullptr, of), "..ddddd......");
  of.method = "PUT";
  EXPECT_EQ(after_each(nullptr, of), "..dd.dd......");
}

TEST(RetryState, a_policy_adds_its_conditions) {
  struct Row {
    bool RetryPolicy::* condition;
    const char* after;
  };
  for (const Row& row :
       {Row{&RetryPolicy::connect_failure, "..pp.dd......"}, Row{&RetryPolicy::reset, "..pppppp.p..."},
        Row{&RetryPolicy::reset_before_request, "..dd.pp......"},
        Row{&RetryPolicy::refused_stream, "..dd.dp......"}, Row{&RetryPolicy::five_xx, "..pppppp.pp.."},
        Row{&RetryPolicy::gateway_error, "..pppppp.pp.."},
        Row{&RetryPolicy::retriable_4xx, "..dd.dd......"}}) {
    RetryPolicy policy;
    policy.*row.condition = true;
    http::ResponseHead response;
    response.status = 503;
    RetryState::Facts of = facts("GET");
    of.response = &response;
    EXPECT_EQ(after_each(&policy, of), row.after);
  }
}

TEST(RetryState, nothing_is_sent_again_that_cannot_be_repeated) {
  RetryPolicy policy;
  policy.five_xx = policy.connect_failure = true;
  RetryState::Facts of = facts("GET");
  of.repeatable = false;
  EXPECT_EQ(after_each(&policy, of), ".............");
  EXPECT_EQ(after_each(nullptr, of), ".............");
}

TEST(RetryState, a_policy_of_no_retries_takes_those_by_default_away) {
  RetryPolicy policy;
  policy.connect_failure = true;
  policy.retries = 0;
  EXPECT_EQ(after_each(&policy, facts("GET")), ".............");
}

TEST(RetryState, says_what_kept_the_policy_from_a_retry) {
  RetryPolicy policy;
  policy.connect_failure = true;
  policy.retries = 2;
  RetryState state(&policy);
  RetryState::Facts of = facts("GET");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(state.decide(kConnect, of), Decision::kByPolicy);
    state.count(Decision::kByPolicy);
  }
  EXPECT_EQ(state.decide(kConnect, of), Decision::kLimit);
  of.place = false;
  EXPECT_EQ(state.decide(kConnect, of), Decision::kLimit);
  EXPECT_EQ(RetryState(&policy).decide(kConnect, of), Decision::kFull);
  EXPECT_EQ(RetryState(&policy).decide(kTimeout, of), Decision::kNo);
}

TEST(RetryState, one_retry_by_default_and_no_second) {
  RetryState state(nullptr);
  EXPECT_EQ(state.decide(kConnect, facts("POST")), Decision::kByDefault);
  state.count(Decision::kByDefault);
  EXPECT_EQ(state.decide(kConnect, facts("POST")), Decision::kNo);
}

TEST(RetryState, the_back_off_doubles_up_to_its_maximum_and_is_none_by_default) {
  RetryPolicy policy;
  policy.base_interval = Milliseconds{10};
  policy.max_interval = Milliseconds{35};
  policy.retries = 100;
  Random random(7);
  RetryState state(&policy);
  EXPECT_EQ(state.back_off(random), Duration::zero());
  for (const int max : {10, 20, 35, 35}) {
    state.count(Decision::kByPolicy);
    Duration longest{0};
    for (int i = 0; i < 1000; ++i) longest = std::max(longest, state.back_off(random));
    EXPECT_LE(longest, Milliseconds{max});
    EXPECT_GT(longest, Milliseconds{max} * 9 / 10);
  }
  for (int i = 0; i < 60; ++i) state.count(Decision::kByPolicy);
  EXPECT_LE(state.back_off(random), Milliseconds{35});
  RetryState by_default(nullptr);
  by_default.count(Decision::kByDefault);
  EXPECT_EQ(by_default.back_off(random), Duration::zero());
}

}  // namespace
}  // namespace weft::proxy
