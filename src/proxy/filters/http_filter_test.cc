#include "proxy/filters/http_filter.h"

#include <gtest/gtest.h>

#include "proxy/request/http_stream.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// What filters did, in the order in which they did it.
using Diary = std::vector<std::string>;

class ProbeFilter final : public HttpFilter {
 public:
  ProbeFilter(std::string name, Diary& diary, int status)
      : HttpFilter({.request = true, .response = true, .end = true}),
        name_(std::move(name)),
        diary_(diary),
        status_(status) {}

  net::Task<FilterStatus> on_request(HttpStream& stream) const override {
    diary_.push_back(name_ + " request " + stream.request().path);
    co_await stream.loop().sleep(1ms);
    if (!status_) co_return FilterStatus::kContinue;
    LocalReply reply = local_reply(LocalReplyKind::kDirectResponse);
    reply.status = status_;
    co_await stream.reply(reply);
    co_return FilterStatus::kStop;
  }
  void on_response(HttpStream& stream) const override {
    diary_.push_back(name_ + " response " + std::to_string(stream.response().status));
    stream.response().headers.add("x-seen-by", name_);
  }
  void on_end(HttpStream& stream) const override {
    diary_.push_back(name_ + " end " + std::to_string(stream.info().status));
  }

 private:
  std::string name_;
  Diary& diary_;
  int status_;  ///< 0: requests go on
};

class HttpFilterTest : public ::testing::Test {
 protected:
  HttpFilterTest() : server(plane.loop, "a") {}
  NamedHttpFilter probe(const std::string& name, int status = 0, const std::string& says = {}) {
    return {name, [this, status, says = says.empty() ? name : says] {
              return std::make_shared<const ProbeFilter>(says, diary, status);
            }};
  }
  void apply(std::vector<Route> routes) {
    ASSERT_TRUE(plane.apply(table_of(std::move(routes)), {cluster_of("a", {server.address()})}));
  }
  std::string seen_by(const http::Response& response) {
    std::string names;
    for (const http::Headers::Field field : response.head.headers)
      if (field.name == "x-seen-by") names += std::string(field.value) + " ";
    return names;
  }

  Diary diary;  ///< one worker writes, between two gets
  Plane plane;
  Upstream server;
};

TEST_F(HttpFilterTest, filters_see_requests_in_their_order_and_responses_in_the_reverse) {
  plane.http.filters = {probe("one"), probe("two")};
  apply({route_to("/", "a")});
  const http::Response response = plane.get("/x");
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(seen_by(response), "two one ");
  EXPECT_TRUE(run_until(plane.loop, [&] { return diary.size() == 6; }));
  EXPECT_EQ(diary, (Diary{"one request /x", "two request /x", "two response 200", "one response 200",
                          "one end 200", "two end 200"}));
}

TEST_F(HttpFilterTest, one_that_replies_ends_the_request_before_later_filters_and_the_route) {
  plane.http.filters = {probe("one", 418), probe("two")};
  apply({route_to("/", "a")});
  EXPECT_EQ(plane.get("/x").head.status, 418);
  EXPECT_EQ(server.requests, 0);
  EXPECT_TRUE(run_until(plane.loop, [&] { return diary.size() == 5; }));
  EXPECT_EQ(diary,
            (Diary{"one request /x", "two response 418", "one response 418", "one end 418", "two end 418"}));
}

TEST_F(HttpFilterTest, a_route_s_own_stands_in_for_the_chain_s_of_the_same_name) {
  plane.http.filters = {probe("one")};
  Route own = route_to("/own", "a");
  own.filters = {probe("unknown", 500), probe("one", 403, "own")};
  apply({own, route_to("/", "a")});
  EXPECT_EQ(plane.get("/other").head.status, 200);
  const http::Response response = plane.get("/own");
  EXPECT_EQ(response.head.status, 403);
  EXPECT_EQ(seen_by(response), "own ");
}

TEST_F(HttpFilterTest, are_asked_where_no_route_fits_too) {
  plane.http.filters = {probe("one")};
  apply({route_to("/known", "a")});
  const http::Response response = plane.get("/unknown");
  EXPECT_EQ(response.head.status, 404);
  EXPECT_EQ(seen_by(response), "one ");
}

TEST_F(HttpFilterTest, one_that_cannot_be_compiled_is_named_and_nothing_is_applied) {
  apply({route_to("/", "a")});
  plane.http.filters = {{"bad", [] { return fail(Error::config(Code::kInvalid, "has to be better")); }}};
  const auto applied = plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {server.address()})});
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().text.find("HTTP filter 'bad': has to be better"), std::string::npos)
      << applied.error().text;
  EXPECT_EQ(plane.get("/").head.status, 200);
}

}  // namespace
}  // namespace weft::proxy
