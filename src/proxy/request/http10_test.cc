#include <gtest/gtest.h>

#include "net/socket.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using testing::run;

/// What a connection that sends `bytes` receives until its end.
std::string exchange(testing::Plane& plane, std::string_view bytes) {
  auto socket = run(plane.loop, net::connect(plane.loop, plane.front(), {}));
  EXPECT_TRUE(socket);
  (*socket)->set_read_deadline(plane.loop.now() + 60s);
  EXPECT_TRUE(run(plane.loop, (*socket)->write(bytes)).ok());
  std::string all;
  for (;;) {
    char piece[4096];
    const net::IoResult got = run(plane.loop, (*socket)->read(piece));
    if (!got.ok())
      return all + (got.error == net::IoError::kEnd ? "" : "(" + std::string(to_string(got.error)) + ")");
    all.append(piece, got.bytes);
  }
}

TEST(Http10, a_client_of_http_1_0_is_answered_and_its_connection_ends_while_upstream_it_is_http_1_1) {
  testing::Plane plane;
  testing::Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(testing::table_of({testing::route_to("/", "a")}),
                          {testing::cluster_of("a", {a.address()})}));
  const std::string answer = exchange(plane, "GET /x HTTP/1.0\r\nHost: shop\r\n\r\n");
  EXPECT_NE(answer.find(" 200 "), std::string::npos) << answer;
  EXPECT_EQ(answer.find("transfer-encoding"), std::string::npos) << "HTTP/1.0 knows no chunks: " << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\na GET /x")) << answer;
  EXPECT_EQ(a.last.authority, "shop");
  EXPECT_EQ(a.last.version, http::Version::k11);
}

TEST(Http10, a_body_of_unknown_length_ends_with_the_connection) {
  testing::Plane plane;
  testing::Upstream a(plane.loop, "a");
  a.answer = [](http::ServerExchange& exchange) -> net::Task<void> {
    http::ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    static_cast<void>(co_await exchange.send_body("one", false));
    static_cast<void>(co_await exchange.send_body("two", true));
  };
  ASSERT_TRUE(plane.apply(testing::table_of({testing::route_to("/", "a")}),
                          {testing::cluster_of("a", {a.address()})}));
  const std::string answer = exchange(plane, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\nonetwo")) << answer;
}

TEST(Http10, who_names_no_host_means_the_address_that_he_connected_to) {
  testing::Plane plane;
  testing::Upstream a(plane.loop, "a");
  RouteTable table = testing::table_of({testing::route_to("/", "a")});
  table.hosts.edit(0).domains = {plane.front().to_string()};
  ASSERT_TRUE(plane.apply(std::move(table), {testing::cluster_of("a", {a.address()})}));
  const std::string answer = exchange(plane, "OPTIONS /health HTTP/1.0\r\n\r\n");
  EXPECT_NE(answer.find(" 200 "), std::string::npos) << answer;
  EXPECT_EQ(a.last.authority, plane.front().to_string());
}

}  // namespace
}  // namespace weft::proxy
