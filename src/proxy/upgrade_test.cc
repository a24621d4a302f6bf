#include <gtest/gtest.h>

#include "http/websocket.h"
#include "proxy/testing/framed_client.h"
#include "proxy/testing/plane.h"

/// Rows F of docs/bad-input.md: what stands around the moment in which a connection becomes a tunnel, byte by
/// byte at an endpoint of HTTP/1.
namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::Fields;
using http::testing::frame;
using http::testing::headers;
using http::testing::kData;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kEarly =
    "\x81\x05"
    "early";

/// A WebSocket's request with more fields, and what stands behind its head.
std::string request(std::string_view more = "", std::string_view method = "GET") {
  return std::string(method) + " /chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n" +
         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string(kKey) +
         "\r\n" + std::string(more) + "\r\n";
}

std::string switched(std::string_view accept = kAccept) {
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Accept: " +
         std::string(accept) + "\r\n\r\n";
}

std::string response(std::string_view status, std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Fields extended_connect() {
  return {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"},
          {":path", "/chat"},     {":authority", "test"},     {"sec-websocket-version", "13"}};
}

class Upgrades : public ::testing::Test {
 protected:
  Upgrades() {
    plane.http.upgrades = {"websocket"};
    plane.http.http2.extended_connect = true;
    apply();
  }
  void apply() {
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)})}));
  }
  /// What a new client has got for those bytes.
  std::string answer(const std::string& bytes) {
    client = plane.connect();
    return more(bytes);
  }
  std::string more(std::string_view bytes) {
    send(*client, bytes);
    plane.loop().advance(1ms);
    return client->take();
  }
  void say_upstream(std::string_view bytes) {
    send(*upstream.connections.back().stream, bytes);
    plane.loop().advance(1ms);
  }
  /// The endpoint says nothing by itself.
  void keep_silent() {
    upstream.reply = [](const SeenRequest&) { return std::string(); };
  }
  void expect_closed() {
    char block[1];
    const net::IoResult got = client->try_read(block);
    EXPECT_TRUE(got.error == net::IoError::kEnd || got.error == net::IoError::kReset);
  }
  SimulatedPlane plane;
  CountingUpstream upstream{plane};
  std::unique_ptr<SimulatedPlane::PipeEnd> client;
};

TEST_F(Upgrades, F01_what_is_not_configured_goes_on_without_the_offer) {
  plane.http.upgrades = {};
  apply();
  EXPECT_TRUE(answer(request()).starts_with("HTTP/1.1 200 "));
  ASSERT_EQ(upstream.requests.size(), 1u);
  EXPECT_EQ(upstream.requests[0].count("upgrade") + upstream.requests[0].count("connection"), 0u);
}

TEST_F(Upgrades, F02_a_switch_that_nobody_has_asked_for_is_502) {
  upstream.reply = [](const SeenRequest&) { return switched() + "evil"; };
  const std::string got = answer("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 502 ")) << got;
  EXPECT_EQ(got.find("evil"), got.npos);
  EXPECT_TRUE(upstream.connections[0].ended);
}

TEST_F(Upgrades, F03_early_bytes_are_held_back_until_the_endpoint_has_switched) {
  keep_silent();
  EXPECT_EQ(answer(request() + std::string(kEarly)), "");
  EXPECT_EQ(more("more"), "");
  plane.loop().advance(1s);
  ASSERT_EQ(upstream.requests.size(), 1u);
  EXPECT_EQ(upstream.connections[0].raw.size(), upstream.connections[0].understood) << upstream.raw();
  say_upstream(switched() + "hi");
  EXPECT_TRUE(upstream.raw().ends_with("\r\n\r\n" + std::string(kEarly) + "more")) << upstream.raw();
  const std::string got = client->take();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(got.ends_with("\r\n\r\nhi"));
}

TEST_F(Upgrades, F03_early_bytes_of_http_2_are_held_back_likewise) {
  keep_silent();
  FramedClient framed(plane);
  framed.say(headers(1, extended_connect(), false) + frame(kData, 0, 1, kEarly));
  plane.loop().advance(1s);
  ASSERT_EQ(upstream.requests.size(), 1u);
  EXPECT_EQ(upstream.connections[0].raw.size(), upstream.connections[0].understood) << upstream.raw();
  std::string key;
  for (const auto& [name, value] : upstream.requests[0].fields)
    if (name == http::websocket::kKey) key = value;
  say_upstream(switched(http::websocket::accept_of(key)));
  EXPECT_TRUE(upstream.raw().ends_with("\r\n\r\n" + std::string(kEarly))) << upstream.raw();
  EXPECT_NE(framed.heard().find("HEADERS 1 :status=200"), std::string::npos);
}

TEST_F(Upgrades, F03_where_the_endpoint_does_not_switch_early_bytes_go_nowhere) {
  for (const std::string_view status : {"200 OK", "403 Forbidden", "503 Unavailable"}) {
    upstream.reply = [&](const SeenRequest&) { return response(status, "no"); };
    const std::size_t before = upstream.requests.size();
    const std::string got = answer(request() + std::string(kEarly) + "\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::string(status))) << got;
    EXPECT_NE(got.find("HTTP/1.1 400 "), got.npos) << "no request, and no tunnel: " << got;
    expect_closed();
    EXPECT_EQ(upstream.requests.size(), before + 1);
    EXPECT_EQ(upstream.raw().find("early"), std::string::npos);
  }
}

TEST_F(Upgrades, F03_nor_do_those_of_http_2) {
  for (const std::string_view status : {"200 OK", "403 Forbidden"}) {
    upstream.reply = [&](const SeenRequest&) { return response(status, "no"); };
    FramedClient framed(plane);
    framed.say(headers(1, extended_connect(), false) + frame(kData, 0, 1, kEarly));
    plane.loop().advance(1ms);
    const std::string got = framed.heard();
    EXPECT_NE(got.find(status.starts_with("2") ? ":status=502" : ":status=403"), got.npos) << got;
    EXPECT_EQ(upstream.raw().find("early"), std::string::npos);
  }
}

TEST_F(Upgrades, F04_after_a_success_instead_of_a_switch_the_endpoint_s_connection_is_closed) {
  const std::string success = response("200 OK", "no", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  for (const std::string& said : {success, response("204 No Content", ""), response("200 OK", "")}) {
    upstream.reply = [&](const SeenRequest&) { return said; };
    const std::string got = answer(request());
    EXPECT_TRUE(got.starts_with("HTTP/1.1 20")) << got;
    EXPECT_EQ(got.find("pgrade"), got.npos) << "no tunnel: " << got;
    EXPECT_TRUE(upstream.connections.back().ended);
    upstream.reply = {};
    const std::size_t before = upstream.connections.size();
    EXPECT_TRUE(more("GET /next HTTP/1.1\r\nHost: test\r\n\r\n").ends_with("\r\n\r\n/next"));
    EXPECT_EQ(upstream.connections.size(), before + 1);
    upstream.connections.back().stream->close();
    plane.loop().advance(1ms);
  }
}

TEST_F(Upgrades, F04_so_it_is_when_a_client_of_http_2_has_asked) {
  upstream.reply = [](const SeenRequest&) { return response("200 OK", ""); };
  FramedClient framed(plane);
  framed.say(headers(1, extended_connect(), false));
  EXPECT_NE(framed.heard().find(":status=502"), std::string::npos);
  EXPECT_TRUE(upstream.connections.back().ended);
}

TEST_F(Upgrades, F04_who_only_tells_of_protocols_keeps_its_connection) {
  upstream.reply = [](const SeenRequest&) {
    return response("200 OK", "yes", "Connection: Upgrade\r\nUpgrade: h2c\r\n");
  };
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(answer("GET / HTTP/1.1\r\nHost: test\r\n\r\n").ends_with("\r\n\r\nyes"));
  EXPECT_EQ(upstream.connections.size(), 1u);
}

TEST_F(Upgrades, F05_a_websocket_with_content_is_400) {
  for (const std::string_view framing : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    for (const std::string_view body : {"", "hello", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n"}) {
      for (const std::string_view method : {"GET", "POST"}) {
        const std::string got = answer(request(framing, method) + std::string(body));
        EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << framing << body << got;
      }
    }
  }
  EXPECT_TRUE(upstream.connections.empty());
  EXPECT_TRUE(answer(request("Content-Length: 0\r\n")).starts_with("HTTP/1.1 200 ")) << "which is none";
}

TEST_F(Upgrades, F06_a_websocket_with_another_method_than_get_is_400) {
  for (const std::string_view method : {"POST", "HEAD", "PUT", "OPTIONS", "get"})
    EXPECT_TRUE(answer(request("", method)).starts_with("HTTP/1.1 400 ")) << method;
  EXPECT_TRUE(upstream.connections.empty());
}

TEST_F(Upgrades, F06_what_an_endpoint_has_against_a_handshake_is_relayed) {
  upstream.reply = [](const SeenRequest&) {
    return response("426 Upgrade Required", "13", "Sec-WebSocket-Version: 13\r\n");
  };
  std::string got = answer(request());
  EXPECT_TRUE(got.starts_with("HTTP/1.1 426 Upgrade Required\r\n")) << got;
  EXPECT_NE(got.find("\r\nSec-WebSocket-Version: 13\r\n"), got.npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n13"));
  upstream.reply = [](const SeenRequest&) { return response("400 Bad Request", "bad key"); };
  got = more(request());
  EXPECT_TRUE(got.starts_with("HTTP/1.1 400 Bad Request\r\n")) << got;
  EXPECT_TRUE(got.ends_with("\r\n\r\nbad key"));
  EXPECT_EQ(upstream.connections.size(), 1u) << "an error leaves the connection what it was";
}

/// What DataPlane::drain() does, on simulated time.
struct Draining {
  Draining(SimulatedPlane& plane, Duration limit)
      : end(plane.loop(), [&plane] { plane.worker().end_everything(); }) {
    plane.worker().stop_accepting();
    plane.worker().drain_connections();
    plane.worker().when_idle([this] { idle = true; });
    end.arm(plane.loop().now() + limit);
  }
  net::Timer end;
  bool idle = false;
};

TEST_F(Upgrades, F12_a_tunnel_outlives_the_beginning_of_a_drain_and_ends_at_its_limit) {
  upstream.reply = [](const SeenRequest&) { return switched(); };
  EXPECT_TRUE(answer(request()).starts_with("HTTP/1.1 101 "));
  const Draining draining(plane, 200s);
  for (const Duration passes : {Duration(0s), Duration(30s), Duration(169s)}) {
    plane.loop().advance(passes);
    EXPECT_EQ(more("ping"), "");
    EXPECT_TRUE(upstream.raw().ends_with("ping"));
    say_upstream("pong");
    EXPECT_EQ(client->take(), "pong");
  }
  EXPECT_FALSE(draining.idle);
  plane.loop().advance(1s);
  EXPECT_TRUE(draining.idle);
  expect_closed();
  EXPECT_TRUE(upstream.connections[0].ended);
}

TEST_F(Upgrades, F12_a_tunnel_over_http_2_does_likewise) {
  upstream.reply = [](const SeenRequest& seen) {
    for (const auto& [name, value] : seen.fields)
      if (name == http::websocket::kKey) return switched(http::websocket::accept_of(value));
    return switched();
  };
  FramedClient framed(plane);
  framed.say(headers(1, extended_connect(), false));
  EXPECT_NE(framed.heard().find("HEADERS 1 :status=200"), std::string::npos);
  const Draining draining(plane, 200s);
  plane.loop().advance(199s);
  EXPECT_NE(framed.heard().find("GOAWAY"), std::string::npos) << "for what is not a tunnel";
  framed.say(frame(kData, 0, 1, "ping"));
  EXPECT_TRUE(upstream.raw().ends_with("ping"));
  say_upstream("pong");
  EXPECT_NE(framed.heard().find("DATA 1 4 pong"), std::string::npos);
  EXPECT_FALSE(draining.idle);
  plane.loop().advance(1s);
  EXPECT_TRUE(draining.idle);
  EXPECT_TRUE(upstream.connections[0].ended);
}

}  // namespace
}  // namespace weft::proxy
