#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/testing/plane.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {
namespace {

using namespace testing;

const http::Request kGet{.method = "GET", .path = "/", .authority = "test"};
const http::Request kPost{.method = "POST", .path = "/", .authority = "test", .body = "abc"};

/// An address that takes no connection and rejects none: its queue is full.
class Deaf {
 public:
  Deaf() {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const net::Address any = *net::Address::parse_ip("127.0.0.1", 0);
    WEFT_ASSERT(::bind(fd_.get(), any.data(), any.size()) == 0 && ::listen(fd_.get(), 0) == 0);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    address_ = net::Address::from(reinterpret_cast<sockaddr*>(&bound), length);
    for (int i = 0; i < 4; ++i) {
      fill_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(::connect(fill_.back().get(), address_.data(), address_.size()));
    }
  }
  const net::Address& address() const { return address_; }

 private:
  net::Fd fd_;
  std::vector<net::Fd> fill_;
  net::Address address_;
};

/// A plane, and an upstream that answers nothing before its gate is open.
struct Held {
  explicit Held(unsigned workers = 1) : plane(workers) {}
  Plane plane;
  Upstream a{plane.loop, "a"};
  Gate gate{plane.loop, a};
};

bool shows(Plane& plane, const std::string& line) {
  return plane.stats().find(line + "\n") != std::string::npos;
}

ClusterConfig limited(std::vector<net::Address> endpoints, std::uint32_t connections) {
  ClusterConfig cluster = cluster_of("a", std::move(endpoints));
  cluster.max_connections = connections;
  return cluster;
}

TEST(Limits, an_idle_connection_is_closed_when_its_time_is_over) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ClusterConfig cluster = cluster_of("a", {a.address()});
  cluster.idle_timeout = Milliseconds{50};
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  ASSERT_EQ(plane.get("/").head.status, 200);
  EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 0"); }));
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_cx_total: 1"));
}

TEST(Limits, one_connection_for_two_endpoints_serves_one_request_after_another) {
  Plane plane;
  Upstream a(plane.loop, "a"), b(plane.loop, "b");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {limited({a.address(), b.address()}, 1)}));
  for (int i = 0; i < 6; ++i) {
    Asking asking(plane, kGet);
    ASSERT_EQ(asking.status(), 200) << "request " << i;
  }
  EXPECT_EQ(a.requests, 3);
  EXPECT_EQ(b.requests, 3);
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_cx_active: 1"));
}

TEST(Limits, a_failed_connect_wakes_who_waits_for_its_place) {
  Plane plane;
  Deaf deaf;
  ClusterConfig cluster = limited({deaf.address()}, 1);
  cluster.connect_timeout = Milliseconds{100};
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  Asking first(plane, kPost), second(plane, kPost), third(plane, kGet);
  EXPECT_EQ(first.status(), 503);
  EXPECT_EQ(second.status(), 503);
  EXPECT_EQ(third.status(), 503);
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_cx_active: 0"));
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_pending_active: 0"));
}

TEST(Limits, who_waits_is_served_first_come_first_served_and_a_connection_that_ends_wakes_the_next) {
  Held held;
  auto& [plane, a, gate] = held;
  ClusterConfig cluster = limited({a.address()}, 1);
  cluster.max_requests_per_connection = 1;  // each answer ends its connection
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  std::vector<std::unique_ptr<Asking>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(std::make_unique<Asking>(plane, i % 2 ? kPost : kGet));
    const std::string waiting = "cluster.a.upstream_rq_pending_active: " + std::to_string(i);
    ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1 && shows(plane, waiting); }));
  }
  gate.open = true;
  for (const auto& one : all) EXPECT_EQ(one->status(), 200);
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_cx_total: 5"));
  EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_pending_active: 0"));
}

TEST(Limits, a_client_that_goes_while_it_waits_leaves_its_place_in_the_line) {
  Held held;
  auto& [plane, a, gate] = held;
  ClusterConfig cluster = limited({a.address()}, 1);
  cluster.max_pending_requests = 1;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  Asking first(plane, kGet);
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
  Asking second(plane, kPost);
  ASSERT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_rq_pending_active: 1"); }));
  Asking rejected(plane, kGet);
  EXPECT_EQ(rejected.status(), 503);
  second.leave();
  ASSERT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_rq_pending_active: 0"); }));
  Asking third(plane, kGet);
  ASSERT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_rq_pending_active: 1"); }));
  gate.open = true;
  EXPECT_EQ(first.status(), 200);
  EXPECT_EQ(third.status(), 200);
}

/// A cluster of one endpoint that is connected to for an hour.
ClusterConfig never_connected(const Deaf& deaf) {
  ClusterConfig cluster = limited({deaf.address()}, 8);
  cluster.connect_timeout = Milliseconds{3'600'000};
  return cluster;
}

bool holds_nothing(Plane& plane) {
  return run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 0"); });
}

TEST(Limits, a_client_that_goes_while_its_connection_is_made_leaves_nothing_behind) {
  for (const http::Request& request : {kGet, kPost}) {
    Plane plane;
    Deaf deaf;
    Route route = route_to("/", "a");
    std::get<ForwardAction>(route.action).timeout = Milliseconds{0};
    ASSERT_TRUE(plane.apply(table_of({route}), {never_connected(deaf)}));
    Asking asking(plane, request);
    ASSERT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 1"); }));
    asking.leave();
    EXPECT_TRUE(holds_nothing(plane));
    EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_active: 0"));
    EXPECT_TRUE(shows(plane, "cluster.a.upstream_cx_connect_fail: 0"));
    EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_cancelled: 1"));
    EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "http.front.downstream_cx_active: 0"); }));
  }
}

TEST(Limits, a_tcp_client_that_breaks_off_while_its_connection_is_made_leaves_nothing_behind) {
  Plane plane;
  Deaf deaf;
  Snapshot snapshot;
  FilterChain chain;
  TcpProxyConfig tcp;
  tcp.stat_prefix = "a";
  tcp.clusters.push_back({.cluster = "a", .weight = 1, .request_headers = {}, .response_headers = {}});
  chain.filter = tcp;
  auto listener = std::make_shared<ListenerConfig>();
  listener->name = "front";
  listener->address = plane.front();
  listener->chains.push_back(std::move(chain));
  snapshot.listeners["front"] = std::move(listener);
  snapshot.clusters.put(std::make_shared<ClusterConfig>(never_connected(deaf)));
  ASSERT_TRUE(plane.apply(std::move(snapshot)));
  auto client = testing::run(plane.loop, net::connect(plane.loop, plane.front(), {}));
  ASSERT_TRUE(client);
  ASSERT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 1"); }));
  (*client)->close(true);
  EXPECT_TRUE(holds_nothing(plane));
  EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "listener.front.downstream_cx_active: 0"); }));
}

TEST(Limits, a_request_with_a_body_waits_no_longer_for_a_connection_than_its_answer_may_take) {
  Held held;
  auto& [plane, a, gate] = held;
  Route slow = route_to("/slow", "a"), quick = route_to("/", "a");
  std::get<ForwardAction>(quick.action).timeout = Milliseconds{100};
  ASSERT_TRUE(plane.apply(table_of({slow, quick}), {limited({a.address()}, 1)}));
  Asking first(plane, {.method = "GET", .path = "/slow", .authority = "test"});
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
  Asking second(plane, kPost);
  EXPECT_EQ(second.status(), 504);
  gate.open = true;
  EXPECT_EQ(first.status(), 200);
}

TEST(Limits, connections_from_before_a_limit_shrank_are_closed_or_end_with_their_request) {
  Held held;
  auto& [plane, a, gate] = held;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {limited({a.address()}, 100)}));
  std::vector<std::unique_ptr<Asking>> all;
  for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<Asking>(plane, kGet));
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 4; }));
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {limited({a.address()}, 2)}));
  gate.open = true;
  for (const auto& one : all) EXPECT_EQ(one->status(), 200);
  EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 2"); }));
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {limited({a.address()}, 1)}));
  EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 1"); }));
}

TEST(Limits, requests_are_counted_over_all_workers) {
  Held held(4);
  auto& [plane, a, gate] = held;
  ClusterConfig cluster = cluster_of("a", {a.address()});
  cluster.max_requests = 1;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  Asking first(plane, kGet);
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
  for (int i = 0; i < 24; ++i) {
    Asking other(plane, kGet);
    ASSERT_EQ(other.status(), 503) << "request " << i;
    EXPECT_EQ(other.response().head.headers.get("x-envoy-overloaded"), "true");
  }
  gate.open = true;
  EXPECT_EQ(first.status(), 200);
  for (int i = 0; i < 40; ++i) {
    Asking after(plane, kGet);
    ASSERT_EQ(after.status(), 200) << "a place is taken by a request that has its response: " << i;
  }
}

TEST(Limits, a_request_that_failed_is_not_counted_any_more_when_its_client_is_told) {
  Plane plane(4);
  ClusterConfig cluster = cluster_of("a", {});
  cluster.max_requests = 1;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster}));
  for (int i = 0; i < 100; ++i) {
    Asking one(plane, kGet);
    ASSERT_EQ(one.status(), 503);
    ASSERT_FALSE(one.response().head.headers.get("x-envoy-overloaded")) << i;
  }
}

TEST(Limits, a_destination_whose_connection_is_being_made_is_not_forgotten_for_others) {
  net::Loop loop;
  Upstream a(loop, "a");
  Random random;
  net::DnsResolver dns(loop);
  auto config = std::make_shared<ClusterConfig>();
  config->name = "passthrough";
  config->discovery = ClusterConfig::Discovery::kOriginalDestination;
  config->max_connections = 1;
  auto usage = std::make_shared<ClusterUsage>();
  auto cluster = std::make_shared<UpstreamCluster>(loop, random, dns, kernel_connector(0),
                                                   testing::compiled(config, usage));
  const auto take = [](UpstreamCluster& from, net::Address to, Lease& into) -> net::Task<void> {
    auto got = co_await from.lease({.original_destination = to});
    if (got) into = std::move(*got);
  };
  const auto dial = [](UpstreamCluster& from, net::Address to) -> net::Task<void> {
    static_cast<void>(co_await from.dial({.original_destination = to}));
  };
  Lease lease;
  net::TaskScope scope;
  scope.spawn(take(*cluster, a.address(), lease));
  ASSERT_FALSE(lease);
  for (int i = 0; i < 1100; ++i) {
    const std::string ip = "127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    scope.spawn(dial(*cluster, *net::Address::parse_ip(ip, 9)));
  }
  EXPECT_LE(cluster->endpoints().size(), 1024u);
  ASSERT_TRUE(run_until(loop, [&] { return static_cast<bool>(lease); }));
  const std::weak_ptr<EndpointPool> pool = lease.endpoint();
  ASSERT_TRUE(cluster->endpoints().contains(a.address().to_string()));
  lease.give_back();
  EXPECT_EQ(cluster->endpoints().at(a.address().to_string())->idle_connections(), 1u);
  cluster.reset();
  EXPECT_TRUE(pool.expired());
  EXPECT_EQ(usage->connections, 0u);
}

}  // namespace
}  // namespace weft::proxy
