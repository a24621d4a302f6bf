#include "http/websocket.h"

#include <gtest/gtest.h>

#include "proxy/testing/pairings.h"
#include "proxy/testing/tunnel_client.h"

namespace weft::proxy {
namespace {

using namespace testing;

// RFC 6455 §5.7: "Hello" in one frame, as a client and as a server send it.
constexpr std::string_view kMaskedHello("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
constexpr std::string_view kHello("\x81\x05Hello", 7);

/// A server that speaks WebSocket: HTTP/1 with key and accept (RFC 6455 §4.2.2), HTTP/2 without (RFC 8441
/// §5). It responds to each masked "Hello" with its own.
struct Server {
  explicit Server(Mesh& mesh) {
    mesh.options.http2.extended_connect = true;
    mesh.handler = [this](http::ServerExchange& exchange) { return serve(exchange); };
  }
  net::Task<void> serve(http::ServerExchange& exchange) {
    http::ResponseHead head;
    head.status = 101;
    head.upgrade = exchange.request().upgrade;
    const auto key = exchange.request().headers.get(http::websocket::kKey);
    if (exchange.request().version != http::Version::k2)
      head.headers.add(http::websocket::kAccept,
                       wrong ? "none" : http::websocket::accept_of(key.value_or("missing")));
    if (ignores) head.status = 200;
    if (!co_await exchange.send_head(head, ignores) || ignores || !co_await exchange.flush()) co_return;
    net::Stream& stream = *exchange.upgrade().stream;
    for (char block[64];;) {
      const net::IoResult got = co_await stream.read(block);
      if (!got.ok()) break;
      if (std::string_view(block, got.bytes) == kMaskedHello)
        static_cast<void>(co_await stream.write(kHello));
    }
    stream.shutdown_write();
  }
  bool wrong = false, ignores = false;
};

/// A WebSocket in which Hello is said.
struct Client : TunnelClient {
  Client(Mesh& mesh, Protocol protocol)
      : TunnelClient(mesh, protocol,
                     {.head = head(protocol),
                      .switched = 101,
                      .says = kMaskedHello,
                      .http2 = {.extended_connect = true}}) {}
  static http::RequestHead head(Protocol protocol) {
    http::RequestHead made = get("/chat").head;
    made.upgrade = "websocket";
    if (protocol == Protocol::kHttp1) made.headers.add(http::websocket::kKey, "dGhlIHNhbXBsZSBub25jZQ==");
    made.headers.add("sec-websocket-version", "13");
    return made;
  }
};

class WebSockets : public ::testing::TestWithParam<Pairing> {
 protected:
  WebSockets() : mesh(GetParam().endpoint), server(mesh) {
    mesh.plane.http.http2.extended_connect = true;
    mesh.plane.http.upgrades = {"websocket"};
    apply();
  }
  void apply() {
    mesh.apply(GetParam().spoken(), [](ClusterConfig& cluster) { cluster.http2.extended_connect = true; });
  }
  Mesh mesh;
  Server server;
};
INSTANTIATE_TEST_SUITE_P(Http, WebSockets, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(WebSockets, frames_pass_in_both_directions_and_each_side_has_the_handshake_of_its_version) {
  const Client client(mesh, GetParam().client);
  EXPECT_EQ(client.response.status, 101);
  EXPECT_EQ(client.response.upgrade, "websocket");
  const auto accept = client.response.headers.get(http::websocket::kAccept);
  if (GetParam().client == Protocol::kHttp1)
    EXPECT_EQ(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  else
    EXPECT_FALSE(accept);
  EXPECT_EQ(client.heard, kHello);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

class WebSocketsFromHttp1 : public WebSockets {};
INSTANTIATE_TEST_SUITE_P(Http, WebSocketsFromHttp1,
                         ::testing::Values(Pairing{Protocol::kHttp1, Protocol::kHttp1},
                                           Pairing{Protocol::kHttp1, Protocol::kHttp2}));

TEST_P(WebSocketsFromHttp1, before_a_request_is_whole_no_protocol_is_switched) {
  mesh.plane.http.upgrades = {"chat"};
  apply();
  const auto client = mesh.plane.connect();
  constexpr std::string_view kHead =
      "GET /chat HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: chat\r\n"
      "Content-Length: 5\r\n\r\n";
  const iovec part{const_cast<char*>(kHead.data()), kHead.size()};
  ASSERT_EQ(client->try_write({&part, 1}).bytes, kHead.size());
  mesh.settle();
  EXPECT_TRUE(client->take().starts_with("HTTP/1.1 502 "));
}

class WebSocketsFromHttp2 : public WebSockets {};
INSTANTIATE_TEST_SUITE_P(Http, WebSocketsFromHttp2,
                         ::testing::Values(Pairing{Protocol::kHttp2, Protocol::kHttp1}));

TEST_P(WebSocketsFromHttp2, a_server_that_does_not_know_our_key_is_none_of_websocket) {
  server.wrong = true;
  EXPECT_EQ(Client(mesh, Protocol::kHttp2).response.status, 502);
}

TEST_P(WebSocketsFromHttp2, a_success_without_a_switch_is_none_to_the_client) {
  server.ignores = true;
  EXPECT_EQ(Client(mesh, Protocol::kHttp2).response.status, 502);
}

TEST_P(WebSocketsFromHttp2, what_no_route_allows_is_rejected) {
  mesh.plane.http.upgrades.clear();
  apply();
  EXPECT_EQ(Client(mesh, Protocol::kHttp2).response.status, 403);
  EXPECT_TRUE(mesh.connections.empty());
}

}  // namespace
}  // namespace weft::proxy
