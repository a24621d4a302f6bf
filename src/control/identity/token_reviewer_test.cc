#include "control/identity/token_reviewer.h"

#include <gtest/gtest.h>

#include "control/testing/fake_raw_api.h"
#include "control/testing/fake_stream.h"

namespace weft::control {
namespace {

class TokenReviewerTest : public ::testing::Test {
 protected:
  std::expected<Peer, Rejection> identify(const std::string& authorization) {
    http::Headers metadata;
    if (!authorization.empty()) metadata.add("authorization", authorization);
    http::grpc::Call call{"/x", std::nullopt, std::move(metadata), stream};
    std::optional<std::expected<Peer, Rejection>> answer;
    net::TaskScope tasks;
    tasks.spawn(into(answer, reviewer.identify(call)));
    loop->settle();
    return answer.value();
  }
  static net::Task<void> into(std::optional<std::expected<Peer, Rejection>>& to,
                              net::Task<std::expected<Peer, Rejection>> task) {
    to = co_await std::move(task);
  }
  void answer_with(api::Json review) {
    api.answer = [review](const store::RawRequest&) -> Result<api::Json> { return review; };
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::FakeStream stream{*loop};
  testing::FakeRawApi api;
  TokenReviewer reviewer{*loop, api};
};

TEST_F(TokenReviewerTest, a_good_token_says_who_the_proxy_is) {
  answer_with(testing::good_token_review("default", "bookinfo-reviews", "reviews-v1-a"));
  auto peer = identify("Bearer abc");
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->ns, "default");
  EXPECT_EQ(peer->service_account, "bookinfo-reviews");
  EXPECT_EQ(peer->pod, "reviews-v1-a");
  EXPECT_TRUE(peer->has_pod);
  EXPECT_EQ(api.requests.at(0).body["spec"]["token"], "abc");
  EXPECT_EQ(api.requests.at(0).body["spec"]["audiences"][0], "istio-ca");
}

TEST_F(TokenReviewerTest, a_token_is_asked_about_once_a_minute_and_a_rejected_one_each_five_seconds) {
  answer_with(testing::good_token_review("default", "a", "p"));
  EXPECT_TRUE(identify("Bearer abc"));
  EXPECT_TRUE(identify("bearer abc"));
  EXPECT_EQ(api.requests.size(), 1u);
  loop->advance(61s);
  answer_with({{"status", {{"authenticated", false}, {"error", "expired"}}}});
  auto rejected = identify("Bearer abc");
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().status, http::grpc::kUnauthenticated);
  EXPECT_NE(rejected.error().reason.find("expired"), std::string::npos);
  (void)identify("Bearer abc");
  EXPECT_EQ(api.requests.size(), 2u);
  loop->advance(6s);
  (void)identify("Bearer abc");
  EXPECT_EQ(api.requests.size(), 3u);
}

TEST_F(TokenReviewerTest, tokens_that_are_not_a_pods_or_not_for_us_are_rejected) {
  auto other = testing::good_token_review("default", "a", "p");
  other["status"]["audiences"] = {"kubernetes"};
  answer_with(other);
  EXPECT_EQ(identify("Bearer 1").error().status, http::grpc::kUnauthenticated);
  auto person = testing::good_token_review("default", "a", "p");
  person["status"]["user"]["username"] = "alice";
  answer_with(person);
  EXPECT_EQ(identify("Bearer 2").error().status, http::grpc::kUnauthenticated);
  auto unbound = testing::good_token_review("default", "a", "p");
  unbound["status"]["user"].erase("extra");
  answer_with(unbound);
  EXPECT_EQ(identify("Bearer 3").error().status, http::grpc::kUnauthenticated);
  EXPECT_EQ(api.requests.size(), 3u);
}

TEST_F(TokenReviewerTest, without_a_token_nobody_is_asked) {
  EXPECT_EQ(identify("").error().status, http::grpc::kUnauthenticated);
  EXPECT_EQ(identify("Basic abc").error().status, http::grpc::kUnauthenticated);
  EXPECT_EQ(identify("Bearer " + std::string(20000, 'a')).error().status, http::grpc::kUnauthenticated);
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(TokenReviewerTest, an_api_server_that_cannot_be_asked_makes_it_unavailable_and_is_asked_again) {
  api.answer = [](const store::RawRequest&) -> Result<api::Json> {
    return fail(Error::internal(Code::kRefused, "connection rejected"));
  };
  EXPECT_EQ(identify("Bearer abc").error().status, http::grpc::kUnavailable);
  answer_with(testing::good_token_review("default", "a", "p"));
  EXPECT_TRUE(identify("Bearer abc"));
}

}  // namespace
}  // namespace weft::control
