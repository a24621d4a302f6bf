#include "proxy/filters/http_filter.h"

#include <gtest/gtest.h>

#include "proxy/request/http_stream.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

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
  HttpFilterTest() {
    plane.accept = [this](const net::Address&, std::unique_ptr<net::testing::PipeEnd> end) -> Result<void> {
      server = std::move(end);
      return {};
    };
  }
  NamedHttpFilter probe(const std::string& name, int status = 0, const std::string& says = {}) {
    return {name, [this, status, says = says.empty() ? name : says] {
              return std::make_shared<const ProbeFilter>(says, diary, status);
            }};
  }
  Result<void> apply(std::vector<Route> routes) {
    return plane.apply(table_of(std::move(routes)), {cluster_of("a", {simulated_endpoint(1)})});
  }
  /// The head of the response to a request of that path, which the endpoint answers with 200.
  std::string get(const std::string& path) {
    const auto client = plane.connect();
    write(*client, "GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n");
    plane.loop().advance(5ms);
    if (server && !server->take().empty()) {
      ++requests;
      write(*server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      plane.loop().advance(5ms);
    }
    return client->take();
  }
  static void write(net::testing::PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(end.try_write(std::span(&part, 1)).bytes, bytes.size());
  }
  static int status_of(const std::string& head) { return std::stoi(head.substr(9, 3)); }
  static std::string seen_by(const std::string& head) {
    std::string names;
    constexpr std::string_view kField = "x-seen-by: ";
    for (auto at = head.find(kField); at != std::string::npos; at = head.find(kField, at + 1))
      names += head.substr(at + kField.size(), head.find('\r', at) - at - kField.size()) + " ";
    return names;
  }

  Diary diary;
  int requests = 0;  ///< that the endpoint has seen
  SimulatedPlane plane;
  std::unique_ptr<net::testing::PipeEnd> server;
};

TEST_F(HttpFilterTest, filters_see_requests_in_their_order_and_responses_in_the_reverse) {
  plane.http.filters = {probe("one"), probe("two")};
  ASSERT_TRUE(apply({route_to("/", "a")}));
  const std::string response = get("/x");
  EXPECT_EQ(status_of(response), 200);
  EXPECT_EQ(seen_by(response), "two one ");
  EXPECT_EQ(diary, (Diary{"one request /x", "two request /x", "two response 200", "one response 200",
                          "one end 200", "two end 200"}));
}

TEST_F(HttpFilterTest, one_that_replies_ends_the_request_before_later_filters_and_the_route) {
  plane.http.filters = {probe("one", 418), probe("two")};
  ASSERT_TRUE(apply({route_to("/", "a")}));
  EXPECT_EQ(status_of(get("/x")), 418);
  EXPECT_EQ(requests, 0);
  EXPECT_EQ(diary,
            (Diary{"one request /x", "two response 418", "one response 418", "one end 418", "two end 418"}));
}

TEST_F(HttpFilterTest, a_route_s_own_stands_in_for_the_chain_s_of_the_same_name) {
  plane.http.filters = {probe("one")};
  Route own = route_to("/own", "a");
  own.filters = {probe("unknown", 500), probe("one", 403, "own")};
  ASSERT_TRUE(apply({own, route_to("/", "a")}));
  EXPECT_EQ(status_of(get("/other")), 200);
  const std::string response = get("/own");
  EXPECT_EQ(status_of(response), 403);
  EXPECT_EQ(seen_by(response), "own ");
}

TEST_F(HttpFilterTest, are_asked_where_no_route_fits_too) {
  plane.http.filters = {probe("one")};
  ASSERT_TRUE(apply({route_to("/known", "a")}));
  const std::string response = get("/unknown");
  EXPECT_EQ(status_of(response), 404);
  EXPECT_EQ(seen_by(response), "one ");
}

TEST_F(HttpFilterTest, one_that_cannot_be_compiled_is_named_and_nothing_is_applied) {
  ASSERT_TRUE(apply({route_to("/", "a")}));
  plane.http.filters = {{"bad", [] { return fail(Error::config(Code::kInvalid, "has to be better")); }}};
  const auto applied = apply({route_to("/", "a")});
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().text.find("HTTP filter 'bad': has to be better"), std::string::npos)
      << applied.error().text;
  EXPECT_EQ(status_of(get("/")), 200);
}

}  // namespace
}  // namespace weft::proxy
