#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

constexpr std::string_view kRequest = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

FilterChain http_chain(const HttpConfig& http, std::string routes, const char* prefix, std::uint32_t bits) {
  FilterChain chain;
  HttpConfig config = http;
  config.route_table_name = std::move(routes);
  chain.filter = config;
  chain.match.destination_prefixes.push_back({*net::Address::parse_ip(prefix, 0), bits});
  return chain;
}

/// A plane with two upstreams, each the only one of a route table of its name, and a listener of any chains.
struct Changing {
  Result<void> apply(std::string listener_name, std::vector<FilterChain> chains) {
    Snapshot snapshot = without_listeners();
    auto listener = std::make_shared<ListenerConfig>();
    listener->name = listener_name;
    listener->address = plane.front();
    listener->chains = std::move(chains);
    for (const char* name : {"a", "b"})
      snapshot.route_tables[name] = std::make_shared<RouteTable>(table_of({route_to("/", name)}));
    snapshot.listeners[listener_name] = std::move(listener);
    return plane.apply(std::move(snapshot));
  }
  Snapshot without_listeners() {
    Snapshot snapshot;
    snapshot.clusters.put(std::make_shared<ClusterConfig>(cluster_of("a", {a.address()})));
    snapshot.clusters.put(std::make_shared<ClusterConfig>(cluster_of("b", {b.address()})));
    return snapshot;
  }
  FilterChain chain(std::string routes, const char* prefix = "127.0.0.0", std::uint32_t bits = 8) {
    return http_chain(plane.http, std::move(routes), prefix, bits);
  }

  /// A client whose first request `a` has answered.
  std::unique_ptr<RawClient> kept_client() {
    auto client = std::make_unique<RawClient>(plane.loop, plane.front());
    client->write(kRequest);
    client->read_until("a GET /x");
    return client;
  }

  explicit Changing(ProcessLimits limits = {}) : plane(1, limits) {}
  Plane plane;
  Upstream a{plane.loop, "a"}, b{plane.loop, "b"};
};

bool says_close(const std::string& response) {
  return response.find("connection: close\r\n") != response.npos;
}

TEST(LeftBehind, an_idle_connection_ends_when_its_listener_is_removed_or_has_another_name) {
  for (const bool renamed : {false, true}) {
    Changing changing;
    ASSERT_TRUE(changing.apply("front", {changing.chain("a")}));
    RawClient client(changing.plane.loop, changing.plane.front());
    client.write(kRequest);
    ASSERT_FALSE(says_close(client.read_until("a GET /x")));
    ASSERT_TRUE(changing.apply("front", {changing.chain("a")}));
    client.write("GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_FALSE(says_close(client.read_until("a GET /two"))) << "a listener that stays";
    ASSERT_TRUE(renamed ? changing.apply("other", {changing.chain("a")})
                        : changing.plane.apply(changing.without_listeners()));
    client.read_until("never sent");
    EXPECT_TRUE(client.ended()) << renamed;
  }
}

TEST(LeftBehind, the_response_under_way_is_the_last_and_says_so) {
  Changing changing;
  Gate gate(changing.plane.loop, changing.a);
  ASSERT_TRUE(changing.apply("front", {changing.chain("a")}));
  RawClient client(changing.plane.loop, changing.plane.front());
  client.write(kRequest);
  ASSERT_TRUE(run_until(changing.plane.loop, [&] { return changing.a.requests == 1; }));
  ASSERT_TRUE(changing.plane.apply(changing.without_listeners()));
  gate.open = true;
  EXPECT_TRUE(says_close(client.read_until("through")));
  client.read_until("never sent");
  EXPECT_TRUE(client.ended());
}

TEST(LeftBehind, a_request_that_had_begun_to_come_goes_by_the_routes_of_before) {
  Changing changing;
  ASSERT_TRUE(changing.apply("front", {changing.chain("a")}));
  const auto kept = changing.kept_client();
  RawClient& client = *kept;
  client.write("GET /late HT");
  ASSERT_TRUE(changing.plane.apply(changing.without_listeners()));
  client.write("TP/1.1\r\nHost: a\r\n\r\n");
  const std::string& all = client.read_until("a GET /late");
  EXPECT_EQ(all.find("404"), all.npos) << all;
  EXPECT_TRUE(says_close(all)) << all;
  client.read_until("never sent");
  EXPECT_TRUE(client.ended());
}

TEST(LeftBehind, a_chain_without_a_name_is_found_again_by_what_it_matches_wherever_it_stands) {
  Changing changing;
  const auto elsewhere = [&](std::string routes) { return changing.chain(std::move(routes), "10.0.0.0"); };
  ASSERT_TRUE(changing.apply("front", {changing.chain("a"), elsewhere("b")}));
  const auto kept = changing.kept_client();
  RawClient& client = *kept;
  ASSERT_TRUE(changing.apply("front", {elsewhere("b"), changing.chain("a")}));
  client.write("GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string& all = client.read_until("GET /two");
  EXPECT_NE(all.find("a GET /two"), all.npos) << all;
  EXPECT_FALSE(says_close(all));
  EXPECT_EQ(changing.b.requests, 0);
}

TEST(LeftBehind, a_connection_whose_chain_is_gone_ends_though_as_many_chains_are_there) {
  Changing changing;
  ASSERT_TRUE(changing.apply("front", {changing.chain("a")}));
  const auto kept = changing.kept_client();
  RawClient& client = *kept;
  ASSERT_TRUE(changing.apply("front", {changing.chain("b", "127.0.0.1", 32)}));
  client.read_until("never sent");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(changing.b.requests, 0);
}

TEST(LeftBehind,
     a_tcp_connection_whose_chain_is_gone_ends_after_its_time_and_one_whose_chain_is_there_goes_on) {
  Changing mesh(ProcessLimits{.tcp_drain_time = Milliseconds{100}});
  const auto tcp = [](std::string cluster) {
    FilterChain chain;
    TcpProxyConfig config;
    config.stat_prefix = "tcp";
    config.clusters.push_back(
        {.cluster = std::move(cluster), .weight = 1, .request_headers = {}, .response_headers = {}});
    chain.filter = config;
    chain.match.destination_prefixes.push_back({*net::Address::parse_ip("127.0.0.0", 0), 8});
    return chain;
  };
  ASSERT_TRUE(mesh.apply("front", {tcp("a")}));
  const auto client = mesh.kept_client();
  ASSERT_TRUE(mesh.apply("front", {tcp("b")}));
  for (const TimePoint end = mesh.plane.loop.now() + 300ms; mesh.plane.loop.now() < end;)
    mesh.plane.loop.run_once(10ms);
  client->write("GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client->read_until("a GET /again").find("a GET /again"), std::string::npos)
      << "other clusters are for new connections";
  ASSERT_TRUE(mesh.apply("front", {mesh.chain("b")}));
  client->read_until("never");
  EXPECT_TRUE(client->ended());
}

}  // namespace
}  // namespace weft::proxy
