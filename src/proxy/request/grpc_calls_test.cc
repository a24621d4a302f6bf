#include <gtest/gtest.h>

#include "proxy/testing/framed_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::Fields;
using http::testing::with;

const Fields kResponse = {{":status", "200"}, {"content-type", "application/grpc"}};
const Fields kOk = {{"grpc-status", "0"}};

/// Rows I of docs/bad-input.md, frame by frame.
class GrpcCalls : public ::testing::Test, protected FramedPlane {};

TEST_F(GrpcCalls, I01_without_a_route_a_call_is_unimplemented) {
  Route elsewhere = route_to("/elsewhere", "a");
  begin(elsewhere);
  ask(call_head(), true);
  pass();
  const std::string told = at_client();
  EXPECT_TRUE(has(told, "HEADERS 1 end :status=200"));
  EXPECT_TRUE(has(told, "grpc-status=12"));
}

TEST_F(GrpcCalls, I02_a_response_of_http_passes_and_gets_no_status_of_grpc) {
  for (const char* status : {"429", "502", "503", "504"}) {
    begin(route_to("/", "a"));
    ask(call_head(), true);
    pass();
    respond({{":status", status}, {"content-type", "text/html"}}, false);
    respond_more("busy", true);
    pass();
    const std::string told = at_client();
    EXPECT_TRUE(has(told, std::string(":status=") + status));
    EXPECT_TRUE(has(told, "DATA 1 end 4 busy"));
    EXPECT_FALSE(has(told, "grpc-status"));
  }
}

TEST_F(GrpcCalls, I05_a_stream_that_the_endpoint_resets_is_the_status_that_the_reset_means) {
  constexpr std::pair<std::uint32_t, const char*> kRows[] = {
      {8, "grpc-status=1 "},  {11, "grpc-status=8 "}, {0, "grpc-status=13 "}, {1, "grpc-status=13 "},
      {2, "grpc-status=13 "}, {5, "grpc-status=13 "}, {12, "grpc-status=7 "}};
  for (const auto& [code, status] : kRows) {
    begin(route_to("/", "a"));
    ask(call_head(), true);
    pass();
    from_endpoint(http::testing::rst_stream(1, code));
    pass();
    EXPECT_TRUE(has(at_client(), status)) << code;
  }
}

TEST_F(GrpcCalls, I05_a_refused_stream_is_tried_once_more_and_then_unavailable) {
  begin(route_to("/", "a"));
  ask(call_head(), true);
  pass();
  EXPECT_TRUE(has(at_endpoint(), "HEADERS 1 end"));
  from_endpoint(http::testing::rst_stream(1, 7));
  pass();
  EXPECT_TRUE(has(at_endpoint(), "HEADERS 3 end"));
  from_endpoint(http::testing::rst_stream(3, 7));
  pass();
  EXPECT_TRUE(has(at_client(), "grpc-status=14 "));
  EXPECT_EQ(at_endpoint(), "");
}

TEST_F(GrpcCalls, I05_a_refused_call_whose_message_has_been_read_is_tried_once_more_too) {
  begin(route_to("/", "a"));
  ask(call_head(), false);
  ask_more("message", true);
  pass();
  EXPECT_TRUE(has(at_endpoint(), "DATA 1 end 7"));
  from_endpoint(http::testing::rst_stream(1, 7));
  pass();
  const std::string again = at_endpoint();
  EXPECT_TRUE(has(again, "HEADERS 3")) << again;
  EXPECT_TRUE(has(again, "DATA 3 end 7")) << again;
}

TEST_F(GrpcCalls, a_get_that_the_endpoint_resets_may_have_been_done_and_is_not_tried_again) {
  begin(route_to("/", "a"));
  const http::testing::Fields get = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "test"}, {":path", "/"}};
  ask(get, true);
  pass();
  respond({{":status", "200"}}, true);
  pass();
  from_client(http::testing::headers(3, get, true));
  pass();
  EXPECT_TRUE(has(at_endpoint(), "HEADERS 3 end"));
  from_endpoint(http::testing::rst_stream(3, 2));
  pass();
  EXPECT_EQ(at_endpoint(), "");
  EXPECT_TRUE(has(at_client(), "HEADERS 3"));
}

TEST_F(GrpcCalls, I05_a_call_that_is_lost_behind_a_message_ends_with_the_status_of_what_ended_it) {
  const auto status_when = [this](const http::testing::Fields& head, const auto& lose) {
    begin(route_to("/", "a"));
    ask(call_head(), true);
    pass();
    respond(head, false);
    respond_more("tick", false);
    pass();
    EXPECT_TRUE(has(at_client(), "DATA 1"));
    lose();
    pass();
    return at_client();
  };
  const http::testing::Fields call = {{":status", "200"}, {"content-type", "application/grpc"}};
  constexpr std::pair<std::uint32_t, const char*> kRows[] = {{8, "HEADERS 1 end grpc-status=1 "},
                                                             {11, "HEADERS 1 end grpc-status=8 "},
                                                             {2, "HEADERS 1 end grpc-status=13 "}};
  for (const auto& [code, status] : kRows)
    EXPECT_TRUE(has(status_when(call, [&] { from_endpoint(http::testing::rst_stream(1, code)); }), status));
  EXPECT_TRUE(has(status_when(call, [&] { endpoint.reset(); }), "HEADERS 1 end grpc-status=14 "));
  const http::testing::Fields page = {{":status", "503"}, {"content-type", "text/html"}};
  EXPECT_FALSE(has(status_when(page, [&] { endpoint.reset(); }), "grpc-status"));
}

TEST_F(GrpcCalls, I11_an_endpoint_that_sends_a_ping_for_each_message_is_no_flood) {
  begin(route_to("/", "a"));
  ask(call_head(), false);
  pass();
  for (int i = 0; i < 1500; ++i) {
    ask_more("tick", false);
    pass();
    ASSERT_TRUE(has(at_endpoint(), "DATA 1")) << i;
    from_endpoint(http::testing::frame(http::testing::kPing, 0, 0, "measures"));
    pass();
  }
  respond({{":status", "200"}, {"content-type", "application/grpc"}}, true);
  pass();
  EXPECT_TRUE(has(at_client(), ":status=200"));
}

TEST_F(GrpcCalls, I05_a_connection_that_is_lost_is_unavailable) {
  begin(route_to("/", "a"));
  ask(call_head(), true);
  pass();
  endpoint.reset();
  pass();
  EXPECT_TRUE(has(at_client(), "grpc-status=14 "));
}

TEST_F(GrpcCalls, I06_trailers_before_the_client_s_end_are_followed_by_a_reset_without_error) {
  begin(route_to("/", "a"));
  ask(call_head(), false);
  pass();
  respond(kResponse, false);
  respond({{"grpc-status", "3"}}, true);
  pass();
  EXPECT_TRUE(has(at_client(), "HEADERS 1 end grpc-status=3\nRST_STREAM 1 NO_ERROR\n"));
  EXPECT_TRUE(has(at_endpoint(), "RST_STREAM 1 CANCEL\n"));
}

TEST_F(GrpcCalls, I07_a_message_that_claims_four_gigabytes_costs_what_has_come_of_it) {
  begin(route_to("/", "a"));
  ask(call_head(), false);
  ask_more({"\0\xff\xff\xff\xff", 5}, false);
  pass();
  EXPECT_TRUE(has(at_endpoint(), "DATA 1 5"));
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 1u);
}

TEST_F(GrpcCalls, I08_what_is_wrong_inside_a_call_is_the_servers_to_check_and_passes_byte_by_byte) {
  begin(route_to("/", "a"));
  ask(with(with(call_head(), "key-bin", "?=?"), "grpc-message", "%zz%"), false);
  ask_more({"\1\0\0\0\1x", 6}, true);
  pass();
  const std::string sent = at_endpoint();
  EXPECT_TRUE(has(sent, "key-bin=?=?"));
  EXPECT_TRUE(has(sent, "grpc-message=%zz%"));
  EXPECT_TRUE(has(sent, std::string("DATA 1 end 6 \1\0\0\0\1x", 19)));
  respond(kResponse, false);
  respond({{"grpc-status", "2"}, {"grpc-message", "%zz%"}, {"key-bin", "?=?"}}, true);
  pass();
  EXPECT_TRUE(has(at_client(), "HEADERS 1 end grpc-status=2 grpc-message=%zz% key-bin=?=?\n"));
}

TEST_F(GrpcCalls, I09_other_types_and_methods_are_no_calls) {
  const Fields kOthers[] = {with(http::testing::post("/s/M"), "content-type", "application/grpcx"),
                            with(http::testing::get("/s/M"), "content-type", "application/grpc")};
  for (const Fields& other : kOthers) {
    begin(route_to("/elsewhere", "a"));
    ask(other, true);
    pass();
    const std::string told = at_client();
    EXPECT_TRUE(has(told, ":status=404"));
    EXPECT_FALSE(has(told, "grpc-status"));
    begin(route_to("/", "a"));
    ask(other, true);
    pass();
    respond({{":status", "415"}}, true);
    pass();
    EXPECT_TRUE(has(at_client(), ":status=415"));
  }
}

TEST_F(GrpcCalls, I10_a_cancelled_stream_is_cancelled_at_the_endpoint_at_once_and_nothing_is_left) {
  begin(route_to("/", "a"));
  ask(call_head(), false);
  pass();
  acknowledge_settings();
  respond(kResponse, false);
  for (int minute = 0; minute < 60; ++minute) {
    respond_more("tick", false);
    pass(1min);
  }
  static_cast<void>(at_endpoint());
  from_client(http::testing::rst_stream(1, 8));
  pass();
  EXPECT_EQ(at_endpoint(), "RST_STREAM 1 CANCEL\n") << at_client();
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 0u);
  EXPECT_EQ(plane.stat("http.front.downstream_rq_active"), 0u);
}

TEST_F(GrpcCalls, I10_a_client_that_leaves_in_the_turn_of_its_last_bytes_is_gone_too) {
  using http::testing::frame;
  for (const bool closes : {false, true}) {
    begin(route_to("/", "a"));
    ask(call_head(), false);
    pass();
    static_cast<void>(at_endpoint());
    ask_more("x", true);
    if (closes)
      client->close();
    else
      from_client(http::testing::rst_stream(1, 8));
    pass();
    EXPECT_TRUE(has(at_endpoint(), "RST_STREAM 1 CANCEL\n")) << closes;
    EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 0u);
    EXPECT_EQ(plane.stat("http.front.downstream_rq_active"), 0u);
  }
}

/// The requests of server-streaming calls are over at once, the calls are not.
TEST_F(GrpcCalls, requests_that_have_passed_hold_no_window_while_their_calls_go_on) {
  begin(route_to("/", "a"));
  http::testing::FrameReader reader;
  for (unsigned id = 1; id < 2 * 40; id += 2) {
    from_client(
        http::testing::headers(id, call_head(), false) +
        http::testing::frame(http::testing::kData, http::testing::kEndStream, id, std::string(14'000, 'x')));
    pass();
    static_cast<void>(at_endpoint());
    if (id == 1) from_endpoint(http::testing::window_update(0, 1'000'000));
  }
  std::size_t returned = 0;
  for (const std::string& line : reader.read(client->take(), false))
    if (line.starts_with("WINDOW_UPDATE 0 ")) returned += std::stoul(line.substr(16));
  EXPECT_GT(returned, 1024u * 1024 - 65'535 + 500'000) << "besides what is given at first";
}

TEST_F(GrpcCalls, I11_a_ping_every_ten_seconds_is_answered_and_a_thousand_at_once_end_the_connection) {
  const std::string ping = http::testing::frame(http::testing::kPing, 0, 0, "12345678");
  begin(route_to("/", "a"));
  ask(call_head(), false);
  pass();
  acknowledge_settings();
  for (int i = 0; i < 360; ++i) {
    from_client(ping);
    pass(10s);
  }
  EXPECT_FALSE(has(at_client(), "GOAWAY"));
  std::string flood;
  for (int i = 0; i < 1'100; ++i) flood += ping;
  from_client(flood);
  pass();
  EXPECT_TRUE(has(at_client(), "ENHANCE_YOUR_CALM"));
  EXPECT_EQ(plane.stat("http.front.downstream_cx_protocol_error"), 1u);
}

Route with_retries(std::uint32_t statuses) {
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.grpc_statuses = statuses;
  policy.retries = 3;
  policy.base_interval = policy.max_interval = Milliseconds{0};
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  return route;
}

TEST_F(GrpcCalls, I12_a_head_that_tells_a_status_of_the_policy_is_asked_for_again) {
  for (const int status : {1, 4, 8, 13, 14}) {
    begin(with_retries(1u << status));
    ask(call_head(), true);
    pass();
    static_cast<void>(at_endpoint());
    respond(with(kResponse, "grpc-status", std::to_string(status)), true);
    pass();
    EXPECT_TRUE(has(at_endpoint(), "HEADERS 3 end")) << status;
    EXPECT_EQ(at_client(), "") << status;
    from_endpoint(http::testing::headers(3, with(kResponse, "grpc-status", "0"), true));
    pass();
    EXPECT_TRUE(has(at_client(), "grpc-status=0")) << status;
  }
}

TEST_F(GrpcCalls, I12_once_a_head_has_been_relayed_nothing_is_asked_for_again) {
  begin(with_retries(1u << 14));
  ask(call_head(), true);
  pass();
  static_cast<void>(at_endpoint());
  respond(kResponse, false);
  pass();
  respond({{"grpc-status", "14"}}, true);
  pass();
  EXPECT_TRUE(has(at_client(), "HEADERS 1 end grpc-status=14\n"));
  EXPECT_EQ(at_endpoint(), "");
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_retry"), 0u);
}

}  // namespace
}  // namespace weft::proxy
