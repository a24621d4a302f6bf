#include "proxy/request/grpc.h"

#include <gtest/gtest.h>

#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

TEST(Grpc, a_call_is_known_by_its_content_type) {
  const auto call_of = [](std::string_view type) {
    http::RequestHead head;
    head.method = "POST";
    head.headers.add("Content-Type", type);
    return is_grpc(head);
  };
  for (const std::string_view type :
       {"application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", "Application/GRPC"})
    EXPECT_TRUE(call_of(type)) << type;
  for (const std::string_view type :
       {"application/grpc-web", "application/grpcx", "application/grp", "text/plain", ""})
    EXPECT_FALSE(call_of(type)) << type;
  EXPECT_FALSE(is_grpc({}));
  http::RequestHead get;
  get.method = "GET";
  get.headers.add("content-type", "application/grpc");
  EXPECT_FALSE(is_grpc(get));
}

TEST(Grpc, statuses_are_those_that_envoy_makes_of_http) {
  const std::pair<int, int> kRows[] = {{400, 13}, {401, 16}, {403, 7}, {404, 12}, {429, 14}, {502, 14},
                                       {503, 14}, {504, 14}, {200, 2}, {408, 2},  {500, 2}};
  for (const auto& [http, grpc] : kRows) EXPECT_EQ(grpc_status_of(http), grpc) << http;
}

TEST(Grpc, statuses_have_the_names_that_envoy_s_logs_have) {
  EXPECT_EQ(grpc_status_name(0), "OK");
  EXPECT_EQ(grpc_status_name(14), "Unavailable");
  EXPECT_EQ(grpc_status_name(16), "Unauthenticated");
  EXPECT_EQ(grpc_status_name(17), "");
  EXPECT_EQ(grpc_status_name(-1), "");
}

TEST(Grpc, a_message_keeps_printable_ascii_and_encodes_the_rest) {
  EXPECT_EQ(grpc_message("no healthy upstream"), "no healthy upstream");
  EXPECT_EQ(grpc_message("50%\n\xc3\xa4"), "50%25%0A%C3%A4");
  EXPECT_EQ(grpc_message(""), "");
}

TEST(Grpc, a_status_is_a_whole_number_or_none) {
  const auto status_of = [](std::string_view text) {
    http::Headers headers;
    headers.add("grpc-status", text);
    return grpc_status_in(headers);
  };
  EXPECT_EQ(status_of("0"), 0);
  EXPECT_EQ(status_of("14"), 14);
  for (const std::string_view text : {"", "-1", "1x", "99999999999"})
    EXPECT_EQ(status_of(text), std::nullopt);
  EXPECT_EQ(grpc_status_in({}), std::nullopt);
}

std::string timeout_of(std::string_view text) {
  http::Headers headers;
  headers.add("Grpc-Timeout", text);
  const auto timeout = grpc_timeout_in(headers);
  return timeout ? std::to_string((*timeout)->count()) : "rejected";
}

TEST(Grpc, a_timeout_is_one_to_eight_digits_and_a_unit) {
  const std::pair<const char*, const char*> kRows[] = {{"1H", "3600000"},
                                                       {"2M", "120000"},
                                                       {"3S", "3000"},
                                                       {"4m", "4"},
                                                       {"5u", "1"},
                                                       {"1001u", "2"},
                                                       {"6n", "1"},
                                                       {"0S", "0"},
                                                       {"99999999n", "100"},
                                                       {"00000001m", "1"},
                                                       {"", "rejected"},
                                                       {"1", "rejected"},
                                                       {"S", "rejected"},
                                                       {"-1S", "rejected"},
                                                       {"1X", "rejected"},
                                                       {"1s", "rejected"},
                                                       {"+1S", "rejected"},
                                                       {"1 S", "rejected"},
                                                       {"1SS", "rejected"},
                                                       {"1.5S", "rejected"},
                                                       {"123456789S", "rejected"},
                                                       {"000000001S", "rejected"}};
  for (const auto& [text, milliseconds] : kRows) EXPECT_EQ(timeout_of(text), milliseconds) << text;
  const auto none = grpc_timeout_in({});
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, std::nullopt);
}

TEST(Grpc, a_timeout_beyond_a_hundred_years_is_a_hundred_years) {
  const std::string max = std::to_string(kMaxGrpcTimeout.count());
  EXPECT_EQ(timeout_of("99999999H"), max);
  EXPECT_EQ(timeout_of("876000H"), max);
  EXPECT_EQ(timeout_of("875999H"), std::to_string(kMaxGrpcTimeout.count() - 3'600'000));
  EXPECT_GT(TimePoint{} + kMaxGrpcTimeout, TimePoint{}) << "it can be added to a time";
}

TEST(Grpc, a_timeout_is_written_in_milliseconds_while_eight_digits_hold_them) {
  EXPECT_EQ(grpc_timeout_text(1ms), "1m");
  EXPECT_EQ(grpc_timeout_text(99'999'999ms), "99999999m");
  EXPECT_EQ(grpc_timeout_text(100'000'001ms), "100001S");
  EXPECT_EQ(grpc_timeout_text(kMaxGrpcTimeout), "99999999S");
}

std::string response_to(SimulatedPlane& plane, std::string_view request) {
  const auto client = plane.connect();
  plane.loop().settle();
  const iovec part{const_cast<char*>(request.data()), request.size()};
  EXPECT_EQ(client->try_write({&part, 1}).bytes, request.size());
  plane.loop().settle();
  return client->take();
}

TEST(Grpc, a_call_without_an_endpoint_gets_a_head_that_tells_its_status) {
  SimulatedPlane plane;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {})}));
  const std::string call = response_to(plane,
                                       "POST /s/M HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n"
                                       "Content-Length: 0\r\n\r\n");
  EXPECT_TRUE(call.starts_with("HTTP/1.1 200 OK\r\n")) << call;
  for (const std::string_view field : {"\r\ncontent-type: application/grpc\r\n", "\r\ngrpc-status: 14\r\n",
                                       "\r\ngrpc-message: no healthy upstream\r\n"})
    EXPECT_NE(call.find(field), std::string::npos) << field << call;
  EXPECT_TRUE(call.ends_with("\r\n\r\n")) << "there is no body: " << call;
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_5xx"), 1u) << "to the cluster it has failed all the same";
}

TEST(Grpc, other_requests_get_the_reply_as_http_has_it) {
  SimulatedPlane plane;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {})}));
  const std::string page = response_to(plane, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 503 ")) << page;
  EXPECT_EQ(page.find("grpc-status"), std::string::npos);
}

}  // namespace
}  // namespace weft::proxy
