#include <gtest/gtest.h>

#include <list>

#include "net/socket.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using testing::run;

/// A server of any protocol: keeps what each connection sent, and greets those who come if it has a greeting.
class TcpServer {
 public:
  explicit TcpServer(net::Loop& loop, std::string greeting = {}) : greeting_(std::move(greeting)) {
    listener_ = std::move(*net::Listener::listen(loop, *net::Address::parse_ip("127.0.0.1", 0)));
    scope_.spawn(accept_all());
  }
  net::Address address() const { return listener_->local_address(); }
  std::size_t accepted() const { return connections_.size(); }
  std::string received() const {
    std::string all;
    for (const Connection& one : connections_) all += one.received;
    return all;
  }
  std::size_t ended() const {
    std::size_t count = 0;
    for (const Connection& one : connections_) count += one.ended;
    return count;
  }

 private:
  struct Connection {
    std::unique_ptr<net::Socket> socket;
    std::string received;
    bool ended = false;
  };
  net::Task<void> accept_all() {
    for (;;) {
      auto socket = co_await listener_->accept();
      if (!socket) co_return;
      connections_.push_back({std::move(*socket), {}, false});
      scope_.spawn(serve(connections_.back()));
    }
  }
  net::Task<void> serve(Connection& connection) {
    if (!greeting_.empty()) static_cast<void>(co_await connection.socket->write(greeting_));
    for (;;) {
      char bytes[1024];
      const net::IoResult got = co_await connection.socket->read(bytes);
      if (!got.ok()) break;
      connection.received.append(bytes, got.bytes);
    }
    connection.ended = true;
    connection.socket->close();
  }

  std::string greeting_;
  std::unique_ptr<net::Listener> listener_;
  std::list<Connection> connections_;
  net::TaskScope scope_;
};

FilterChain rule_chain(const HttpConfig& http) {
  FilterChain chain;
  chain.name = "http";
  chain.match.application_protocols = {"http/1.0", "http/1.1"};
  chain.filter = http;
  return chain;
}

FilterChain tcp_chain(std::string cluster) {
  FilterChain chain;
  TcpProxyConfig tcp;
  tcp.stat_prefix = cluster;
  tcp.clusters.push_back(
      {.cluster = std::move(cluster), .weight = 1, .request_headers = {}, .response_headers = {}});
  chain.filter = tcp;
  return chain;
}

/// A listener that sniffs: HTTP meets a rule that answers 418, the rest goes to a server as TCP.
struct Sniffing {
  explicit Sniffing(const std::function<void(ListenerConfig&)>& change) {
    Snapshot snapshot;
    auto listener = std::make_shared<ListenerConfig>();
    listener->name = "front";
    listener->address = plane.front();
    listener->sniff_http = true;
    listener->sniff_timeout = Milliseconds{20};
    listener->continue_on_sniff_timeout = true;
    listener->chains.push_back(rule_chain(plane.http));
    listener->default_chain = tcp_chain("server");
    if (change) change(*listener);
    snapshot.listeners["front"] = std::move(listener);
    Route teapot = testing::route_to("/", "server");
    teapot.action = DirectAction{.status = 418, .body = "teapot"};
    snapshot.route_tables["routes"] = std::make_shared<RouteTable>(testing::table_of({teapot}));
    EXPECT_TRUE(plane.apply(std::move(snapshot)));
  }

  std::unique_ptr<net::Socket> client() {
    auto socket = run(plane.loop, net::connect(plane.loop, plane.front(), {}));
    EXPECT_TRUE(socket);
    (*socket)->set_read_deadline(plane.loop.now() + 60s);
    return std::move(*socket);
  }
  void send(net::Socket& socket, std::string_view bytes) {
    EXPECT_TRUE(run(plane.loop, socket.write(bytes)).ok());
  }
  /// Until `count` bytes are there or the connection ends.
  std::string read(net::Socket& socket, std::size_t count) {
    std::string all;
    while (all.size() < count) {
      char bytes[4096];
      const net::IoResult got = run(plane.loop, socket.read(bytes));
      if (!got.ok()) break;
      all.append(bytes, got.bytes);
    }
    return all;
  }
  void until(const std::function<bool()>& condition) {
    for (const TimePoint end = plane.loop.now() + 60s; !condition() && plane.loop.now() < end;)
      plane.loop.run_once(50ms);
    EXPECT_TRUE(condition());
  }

  testing::Plane plane;
};

constexpr std::string_view kRequest = "GET /dump HTTP/1.1\r\nHost: go\r\n\r\n";
constexpr std::string_view kRuled = "HTTP/1.1 418 ";

/// The server uses the plane's loop, so the plane comes first and is told of the server then.
struct FirstWord : ::testing::Test {
  void start(std::string greeting = {}, std::function<void(ListenerConfig&)> change = {}) {
    sniffing = std::make_unique<Sniffing>(change);
    server = std::make_unique<TcpServer>(sniffing->plane.loop, std::move(greeting));
    Snapshot snapshot = *sniffing->plane.server->current();
    snapshot.clusters.put(
        std::make_shared<ClusterConfig>(testing::cluster_of("server", {server->address()})));
    ASSERT_TRUE(sniffing->plane.apply(std::move(snapshot)));
  }
  void TearDown() override { server.reset(); }

  std::unique_ptr<Sniffing> sniffing;
  std::unique_ptr<TcpServer> server;
};

TEST_F(FirstWord, a_client_that_says_nothing_until_it_is_connected_upstream_still_meets_the_rules_of_http) {
  start();
  auto client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  sniffing->send(*client, kRequest);
  EXPECT_TRUE(sniffing->read(*client, kRuled.size()).starts_with(kRuled));
  sniffing->until([&] { return server->ended() == 1; });
  EXPECT_EQ(server->received(), "");
}

TEST_F(FirstWord, a_request_line_in_pieces_with_pauses_longer_than_the_limit_meets_the_rules_of_http) {
  start();
  for (const std::string_view first : {"G", "GET", "GET /du", "\r\n"}) {
    auto client = sniffing->client();
    sniffing->send(*client, first);
    // Another that says nothing reaches the server when the limit has passed.
    auto silent = sniffing->client();
    const std::size_t before = server->accepted();
    sniffing->until([&] { return server->accepted() == before + 1; });
    sniffing->send(*client, first == "\r\n" ? kRequest : kRequest.substr(first.size()));
    EXPECT_TRUE(sniffing->read(*client, kRuled.size()).starts_with(kRuled)) << first;
  }
  EXPECT_EQ(server->received(), "");
}

TEST_F(FirstWord, no_way_of_writing_a_request_goes_past_the_rules) {
  start();
  const std::string fields = " HTTP/1.1\r\nHost: go\r\n\r\n";
  for (const std::string& request :
       {"GET /?" + std::string(8000, 'q') + fields, "GET /?" + std::string(50'000, 'q') + fields,
        "\r\nGET /dump" + fields, "MSEARCH2 /dump" + fields, "GET http://go/dump" + fields,
        std::string("GET /dump HTTP/1.0\r\n\r\n")}) {
    auto client = sniffing->client();
    sniffing->send(*client, request);
    EXPECT_TRUE(sniffing->read(*client, kRuled.size()).starts_with(kRuled)) << request.substr(0, 30);
  }
  for (const std::string& request :
       {"GET\t/dump" + fields, "  GET /dump" + fields, std::string("GET /dump\r\n"),
        std::string("GET /dump http/1.1\r\n\r\n")}) {
    auto client = sniffing->client();
    sniffing->send(*client, request);
    EXPECT_TRUE(sniffing->read(*client, 12).starts_with("HTTP/1.1 400")) << request;
  }
  EXPECT_EQ(server->accepted(), 0u);
}

TEST_F(FirstWord, a_server_that_speaks_first_is_heard_by_a_client_that_waits_for_it) {
  start("220 mail.example.com\r\n");
  auto client = sniffing->client();
  EXPECT_EQ(sniffing->read(*client, 22), "220 mail.example.com\r\n");
  sniffing->send(*client, "EHLO x\r\n");
  sniffing->until([&] { return server->received() == "EHLO x\r\n"; });
}

TEST_F(FirstWord, a_client_of_another_protocol_that_hesitates_is_connected_as_it_is) {
  start();
  auto client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  sniffing->send(*client, "PING\r\n");
  sniffing->until([&] { return server->received() == "PING\r\n"; });
  EXPECT_EQ(server->accepted(), 1u);
}

TEST_F(FirstWord, a_silent_client_is_ended_when_the_server_is_not_there_or_leaves) {
  start();
  auto client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  server.reset();
  EXPECT_EQ(sniffing->read(*client, 1), "");
  auto late = sniffing->client();
  EXPECT_EQ(sniffing->read(*late, 1), "");
}

TEST_F(FirstWord, a_silent_client_that_leaves_takes_its_upstream_connection_with_it) {
  start();
  auto client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  client.reset();
  sniffing->until([&] { return server->ended() == 1; });
}

TEST_F(FirstWord, nothing_is_waited_for_where_a_port_or_an_address_has_a_chain_that_takes_everything) {
  const auto wait_for_ever = [](ListenerConfig& listener) {
    listener.sniff_timeout = Milliseconds{0};
    listener.continue_on_sniff_timeout = false;
  };
  const auto by_port = [&](ListenerConfig& listener) {
    wait_for_ever(listener);
    FilterChain declared = tcp_chain("server");
    declared.match.destination_port = listener.address.port();
    listener.chains.push_back(std::move(declared));
  };
  const auto by_address = [&](ListenerConfig& listener) {
    wait_for_ever(listener);
    FilterChain declared = tcp_chain("server");
    declared.match.destination_prefixes = {{listener.address, 32}};
    listener.chains.push_back(std::move(declared));
  };
  const auto switched_off = [&](ListenerConfig& listener) {
    wait_for_ever(listener);
    listener.sniff_http_off = {{1, 9}, {listener.address.port(), listener.address.port()}};
  };
  for (const std::function<void(ListenerConfig&)>& change :
       {std::function<void(ListenerConfig&)>(by_port), std::function<void(ListenerConfig&)>(by_address),
        std::function<void(ListenerConfig&)>(switched_off)}) {
    start("hello", change);
    auto client = sniffing->client();
    EXPECT_EQ(sniffing->read(*client, 5), "hello");
    client.reset();
    server.reset();
  }
}

TEST_F(FirstWord, who_says_it_while_the_proxy_drains_is_answered_once) {
  start({}, [](ListenerConfig& listener) { listener.sniff_timeout = Milliseconds{3'600'000}; });
  auto client = sniffing->client();
  sniffing->until(
      [&] { return sniffing->plane.stats().find("downstream_cx_active: 1\n") != std::string::npos; });
  bool drained = false;
  sniffing->plane.server->drain(Milliseconds{3'600'000}, [&] { drained = true; });
  sniffing->plane.stats();  // the workers have been told
  sniffing->send(*client, kRequest);
  EXPECT_NE(sniffing->read(*client, 10'000).find("connection: close\r\n"), std::string::npos);
  sniffing->until([&] { return drained; });
}

/// The frame head of SETTINGS, by which a server of HTTP/2 begins (RFC 9113 §3.4).
bool is_http2(std::string_view bytes) {
  return bytes.size() >= 9 && bytes.substr(3, 2) == std::string_view("\x04\0", 2);
}

TEST_F(FirstWord, a_port_whose_chain_is_http_is_http_whatever_comes) {
  start({}, [](ListenerConfig& listener) {
    listener.chains[0].match.application_protocols.clear();
    listener.chains[0].match.destination_prefixes = {{listener.address, 32}};
  });
  for (const std::string_view bytes : {"\x10\x1a\r\n\r\n", "EHLO x\r\n\r\n"}) {
    auto client = sniffing->client();
    sniffing->send(*client, bytes);
    EXPECT_TRUE(sniffing->read(*client, 12).starts_with("HTTP/1.1 400")) << bytes;
  }
  auto client = sniffing->client();
  sniffing->send(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(is_http2(sniffing->read(*client, 9)));
  EXPECT_EQ(server->accepted(), 0u);
}

TEST_F(FirstWord, http_2_passes_as_tcp_where_no_chain_asks_for_it_and_is_served_where_one_does) {
  start();
  auto client = sniffing->client();
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  sniffing->send(*client, preface);
  sniffing->until([&] { return server->received() == preface; });
  client.reset();
  server.reset();
  start({},
        [](ListenerConfig& listener) { listener.chains[0].match.application_protocols.push_back("h2c"); });
  client = sniffing->client();
  sniffing->send(*client, preface);
  EXPECT_TRUE(is_http2(sniffing->read(*client, 9)));
  EXPECT_EQ(server->accepted(), 0u);
}

TEST_F(FirstWord, a_server_of_http_2_that_greets_a_silent_client_does_not_decide_for_it) {
  const std::string settings("\0\0\0\x04\0\0\0\0\0", 9), preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  start(settings,
        [](ListenerConfig& listener) { listener.chains[0].match.application_protocols.push_back("h2c"); });
  auto client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  sniffing->send(*client, preface);
  EXPECT_TRUE(is_http2(sniffing->read(*client, 9)));
  client.reset();
  server.reset();
  start(settings);
  client = sniffing->client();
  sniffing->until([&] { return server->accepted() == 1; });
  sniffing->send(*client, preface);
  EXPECT_EQ(sniffing->read(*client, settings.size()), settings);
  sniffing->until([&] { return server->received() == preface; });
}

}  // namespace
}  // namespace weft::proxy
