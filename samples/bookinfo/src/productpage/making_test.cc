#include "productpage/making.h"

#include <gtest/gtest.h>

namespace bookinfo::productpage {

namespace {

using namespace std::chrono_literals;

Attempt attempt_at(std::chrono::milliseconds began, std::chrono::milliseconds took,
                   std::optional<unsigned> status) {
  return {.service = "reviews",
          .url = "http://reviews:9080/reviews/0",
          .began = std::chrono::steady_clock::time_point(10s) + began,
          .took = took,
          .status = status,
          .failure = status ? "" : "Connection <refused>",
          .behind_proxy = {}};
}

Fetched failed(std::vector<Attempt> attempts) {
  return {.status = 500, .json = {}, .error = "sorry", .attempts = std::move(attempts)};
}

bool has(const std::string& text, std::string_view word) { return text.find(word) != std::string::npos; }

}  // namespace

TEST(Making, shows_each_call_with_its_answer_its_time_and_its_place_in_the_whole) {
  Attempt behind = attempt_at(0ms, 250ms, 200);
  behind.behind_proxy = "248";
  const std::string panel = making_panel({}, {behind, attempt_at(250ms, 750ms, 503)});
  EXPECT_TRUE(has(panel, "2 calls, 1.00 s")) << panel;
  EXPECT_TRUE(has(panel, "status 200") && has(panel, "250 ms") && has(panel, "248 ms behind the sidecar"));
  EXPECT_TRUE(has(panel, "status 503") && has(panel, "margin-left:25.0%;width:75.0%")) << panel;
}

TEST(Making, escapes_what_others_said) {
  const std::string panel = making_panel({.pod = "<b>", .request_id = "\"><i>"}, {attempt_at(0ms, 1ms, {})});
  EXPECT_TRUE(has(panel, "no answer (Connection &lt;refused&gt;)")) << panel;
  EXPECT_FALSE(has(panel, "\"><i>"));
}

TEST(Making, names_pod_request_and_floods_only_where_there_are_any) {
  EXPECT_FALSE(has(making_panel({}, {}), "<dt>"));
  const std::string panel = making_panel({.pod = "p-1", .request_id = "id-1", .floods = 3}, {});
  EXPECT_TRUE(has(panel, "<dd>p-1</dd>") && has(panel, "<dd>id-1</dd>") && has(panel, "<dd>3</dd>")) << panel;
}

TEST(Making, tells_why_a_fetch_failed) {
  EXPECT_EQ(why_it_failed(failed({attempt_at(0ms, 2ms, 503)})), "Asked once within 2.0 ms; status 503.");
  EXPECT_EQ(why_it_failed(failed({attempt_at(0ms, 3000ms, {}), attempt_at(3000ms, 3000ms, {})})),
            "Asked 2 times within 6.00 s; no answer (Connection <refused>).");
  EXPECT_EQ(why_it_failed(failed({})), "It was not asked: no header can carry the user's name.");
}

TEST(Making, reads_a_version_out_of_a_pods_name) {
  EXPECT_EQ(version_of_pod("reviews-v3-5d8f7c-x2x4z"), "v3");
  EXPECT_EQ(version_of_pod("v-x-v12"), "v12");
  for (const char* name : {"", "reviews-7f", "reviews-version-1", "v", "-v-"})
    EXPECT_EQ(version_of_pod(name), "") << name;
}

}  // namespace bookinfo::productpage
