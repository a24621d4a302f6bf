#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/h1/client_connection.h"
#include "http/turns.h"
#include "net/socket.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

TEST(DataPlane, routes_by_path_and_answers_404_and_503_by_itself) {
  Plane plane;
  Upstream a(plane.loop, "a"), b(plane.loop, "b");
  ASSERT_TRUE(
      plane.apply(table_of({route_to("/a", "a"), route_to("/b", "b"), route_to("/none", "none"),
                            route_to("/empty", "empty")}),
                  {cluster_of("a", {a.address()}), cluster_of("b", {b.address()}), cluster_of("empty", {})}));
  EXPECT_EQ(plane.get("/a/x?y").body, "a GET /a/x?y");
  EXPECT_EQ(plane.get("/b").body, "b GET /b");
  const http::Response not_found = plane.get("/c");
  EXPECT_EQ(not_found.head.status, 404);
  EXPECT_EQ(not_found.body, "");
  EXPECT_EQ(plane.get("/none").head.status, 503);
  const http::Response nobody = plane.get("/empty");
  EXPECT_EQ(nobody.head.status, 503);
  EXPECT_EQ(nobody.body, "no healthy upstream");
}

TEST(DataPlane, puts_the_mesh_s_headers_on_requests_and_answers) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.tracing = true;
  plane.http.server_name = "istio-envoy";
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  const http::Response response = plane.get("/");
  EXPECT_EQ(response.head.headers.get("server"), "istio-envoy");
  EXPECT_TRUE(response.head.headers.get("x-envoy-upstream-service-time"));
  EXPECT_TRUE(response.head.headers.get("date"));
  EXPECT_EQ(a.last.headers.get("x-request-id")->size(), 36u);
  EXPECT_EQ(a.last.headers.get("x-forwarded-proto"), "http");
  EXPECT_EQ(a.last.headers.get("x-b3-traceid")->size(), 32u);
  EXPECT_EQ(a.last.headers.get("traceparent")->size(), 55u);
  EXPECT_EQ(a.last.authority, "test");
}

TEST(DataPlane, a_new_rule_holds_for_new_and_pooled_connections_on_every_worker_once_apply_is_done) {
  Plane plane(4);
  Upstream a(plane.loop, "a"), b(plane.loop, "b");
  const std::vector<ClusterConfig> clusters{cluster_of("a", {a.address()}), cluster_of("b", {b.address()})};
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), clusters));
  std::vector<std::unique_ptr<http::h1::ClientConnection>> pooled;
  for (int i = 0; i < 16; ++i) {
    auto socket = testing::run(plane.loop, net::connect(plane.loop, plane.front(), {}));
    ASSERT_TRUE(socket);
    pooled.push_back(std::make_unique<http::h1::ClientConnection>(std::move(*socket)));
  }
  const auto ask = [](http::ClientExchange& exchange) -> net::Task<Result<std::string>> {
    http::RequestHead head;
    head.method = "GET";
    head.path = "/";
    head.authority = "test";
    WEFT_CO_CHECK(co_await exchange.send_head(head, true));
    http::ResponseHead response;
    WEFT_CO_CHECK(co_await exchange.read_head(response));
    std::string body;
    while (!exchange.response_complete()) {
      WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange.read_body());
      body += chunk.data;
    }
    co_return body;
  };
  for (int flip = 0; flip < 20; ++flip) {
    const std::string name = flip % 2 ? "b" : "a";
    ASSERT_TRUE(plane.apply(table_of({route_to("/", name)}), clusters));
    EXPECT_EQ(plane.get("/").body, name + " GET /");
    for (auto& connection : pooled) {
      const auto body = testing::run(plane.loop, ask(connection->start()));
      ASSERT_TRUE(body) << body.error().text;
      ASSERT_EQ(*body, name + " GET /");
      ASSERT_TRUE(connection->usable());
    }
  }
}

TEST(DataPlane, a_configuration_that_cannot_be_put_in_force_leaves_the_old_one_running) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  Snapshot bad = *plane.server->current();
  auto listener = std::make_shared<ListenerConfig>(*bad.listeners["front"]);
  listener->name = "second";
  listener->address = a.address();  // taken by the upstream itself
  bad.listeners["second"] = listener;
  const Result<void> rejected = plane.apply(bad);
  ASSERT_FALSE(rejected);
  EXPECT_NE(rejected.error().text.find(a.address().to_string()), std::string::npos) << rejected.error().text;
  EXPECT_EQ(plane.get("/").body, "a GET /");
}

std::uint16_t free_port(net::Loop& loop) {
  auto listener = net::Listener::listen(loop, *net::Address::parse_ip("::", 0));
  return listener ? (*listener)->local_address().port() : 0;
}

TEST(DataPlane, what_waits_for_all_workers_ends_on_the_thread_that_asked) {
  Plane plane(4);
  std::atomic<int> asked = 0, ended_elsewhere = 0;
  struct Witness {
    std::thread::id home = std::this_thread::get_id();
    std::atomic<int>& elsewhere;
    ~Witness() { elsewhere += std::this_thread::get_id() != home; }
  };
  for (int i = 0; i < 2000; ++i) {
    const int before = asked;
    plane.server->flush_logs(
        [&asked, witness = std::make_shared<Witness>(Witness{.elsewhere = ended_elsewhere})] { ++asked; });
    ASSERT_TRUE(testing::run_until(plane.loop, [&] { return asked > before; }));
  }
  EXPECT_EQ(ended_elsewhere.load(), 0);
}

TEST(DataPlane, a_listener_of_the_same_address_takes_ipv4_from_the_change_on_that_says_so) {
  for (const unsigned workers : {1u, 2u}) {
    Plane plane(workers);
    Upstream a(plane.loop, "a");
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
    Snapshot next = *plane.server->current();
    const std::uint16_t port = free_port(plane.loop);
    const net::Address four = *net::Address::parse_ip("127.0.0.1", port);
    const net::Address six = *net::Address::parse_ip("::1", port);
    for (const bool compatible : {false, true, false}) {
      auto listener = std::make_shared<ListenerConfig>(*next.listeners["front"]);
      listener->name = "all";
      listener->address = *net::Address::parse_ip("::", port);
      listener->ipv4_compatible = compatible;
      next.listeners["all"] = listener;
      const Result<void> applied = plane.apply(next);
      ASSERT_TRUE(applied) << applied.error().text;
      EXPECT_TRUE(testing::run(plane.loop, net::connect(plane.loop, six, {}))) << compatible;
      EXPECT_EQ(testing::run(plane.loop, net::connect(plane.loop, four, {})).has_value(), compatible);
    }
  }
}

/// A plane of so many workers, and a port that its listeners are given.
struct Port {
  explicit Port(unsigned workers) : plane(workers) {
    EXPECT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
    next = *plane.server->current();
  }
  void listen(const std::string& name, bool bind_to_port = true) {
    auto listener = std::make_shared<ListenerConfig>(*next.listeners["front"]);
    listener->name = name;
    listener->address = address;
    listener->bind_to_port = bind_to_port;
    next.listeners[name] = listener;
  }
  bool answers() {
    const auto response = testing::run(
        plane.loop, http::fetch(plane.loop, address, {.method = "GET", .path = "/", .authority = "test"}));
    return response && response->head.status == 200;
  }

  Plane plane;
  Upstream a{plane.loop, "a"};
  net::Address address = *net::Address::parse_ip("127.0.0.1", free_port(plane.loop));
  Snapshot next;
};

TEST(DataPlane, an_address_goes_from_one_listener_to_another_in_one_update) {
  for (const unsigned workers : {1u, 2u}) {
    Port port(workers);
    for (const char* owner : {"one", "two", "another"}) {
      std::erase_if(port.next.listeners, [](const auto& entry) { return entry.first != "front"; });
      port.listen(owner);
      const Result<void> applied = port.plane.apply(port.next);
      ASSERT_TRUE(applied) << applied.error().text;
      EXPECT_TRUE(port.answers()) << owner;
    }
  }
}

TEST(DataPlane, an_address_that_two_listeners_have_is_rejected_and_the_first_goes_on) {
  for (const unsigned workers : {1u, 2u}) {
    Port port(workers);
    port.listen("one");
    ASSERT_TRUE(port.plane.apply(port.next));
    port.listen("two");
    const Result<void> rejected = port.plane.apply(port.next);
    ASSERT_FALSE(rejected);
    EXPECT_NE(rejected.error().text.find("of listener 'one' too"), std::string::npos)
        << rejected.error().text;
    EXPECT_TRUE(port.answers());
  }
}

TEST(DataPlane, a_listener_that_binds_no_port_any_more_accepts_nothing_until_it_does_again) {
  Port port(1);
  for (const bool bound : {true, false, true}) {
    port.listen("one", bound);
    ASSERT_TRUE(port.plane.apply(port.next));
    EXPECT_EQ(port.answers(), bound);
  }
}

TEST(DataPlane, a_refused_connection_goes_to_another_endpoint_and_is_503_uf_when_there_is_none) {
  Plane plane;
  Upstream a(plane.loop, "a"), gone(plane.loop, "gone");
  const net::Address nobody = gone.address();
  gone.stop();
  ASSERT_TRUE(plane.apply(table_of({route_to("/two", "two"), route_to("/one", "one")}),
                          {cluster_of("two", {nobody, a.address()}), cluster_of("one", {nobody})}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(plane.get("/two").head.status, 200);
  const http::Response response = plane.get("/one");
  EXPECT_EQ(response.head.status, 503);
  EXPECT_NE(response.body.find("connection failure"), std::string::npos);
}

TEST(DataPlane, an_endpoint_that_this_machine_cannot_connect_to_is_a_failed_connect_and_no_overflow) {
  Plane plane;
  Upstream a(plane.loop, "a");
  const net::Address unreachable = *net::Address::parse_ip("::1", 80);
  ClusterConfig one = cluster_of("one", {unreachable}), two = cluster_of("two", {unreachable, a.address()});
  // A source of the other family cannot be bound, as an address that the machine does not have.
  one.bind_sources = two.bind_sources = {*net::Address::parse_ip("127.0.0.1", 0)};
  ASSERT_TRUE(plane.apply(table_of({route_to("/one", "one"), route_to("/two", "two")}), {one, two}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(plane.get("/two").head.status, 200);
  const http::Response response = plane.get("/one");
  EXPECT_EQ(response.head.status, 503);
  EXPECT_NE(response.body.find("connection failure"), std::string::npos) << response.body;
  EXPECT_FALSE(response.head.headers.get("x-envoy-overloaded"));
}

TEST(DataPlane, a_body_goes_up_and_an_early_answer_comes_down_meanwhile) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  const auto posted =
      plane.fetch({.method = "POST", .path = "/up", .authority = "test", .body = std::string(300'000, 'x')});
  ASSERT_TRUE(posted) << posted.error().text;
  EXPECT_EQ(posted->body, "a POST /up");
  EXPECT_EQ(a.last_body.size(), 300'000u);
  a.answer = [](http::ServerExchange& exchange) -> net::Task<void> {
    static_cast<void>(co_await http::respond(exchange, 413, "text/plain", "no"));
  };
  const auto early =
      plane.fetch({.method = "POST", .path = "/up", .authority = "test", .body = std::string(30'000, 'x')});
  ASSERT_TRUE(early) << early.error().text;
  EXPECT_EQ(early->head.status, 413);
  EXPECT_EQ(early->body, "no");
}

TEST(DataPlane, a_slow_answer_is_504_and_counted) {
  Plane plane;
  Upstream a(plane.loop, "a");
  net::Loop& loop = plane.loop;
  a.answer = [&loop](http::ServerExchange&) -> net::Task<void> {
    return [](net::Loop& on) -> net::Task<void> { co_await on.sleep(30s); }(loop);
  };
  Route route = route_to("/", "a");
  std::get<ForwardAction>(route.action).timeout = Milliseconds{50};
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  const http::Response response = plane.get("/");
  EXPECT_EQ(response.head.status, 504);
  EXPECT_EQ(response.body, "upstream request timeout");
  const auto with_body = plane.fetch({.method = "POST", .path = "/", .authority = "test", .body = "x"});
  ASSERT_TRUE(with_body);
  EXPECT_EQ(with_body->head.status, 504);
  const std::string stats = plane.stats();
  EXPECT_NE(stats.find("cluster.a.upstream_rq_timeout: 2\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("http.front.downstream_rq_5xx: 2\n"), std::string::npos) << stats;
}

TEST(DataPlane, an_answer_that_no_endpoint_gave_is_counted_with_the_cluster_s) {
  Plane plane;
  Upstream gone(plane.loop, "gone"), silent(plane.loop, "silent");
  Gate gate(plane.loop, silent);
  const net::Address nobody = gone.address();
  gone.stop();
  ClusterConfig full = cluster_of("full", {silent.address()});
  full.max_requests = 0;
  Route slow = route_to("/slow", "slow");
  std::get<ForwardAction>(slow.action).timeout = Milliseconds{20};
  ASSERT_TRUE(plane.apply(table_of({route_to("/refused", "refused"), route_to("/empty", "empty"),
                                    route_to("/full", "full"), slow}),
                          {cluster_of("refused", {nobody}), cluster_of("empty", {}), full,
                           cluster_of("slow", {silent.address()})}));
  for (const std::string name : {"refused", "empty", "full", "slow"}) {
    EXPECT_GE(plane.get("/" + name).head.status, 503) << name;
    const std::string stats = plane.stats();
    EXPECT_NE(stats.find("cluster." + name + ".upstream_rq_5xx: 1\n"), std::string::npos) << stats;
  }
}

TEST(DataPlane, a_request_that_its_client_gave_up_counts_as_no_answer_of_the_cluster) {
  Plane plane;
  Upstream a(plane.loop, "a");
  Gate gate(plane.loop, a);
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  Asking asking(plane, {.method = "GET", .path = "/", .authority = "test"});
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
  asking.leave();
  ASSERT_TRUE(run_until(plane.loop, [&] {
    return plane.stats().find("cluster.a.upstream_rq_cancelled: 1\n") != std::string::npos;
  }));
  EXPECT_NE(plane.stats().find("cluster.a.upstream_rq_5xx: 0\n"), std::string::npos);
}

TEST(DataPlane, retries_by_the_route_s_policy_only) {
  Plane plane;
  Upstream a(plane.loop, "a");
  a.answer = [](http::ServerExchange& exchange) -> net::Task<void> {
    static_cast<void>(co_await http::respond(exchange, 503, "text/plain", "busy"));
  };
  Route plain = route_to("/plain", "a"), retried = route_to("/retried", "a");
  RetryPolicy policy;
  policy.five_xx = true;
  policy.retries = 3;
  policy.base_interval = Milliseconds{1};
  std::get<ForwardAction>(retried.action).retry = std::make_shared<const RetryPolicy>(policy);
  ASSERT_TRUE(plane.apply(table_of({plain, retried}), {cluster_of("a", {a.address()})}));
  EXPECT_EQ(plane.get("/plain").head.status, 503);
  EXPECT_EQ(a.requests, 1);
  EXPECT_EQ(plane.get("/retried").body, "busy");
  EXPECT_EQ(a.requests, 5);
}

TEST(DataPlane, a_try_after_a_failed_connect_goes_to_another_endpoint) {
  Plane plane;
  Upstream a(plane.loop, "a"), gone(plane.loop, "gone");
  const net::Address nobody = gone.address();
  gone.stop();
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.connect_failure = true;
  policy.retries = 1;
  policy.base_interval = Milliseconds{1};
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  ClusterConfig cluster = cluster_of("a", {a.address(), nobody});
  cluster.balance = ClusterConfig::Balance::kRandom;
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster}));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(plane.get("/").head.status, 200) << i;
}

TEST(DataPlane, redirects_answers_directly_and_changes_headers) {
  Plane plane;
  Upstream a(plane.loop, "a");
  Route redirect, direct, changed = route_to("/changed", "a");
  redirect.match.path.text = "/old/";
  RedirectAction to;
  to.prefix_rewrite = "/new/";
  to.status = 308;
  redirect.action = to;
  direct.match.path.text = "/direct";
  direct.action = DirectAction{418, "tea"};
  changed.request_headers.remove = {"x-secret"};
  changed.request_headers.add.push_back(
      {"x-route", "%REQ(:AUTHORITY)%%REQ(:PATH)%", HeaderChange::Action::kOverwriteOrAdd, false});
  std::get<ForwardAction>(changed.action).prefix_rewrite = "/base";
  std::get<ForwardAction>(changed.action).host_rewrite = "inside";
  ASSERT_TRUE(plane.apply(table_of({redirect, direct, changed}), {cluster_of("a", {a.address()})}));
  const http::Response moved = plane.get("/old/x?y=1");
  EXPECT_EQ(moved.head.status, 308);
  EXPECT_EQ(moved.head.headers.get("location"), "http://test/new/x?y=1");
  EXPECT_EQ(plane.get("/direct").body, "tea");
  http::Request request{.method = "GET", .path = "/changed/z", .authority = "test"};
  request.headers.add("X-Secret", "s");
  const auto response = plane.fetch(std::move(request));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "a GET /base/z");
  EXPECT_FALSE(a.last.headers.get("x-secret"));
  EXPECT_EQ(a.last.headers.get("x-route"), "test/changed/z") << "as the client asked";
  EXPECT_EQ(a.last.headers.get("x-envoy-original-path"), "/changed/z");
  EXPECT_EQ(a.last.authority, "inside");
  EXPECT_EQ(a.last.headers.get("x-envoy-original-host"), "test");
}

TEST(DataPlane, the_value_of_a_header_rule_has_the_bytes_that_came_and_the_field_is_left_out_without_any) {
  Plane plane;
  Upstream a(plane.loop, "a");
  Route route = route_to("/", "a");
  const auto rule = [&](std::string name, std::string value, bool keep_empty = false) {
    route.request_headers.add.push_back(
        {std::move(name), std::move(value), HeaderChange::Action::kOverwriteOrAdd, keep_empty});
  };
  rule("x-copy", "%REQ(x-word)%");
  rule("x-short", "%REQ(x-word):3%");
  rule("x-absent", "%REQ(x-none)%");
  rule("x-kept", "%REQ(x-none)%", true);
  rule("x-beside", "<%REQ(x-none)%>");
  rule("x-later", "%RESPONSE_DURATION%");
  rule("x-name", "%ROUTE_NAME%");
  route.name = "two\r\nlines: \"x\"";
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  http::Request request{.method = "GET", .path = "/", .authority = "test"};
  const std::string word = "a\"b\\c \xc3\xa4\tend";
  request.headers.add("X-Word", word);
  const auto response = plane.fetch(std::move(request));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 200);
  EXPECT_EQ(a.last.headers.get("x-copy"), word);
  EXPECT_EQ(a.last.headers.get("x-short"), "a\"b");
  EXPECT_FALSE(a.last.headers.get("x-absent"));
  EXPECT_EQ(a.last.headers.get("x-kept"), "");
  EXPECT_EQ(a.last.headers.get("x-beside"), "<>");
  EXPECT_FALSE(a.last.headers.get("x-later"));
  EXPECT_EQ(a.last.headers.get("x-name"), "two  lines: \"x\"");
}

TEST(DataPlane, a_host_for_one_cluster_of_several_goes_before_the_route_s) {
  Plane plane;
  Upstream a(plane.loop, "a");
  for (const char* of_cluster : {"", "a%41.example"}) {
    Route route = route_to("/", "a");
    auto& action = std::get<ForwardAction>(route.action);
    action.host_rewrite = "of-route";
    action.clusters[0].host_rewrite = of_cluster;
    action.clusters[0].request_headers.add.push_back(
        {"x-host", "%REQ(:AUTHORITY)%", HeaderChange::Action::kOverwriteOrAdd, false});
    ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
    EXPECT_EQ(plane.get("/").head.status, 200);
    EXPECT_EQ(a.last.authority, *of_cluster ? of_cluster : "of-route");
    EXPECT_EQ(a.last.headers.get("x-host"), "test");
  }
}

TEST(DataPlane, weights_are_kept_within_three_per_cent_of_the_requests) {
  Plane plane;
  Upstream a(plane.loop, "a"), b(plane.loop, "b");
  Route route = route_to("/", "a");
  auto& clusters = std::get<ForwardAction>(route.action).clusters;
  clusters[0].weight = 90;
  clusters.push_back({.cluster = "b", .weight = 10, .request_headers = {}, .response_headers = {}});
  ASSERT_TRUE(
      plane.apply(table_of({route}), {cluster_of("a", {a.address()}), cluster_of("b", {b.address()})}));
  // So many that a sound proxy is six standard deviations from failing.
  for (int i = 0; i < 4000; ++i) plane.get("/");
  EXPECT_NEAR(b.requests, 400, 4 * 3 * 9.5);
}

TEST(DataPlane, drains_by_waiting_for_the_open_request_and_then_takes_no_more) {
  Plane plane;
  Upstream a(plane.loop, "a");
  net::Loop& loop = plane.loop;
  bool release = false;
  a.answer = [&](http::ServerExchange& exchange) -> net::Task<void> {
    return [](http::ServerExchange& to, net::Loop& on, bool& go) -> net::Task<void> {
      while (!go) co_await on.sleep(1ms);
      static_cast<void>(co_await http::respond(to, 200, "text/plain", "late"));
    }(exchange, loop, release);
  };
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  std::optional<Result<http::Response>> answer;
  net::TaskScope scope;
  const auto ask = [](Plane& to, std::optional<Result<http::Response>>& into) -> net::Task<void> {
    into = co_await http::fetch(to.loop, to.front(), {.method = "GET", .path = "/", .authority = "test"});
  };
  scope.spawn(ask(plane, answer));
  while (a.requests == 0) loop.run_once(1s);
  int drained = 0;
  plane.server->drain(Milliseconds{3'600'000}, [&] { ++drained; });
  for (int i = 0; i < 20; ++i) loop.run_once(1ms);
  plane.server->drain(Milliseconds{3'600'000}, [&] { ++drained; });
  for (int i = 0; i < 20; ++i) loop.run_once(1ms);
  EXPECT_EQ(drained, 0);
  release = true;
  EXPECT_TRUE(testing::run_until(loop, [&] { return drained == 2; })) << drained;
  plane.server->drain(Milliseconds{3'600'000}, [&] { ++drained; });
  EXPECT_TRUE(testing::run_until(loop, [&] { return drained == 3; })) << drained;
  while (!answer) loop.run_once(1s);
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->body, "late");
}

TEST(DataPlane, a_drain_serves_what_waits_to_be_accepted) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
  std::vector<net::Fd> clients;
  for (unsigned i = 0; i < 3 * http::kConnectionsInATurn; ++i) {
    net::Fd& client = clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), plane.front().data(), plane.front().size()), 0);
    ASSERT_EQ(::send(client.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL), ssize_t{kRequest.size()});
  }
  bool drained = false;
  plane.server->drain(Milliseconds{3'600'000}, [&] { drained = true; });
  ASSERT_TRUE(testing::run_until(plane.loop, [&] { return drained; }));
  std::size_t served = 0;
  for (const net::Fd& client : clients) {
    char got[64] = {};
    const ssize_t bytes = ::recv(client.get(), got, sizeof got, 0);
    if (bytes > 0)
      served += std::string_view(got, static_cast<std::size_t>(bytes)).starts_with("HTTP/1.1 200 ");
  }
  EXPECT_EQ(served, clients.size());
}

std::shared_ptr<ListenerConfig> capturing_listener(const net::Address& at, Direction direction,
                                                   FilterChain chain) {
  auto listener = std::make_shared<ListenerConfig>();
  listener->name = "front";
  listener->address = at;
  listener->original_destination_filter = true;
  listener->direction = direction;
  listener->chains.push_back(std::move(chain));
  return listener;
}

/// The status of one request.
net::Task<Result<int>> ask(http::ClientExchange& exchange) {
  http::RequestHead head;
  head.method = "GET";
  head.path = "/";
  head.authority = "test";
  WEFT_CO_CHECK(co_await exchange.send_head(head, true));
  http::ResponseHead response;
  WEFT_CO_CHECK(co_await exchange.read_head(response));
  while (!exchange.response_complete()) WEFT_CO_CHECK(co_await exchange.read_body());
  co_return response.status;
}

TEST(DataPlane, taking_leave_answers_everything_and_ends_inbound_connections_with_their_next_answer) {
  for (const Direction direction : {Direction::kInbound, Direction::kOutbound}) {
    Plane plane;
    Upstream a(plane.loop, "a");
    Snapshot snapshot;
    FilterChain chain;
    chain.filter = plane.http;
    snapshot.listeners["front"] = capturing_listener(plane.front(), direction, std::move(chain));
    snapshot.route_tables["routes"] = std::make_shared<RouteTable>(table_of({route_to("/", "a")}));
    snapshot.clusters.put(std::make_shared<ClusterConfig>(cluster_of("a", {a.address()})));
    ASSERT_TRUE(plane.apply(std::move(snapshot)));
    plane.server->set_ready(true);
    auto socket = testing::run(plane.loop, net::connect(plane.loop, plane.front(), {}));
    ASSERT_TRUE(socket);
    http::h1::ClientConnection kept(std::move(*socket));
    ASSERT_TRUE(testing::run(plane.loop, ask(kept.start())));
    plane.server->begin_graceful_drain(DrainScope::kInbound);
    EXPECT_FALSE(plane.server->ready());
    std::optional<OpenWork> open;
    plane.server->count_open([&](OpenWork now) { open = now; });
    while (!open) plane.loop.run_once(1s);
    EXPECT_EQ(open->requests, 0u);
    EXPECT_EQ(open->connections, 1u) << "an idle connection stays: a request may be on its way";
    ASSERT_TRUE(kept.usable());
    const auto last = testing::run(plane.loop, ask(kept.start()));
    ASSERT_TRUE(last) << last.error().text;
    EXPECT_EQ(*last, 200);
    EXPECT_EQ(kept.usable(), direction == Direction::kOutbound);
    EXPECT_EQ(plane.get("/").head.status, 200) << "who comes now is answered too";
  }
}

TEST(DataPlane, a_connection_to_a_capturing_port_itself_is_closed_and_does_not_loop) {
  Plane plane;
  Snapshot snapshot;
  FilterChain chain;
  TcpProxyConfig tcp;
  tcp.stat_prefix = "passthrough";
  tcp.clusters.push_back(
      {.cluster = "passthrough", .weight = 1, .request_headers = {}, .response_headers = {}});
  chain.filter = tcp;
  snapshot.listeners["front"] = capturing_listener(plane.front(), Direction::kInbound, std::move(chain));
  ClusterConfig passthrough;
  passthrough.name = "passthrough";
  passthrough.discovery = ClusterConfig::Discovery::kOriginalDestination;
  passthrough.balance = ClusterConfig::Balance::kClusterProvided;
  snapshot.clusters.put(std::make_shared<ClusterConfig>(passthrough));
  ASSERT_TRUE(plane.apply(std::move(snapshot)));
  for (int i = 0; i < 10; ++i) {
    auto socket = testing::run(plane.loop, net::connect(plane.loop, plane.front(), {}));
    if (!socket) {  // the end came before this side had looked at the beginning
      EXPECT_NE(socket.error().code, Code::kTimeout) << socket.error().text;
      continue;
    }
    (*socket)->set_read_deadline(plane.loop.now() + 5s);
    char byte;
    const net::IoResult got = testing::run(plane.loop, (*socket)->read({&byte, 1}));
    EXPECT_TRUE(got.error == net::IoError::kReset || got.error == net::IoError::kEnd)
        << net::to_string(got.error);
  }
  const std::string stats = plane.stats();
  EXPECT_NE(stats.find("listener.front.downstream_cx_total: 10\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("listener.front.downstream_cx_to_itself: 10\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("listener.front.downstream_cx_active: 0\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("cluster.passthrough.upstream_cx_total: 0\n"), std::string::npos) << stats;
}

}  // namespace
}  // namespace weft::proxy
