#include "proxy/request/call_out.h"

#include <gtest/gtest.h>

#include "proxy/filters/http_filter.h"
#include "proxy/request/http_stream.h"
#include "proxy/testing/counting_upstream.h"
#include "proxy/testing/framed_plane.h"
#include "proxy/testing/pairings.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// Lets a request pass that a cluster says 200 to. Without a response it is 500.
class AskingFilter final : public HttpFilter {
 public:
  AskingFilter(const CallOut& call, std::vector<std::string>& outcomes)
      : HttpFilter({.request = true}), call_(call), outcomes_(outcomes) {}

  net::Task<FilterStatus> on_request(HttpStream& stream) const override {
    const auto response = co_await call_out(stream, call_);
    outcomes_.push_back(response ? std::to_string(response->head.status) + " " + response->body
                                 : std::string(to_string(response.error().code)));
    if (!response && response.error().code == Code::kCancelled) {
      stream.client_disconnected();
      co_return FilterStatus::kStop;
    }
    if (response && response->head.status == 200) co_return FilterStatus::kContinue;
    LocalReply reply = local_reply(LocalReplyKind::kDirectResponse);
    reply.status = response ? 403 : 500;
    co_await stream.reply(reply);
    co_return FilterStatus::kStop;
  }

 private:
  const CallOut& call_;
  std::vector<std::string>& outcomes_;
};

CallOut check() {
  CallOut call;
  call.cluster = "auth";
  call.head = get("/check").head;
  call.head.method = "POST";
  call.head.headers.add("x-token", "abc");
  call.body = "is it allowed?";
  return call;
}

class CallOuts : public ::testing::Test {
 protected:
  CallOuts() {
    plane.http.filters = {
        {"asking", [this] { return std::make_shared<const AskingFilter>(call, outcomes); }}};
    const auto accept = plane.accept;
    plane.accept = [this, accept](const net::Address& to,
                                  std::unique_ptr<net::testing::PipeEnd> server) -> Result<void> {
      if (to != simulated_endpoint(2)) return accept(to, std::move(server));
      ++connected;
      if (connected <= unreachable)
        return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
      return accept(to, std::move(server));
    };
    upstream.reply = [this](const SeenRequest& seen) {
      return seen.target() == "/check" ? said : std::string("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    };
    auth.max_connections = 8;
  }
  void apply() {
    ASSERT_TRUE(
        plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)}), auth}));
  }
  /// The status of the response to a new client.
  int ask(Duration takes = 1ms) {
    apply();
    client = plane.connect();
    send(*client, "GET /asked HTTP/1.1\r\nHost: test\r\n\r\n");
    plane.loop().advance(takes);
    const std::string text = client->take();
    return text.empty() ? 0 : std::stoi(text.substr(9, 3));
  }
  std::size_t asked(std::string_view target) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(upstream.requests, [&](const auto& each) { return each.target() == target; }));
  }
  /// The newest connection with a call.
  CountingUpstream::Connection& last_asked() {
    return *std::find_if(upstream.connections.rbegin(), upstream.connections.rend(),
                         [](const auto& each) { return each.raw.find("/check") != each.raw.npos; });
  }
  void expect_nothing_left() {
    EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_active"), 0u);
    EXPECT_EQ(plane.stat("http.front.downstream_rq_active"), 0u);
  }

  CallOut call = check();
  std::vector<std::string> outcomes;
  std::string said = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes";
  int connected = 0, unreachable = 0;  ///< connections to auth; so many of the first are rejected
  ClusterConfig auth = cluster_of("auth", {simulated_endpoint(2)});
  SimulatedPlane plane;
  CountingUpstream upstream{plane};
  std::unique_ptr<net::testing::PipeEnd> client;
};

TEST_F(CallOuts, a_filter_asks_and_lets_the_request_pass) {
  EXPECT_EQ(ask(), 200);
  EXPECT_EQ(outcomes, std::vector<std::string>{"200 yes"});
  ASSERT_EQ(upstream.requests.size(), 2u);
  const SeenRequest& seen = upstream.requests[0];
  EXPECT_EQ(seen.line, "POST /check HTTP/1.1");
  EXPECT_EQ(seen.body, "is it allowed?");
  EXPECT_EQ(seen.count("x-token"), 1u);
  EXPECT_EQ(upstream.requests[1].line, "GET /asked HTTP/1.1");
  EXPECT_EQ(upstream.requests[1].count("x-token"), 0u);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_total"), 1u);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_2xx"), 1u);
  expect_nothing_left();
}

TEST_F(CallOuts, calls_share_connections_as_requests_do) {
  EXPECT_EQ(ask() + ask() + ask(), 600);
  EXPECT_EQ(connected, 1);
}

TEST_F(CallOuts, a_filter_that_is_told_403_ends_the_request) {
  said = "HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
  EXPECT_EQ(ask(), 403);
  EXPECT_EQ(outcomes, std::vector<std::string>{"403 no"});
  EXPECT_EQ(asked("/asked"), 0u);
  expect_nothing_left();
}

TEST_F(CallOuts, interim_responses_are_passed_over_and_a_switch_is_none) {
  said = "HTTP/1.1 103 Early Hints\r\n\r\n" + said;
  EXPECT_EQ(ask(), 200);
  said = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(outcomes.back(), to_string(Code::kInvalid));
}

TEST_F(CallOuts, a_cluster_that_is_not_there_is_an_error) {
  call.cluster = "none";
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kNotFound))});
}

TEST_F(CallOuts, the_cluster_s_limit_of_requests_holds) {
  auth.max_requests = 0;
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kExhausted))});
  EXPECT_EQ(connected, 0);
  expect_nothing_left();
}

TEST_F(CallOuts, an_endpoint_that_is_not_reached_is_tried_once_more_and_then_an_error) {
  unreachable = 1;
  ASSERT_EQ(ask(), 200);
  EXPECT_EQ(connected, 2);
  upstream.connections[0].stream->close();
  plane.loop().advance(1ms);
  connected = 0;
  unreachable = 5;
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(outcomes.back(), to_string(Code::kRefused));
  EXPECT_EQ(connected, 2);
  expect_nothing_left();
}

TEST_F(CallOuts, a_pooled_connection_that_ends_costs_only_those_who_ask_for_a_change) {
  for (const std::string_view method : {"GET", "POST"}) {
    call.head.method = method;
    said = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes";
    ASSERT_EQ(ask(), 200);
    CountingUpstream::Connection& pooled = last_asked();
    connected = 0;
    said.clear();
    EXPECT_EQ(ask(), 0);
    EXPECT_EQ(connected, 0);
    said = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes";
    pooled.stream->close();
    plane.loop().advance(1ms);
    const bool again = method == "GET";
    EXPECT_TRUE(client->take().starts_with(again ? "HTTP/1.1 200 " : "HTTP/1.1 500 ")) << method;
    EXPECT_EQ(connected, again ? 1 : 0);
    last_asked().stream->close();
    plane.loop().advance(1ms);
  }
  expect_nothing_left();
}

TEST_F(CallOuts, what_takes_too_long_is_a_timeout_and_its_connection_is_not_used_again) {
  call.timeout = 500ms;
  said = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nya";
  EXPECT_EQ(ask(499ms), 0);
  ASSERT_EQ(upstream.connections.size(), 1u);
  plane.loop().advance(2ms);
  EXPECT_TRUE(client->take().starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kTimeout))});
  EXPECT_TRUE(upstream.connections[0].ended);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_timeout"), 1u);
  expect_nothing_left();
}

TEST_F(CallOuts, the_timeout_holds_while_a_connection_is_made) {
  call.timeout = 500ms;
  plane.connect_delay = 1h;
  auth.connect_timeout = 2s;
  EXPECT_EQ(ask(499ms), 0);
  plane.loop().advance(2ms);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kTimeout))});
  expect_nothing_left();
}

TEST_F(CallOuts, a_response_may_be_as_large_as_its_limit_and_no_larger) {
  call.max_response_bytes = 4;
  for (const std::string_view fits :
       {"content-length: 4\r\n\r\nfour", "transfer-encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"}) {
    said = "HTTP/1.1 200 OK\r\n" + std::string(fits);
    EXPECT_EQ(ask(), 200);
  }
  for (const std::string_view larger :
       {"content-length: 5\r\n\r\n5", "transfer-encoding: chunked\r\n\r\n4\r\nfour\r\n1\r\nX\r\n0\r\n\r\n"}) {
    said = "HTTP/1.1 200 OK\r\n" + std::string(larger);
    EXPECT_EQ(ask(), 500);
    EXPECT_EQ(outcomes.back(), to_string(Code::kTooLarge));
    EXPECT_TRUE(upstream.connections.front().ended) << "with what it still sends";
  }
  expect_nothing_left();
}

TEST_F(CallOuts, a_client_that_leaves_ends_the_call) {
  said.clear();
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_active"), 1u);
  ASSERT_EQ(upstream.connections.size(), 1u);
  client->close();
  plane.loop().advance(1ms);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kCancelled))});
  EXPECT_TRUE(upstream.connections[0].ended);
  EXPECT_EQ(asked("/asked"), 0u);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_cancelled"), 1u);
  expect_nothing_left();
}

TEST_F(CallOuts, so_it_does_while_a_connection_is_made) {
  plane.connect_delay = 1h;
  auth.connect_timeout = 2h;
  call.timeout = 2h;
  EXPECT_EQ(ask(), 0);
  client->close();
  plane.loop().advance(1ms);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kCancelled))});
  expect_nothing_left();
}

TEST_F(CallOuts, what_cannot_be_sent_is_an_error_at_once) {
  call.head.headers.add("x-two-lines", "a\nb");
  EXPECT_EQ(ask(), 500);
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kInternal))});
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_timeout"), 0u);
  expect_nothing_left();
}

TEST_F(CallOuts, a_connection_that_is_not_there_in_time_is_no_late_response) {
  plane.connect_delay = 1h;
  auth.connect_timeout = 100ms;
  EXPECT_EQ(ask(500ms), 500);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_timeout"), 0u);
  EXPECT_EQ(plane.stat("cluster.auth.upstream_cx_connect_timeout"), 2u);
  expect_nothing_left();
}

TEST_F(CallOuts, a_call_that_its_endpoint_cuts_counts_as_a_reset) {
  said = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nya";
  EXPECT_EQ(ask(), 0);
  last_asked().stream->close();
  plane.loop().advance(1ms);
  EXPECT_TRUE(client->take().starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(plane.stat("cluster.auth.upstream_rq_rx_reset"), 1u);
  expect_nothing_left();
}

/// The request `/asked` asks its own cluster over a stream 1.
class CallOutsOverHttp2 : public ::testing::Test, protected FramedPlane {
 protected:
  CallOutsOverHttp2() {
    call.cluster = "a";
    plane.http.filters = {
        {"asking", [this] { return std::make_shared<const AskingFilter>(call, outcomes); }}};
    begin(route_to("/", "a"));
    ask(http::testing::get("/asked"), true);
    pass();
  }
  CallOut call = check();
  std::vector<std::string> outcomes;
};
// RFC 9113 §7
constexpr std::uint32_t kRefusedStream = 7, kCancel = 8;

TEST_F(CallOutsOverHttp2, a_stream_that_the_endpoint_has_not_looked_at_is_tried_once_more) {
  EXPECT_TRUE(has(at_endpoint(), ":path=/check"));
  from_endpoint(http::testing::rst_stream(1, kRefusedStream));
  pass();
  EXPECT_TRUE(has(at_endpoint(), "DATA 3 end 14 is it allowed?"));
  from_endpoint(http::testing::headers(3, {{":status", "200"}}, true));
  pass();
  EXPECT_TRUE(has(at_endpoint(), ":path=/asked"));
  EXPECT_EQ(outcomes, std::vector<std::string>{"200 "});
}

TEST_F(CallOutsOverHttp2, a_stream_whose_response_had_begun_is_not_tried_again) {
  respond({{":status", "200"}}, false);
  respond_more("par", false);
  from_endpoint(http::testing::rst_stream(1, kRefusedStream));
  pass();
  EXPECT_FALSE(has(at_endpoint(), "HEADERS 3"));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_FALSE(outcomes[0].starts_with("200")) << outcomes[0];
}

TEST_F(CallOutsOverHttp2, an_endpoint_that_cancels_is_not_a_client_that_has_gone) {
  from_endpoint(http::testing::rst_stream(1, kCancel));
  pass();
  EXPECT_EQ(outcomes, std::vector<std::string>{std::string(to_string(Code::kReset))});
  EXPECT_TRUE(has(at_client(), ":status=500"));
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_cancelled"), 0u);
}

/// Endpoints of either version; the cluster that is asked is that of the request.
class CallOutPairings : public ::testing::TestWithParam<Pairing> {};
INSTANTIATE_TEST_SUITE_P(Http, CallOutPairings, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(CallOutPairings, a_call_speaks_what_its_cluster_speaks) {
  CallOut call = check();
  call.cluster = "a";
  std::vector<std::string> outcomes;
  Mesh mesh(GetParam().endpoint);
  mesh.plane.http.filters = {
      {"asking", [&] { return std::make_shared<const AskingFilter>(call, outcomes); }}};
  mesh.apply(GetParam().spoken());
  HttpCall asked(mesh.client(GetParam().client), get("/asked"));
  mesh.settle();
  EXPECT_EQ(asked.status(), 200);
  EXPECT_EQ(asked.response.headers.get("x-path"), "/asked");
  EXPECT_EQ(outcomes, std::vector<std::string>{"200 is it allowed?"});
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_rq_total"), 2u);
  EXPECT_EQ(mesh.connections.size(), 1u);
}

}  // namespace
}  // namespace weft::proxy
