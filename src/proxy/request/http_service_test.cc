#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strings.h"
#include "net/socket.h"
#include "proxy/filters/fault/fault_filter.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// A server of one loop with the test that takes requests off its connections by hand.
class ByHand {
 public:
  explicit ByHand(net::Loop& loop) : loop_(loop) {
    listener_ = std::move(*net::make_listening_fd(*net::Address::parse_ip("127.0.0.1", 0)));
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    address_ = net::Address::from(reinterpret_cast<sockaddr*>(&bound), length);
  }
  const net::Address& address() const { return address_; }
  bool accept() {
    return run_until(loop_, [this] {
      connection_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      return connection_.get() >= 0;
    });
  }
  /// A whole head.
  bool take() {
    std::string got;
    return run_until(loop_, [&] {
      char bytes[4096];
      const ssize_t size = ::recv(connection_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (size > 0) got.append(bytes, static_cast<std::size_t>(size));
      return got.find("\r\n\r\n") != got.npos;
    });
  }
  void answer(std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
    ASSERT_EQ(::send(connection_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  void end() { connection_.reset(); }
  /// Somebody wants another connection.
  bool wanted() {
    const net::Fd next(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return next.get() >= 0;
  }

 private:
  net::Loop& loop_;
  net::Fd listener_, connection_;
  net::Address address_;
};

TEST(HttpService, what_a_server_took_is_not_sent_again_but_for_a_method_that_changes_nothing) {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "POST"}) {
    Plane plane;
    ByHand server(plane.loop);
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {server.address()})}));
    Asking first(plane, {.method = "GET", .path = "/", .authority = "test"});
    ASSERT_TRUE(server.accept() && server.take());
    server.answer();
    ASSERT_EQ(first.status(), 200);
    Asking second(plane, {.method = method, .path = "/", .authority = "test"});
    ASSERT_TRUE(server.take()) << "over the kept connection";
    server.end();
    if (std::string_view(method) == "GET" || std::string_view(method) == "HEAD") {
      EXPECT_TRUE(server.accept() && server.take()) << method << " is asked for once more";
      server.answer();
      EXPECT_EQ(second.status(), 200) << method;
      continue;
    }
    EXPECT_EQ(second.status(), 503) << method;
    EXPECT_FALSE(server.wanted()) << method << " would have been delivered twice";
  }
}

TEST(HttpService, a_response_that_breaks_the_grammar_is_a_gateway_error_to_retries) {
  for (const bool gateway_error : {true, false}) {
    Plane plane;
    ByHand server(plane.loop);
    Route route = route_to("/", "a");
    RetryPolicy policy;
    policy.gateway_error = gateway_error;
    policy.base_interval = Milliseconds{1};
    std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
    ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {server.address()})}));
    Asking asking(plane, {.method = "GET", .path = "/", .authority = "test"});
    ASSERT_TRUE(server.accept() && server.take());
    server.answer("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n");
    if (gateway_error) {
      ASSERT_TRUE(server.accept() && server.take());
      server.answer();
    }
    EXPECT_EQ(asking.status(), gateway_error ? 200 : 502);
  }
}

TEST(HttpService, an_upgrade_that_is_not_offered_here_is_ignored_and_a_list_is_looked_through) {
  Plane plane;
  Upstream a(plane.loop, "a");
  std::string upgrade;
  plane.http.upgrades = {"websocket"};
  a.answer = [&](http::ServerExchange& exchange) -> net::Task<void> {
    upgrade = exchange.request().upgrade;
    return [](http::ServerExchange& to) -> net::Task<void> {
      static_cast<void>(co_await http::respond(to, 200, "text/plain", "plain"));
    }(exchange);
  };
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"Upgrade: TLS/1.2", ""},
      {"Upgrade: h2c", ""},
      {"Upgrade: h2c, WebSocket", "WebSocket"},
      {"Upgrade: h2c\r\nUpgrade: websocket", "websocket"},
      {"Upgrade: , ,", ""},
      {"Upgrade: websocket/13", ""},
  };
  for (const auto& [field, want] : kCases) {
    RawClient client(plane.loop, plane.front());
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" + std::string(field) + "\r\n\r\n");
    EXPECT_NE(client.read_until("plain").find("200 OK"), std::string::npos) << field;
    EXPECT_EQ(upgrade, want) << field;
  }
}

TEST(HttpService, a_final_dot_in_the_host_is_the_same_name_and_goes_on_as_it_was_sent) {
  Plane plane;
  Upstream a(plane.loop, "a");
  RouteTable table = table_of({route_to("/", "a")});
  table.hosts.edit(0).domains = {"shop.example", "dotted.example.", "shop.example:81", "*.wild.example"};
  ASSERT_TRUE(plane.apply(table, {cluster_of("a", {a.address()})}));
  for (const char* host : {"shop.example", "shop.example.", "SHOP.example.", "shop.example.:81",
                           "dotted.example", "dotted.example.", "x.wild.example."}) {
    EXPECT_EQ(plane.get("/", host).head.status, 200) << host;
    EXPECT_EQ(a.last.authority, host);
  }
  for (const char* host : {"shop.example..", ".", "shop.example.:82"})
    EXPECT_EQ(plane.get("/", host).head.status, 404) << host;
}

TEST(HttpService, an_own_answer_of_304_tells_no_length_and_no_other_place) {
  Plane plane;
  Route route = route_to("/", "a");
  route.action = DirectAction{.status = 304, .body = {}};
  ASSERT_TRUE(plane.apply(table_of({route}), {}));
  RawClient client(plane.loop, plane.front());
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string got = client.read_until("connection: close");
  EXPECT_EQ(got.find("content-length"), std::string::npos) << got;
  EXPECT_EQ(got.find("location"), std::string::npos) << got;
  EXPECT_NE(got.find("304 Not Modified"), got.rfind("304 Not Modified")) << got;
}

TEST(HttpService, an_edge_does_not_take_an_https_target_from_who_came_without_tls) {
  Plane plane;
  Upstream a(plane.loop, "a");
  for (const bool edge : {true, false}) {
    plane.http.use_remote_address = edge;
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
    RawClient client(plane.loop, plane.front());
    client.write("GET HTTPS://b.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n");
    const std::string got = client.read_until("\r\n\r\n");
    EXPECT_TRUE(got.starts_with(edge ? "HTTP/1.1 403 " : "HTTP/1.1 200 ")) << got;
  }
  EXPECT_EQ(a.last.headers.get("x-forwarded-proto"), "http");
}

TEST(HttpService, its_own_responses_have_the_header_rules_of_route_host_and_table) {
  const HeaderChange route_rule{"x-rules", "route", HeaderChange::Action::kAppend, false};
  HeaderChange host_rule = route_rule, table_rule = route_rule;
  host_rule.value = "host";
  table_rule.value = "table";
  RedirectAction elsewhere;
  elsewhere.host = "elsewhere";
  Route redirect, direct;
  redirect.match.path.text = "/old";
  redirect.action = elsewhere;
  direct.match.path.text = "/direct";
  direct.action = DirectAction{.status = 200, .body = "here"};
  redirect.response_headers.add = direct.response_headers.add = {route_rule};
  RouteTable table = table_of({redirect, direct});
  table.hosts.edit(0).response_headers.add = {host_rule};
  table.response_headers.add = {table_rule};
  Plane plane;
  Route refused = route_to("/refused", "gone"), nowhere = route_to("/nowhere", "missing"),
        faulty = route_to("/faulty", "gone");
  faulty.filters = {{"fault", fault_filter(Fault{.abort_status = 418, .aborts_per_million = 1'000'000})}};
  refused.response_headers.add = nowhere.response_headers.add = faulty.response_headers.add = {route_rule};
  std::vector<Route>& routes = table.hosts.edit(0).routes;
  routes.insert(routes.end(), {refused, nowhere, faulty});
  plane.http.filters = {{"fault", fault_filter(Fault{})}};
  const auto nobody = *net::Address::parse_ip("127.0.0.1", 1);
  for (const bool to_tls : {false, true}) {
    table.hosts.edit(0).require_tls = to_tls;
    ASSERT_TRUE(plane.apply(table, {cluster_of("gone", {nobody})}));
    for (const auto& [path, status] :
         {std::pair{"/old", 301}, {"/direct", 200}, {"/refused", 503}, {"/nowhere", 503}, {"/faulty", 418}}) {
      std::vector<std::string> rules;
      const http::Response response = plane.get(path);
      if (!to_tls) EXPECT_EQ(response.head.status, status) << path;
      for (const http::Headers::Field field : response.head.headers)
        if (field.name == "x-rules") rules.emplace_back(field.value);
      // On the way to TLS nothing is said that only TLS may say.
      const bool all = !to_tls || path == std::string("/faulty");
      EXPECT_EQ(rules,
                all ? (std::vector<std::string>{"route", "host", "table"}) : std::vector<std::string>{})
          << path << to_tls;
    }
  }
}

TEST(HttpService, a_direct_response_has_the_content_type_that_a_rule_gives_it_and_else_plain_text) {
  Plane plane;
  Route typed, plain;
  typed.match.path.text = "/typed";
  typed.action = plain.action = DirectAction{.status = 200, .body = "{}"};
  typed.response_headers.add = {{"content-type", "application/json", HeaderChange::Action::kAppend, false}};
  ASSERT_TRUE(plane.apply(table_of({typed, plain}), {}));
  for (const auto& [path, want] : {std::pair{"/typed", "application/json"}, {"/plain", "text/plain"}}) {
    const http::Response response = plane.get(path);
    std::vector<std::string> types;
    for (const http::Headers::Field field : response.head.headers)
      if (field.name == "content-type") types.emplace_back(field.value);
    EXPECT_EQ(types, std::vector<std::string>{want}) << path;
  }
}

TEST(HttpService, who_came_with_tls_to_a_trusted_hop_is_not_sent_to_tls_again_and_matches_https) {
  Plane plane;
  plane.http.use_remote_address = true;
  Route secure = route_to("/", "a");
  HeaderMatch scheme;
  scheme.name = ":scheme";
  scheme.match.text = "https";
  secure.match.headers = {scheme};
  secure.action = DirectAction{.status = 200, .body = "secure"};
  Route other = route_to("/", "a");
  RedirectAction elsewhere;
  elsewhere.path = "/elsewhere";
  other.action = elsewhere;
  RouteTable table = table_of({secure, other});
  table.hosts.edit(0).require_tls = true;
  for (const auto& [trusted_hops, proto, status] :
       {std::tuple{1u, "https", 200}, {1u, "http", 301}, {0u, "https", 301}, {1u, "https, http", 301}}) {
    plane.http.trusted_hops = trusted_hops;
    ASSERT_TRUE(plane.apply(table, {}));
    http::Request request{.method = "GET", .path = "/", .authority = "test"};
    for (const std::string_view each : split(proto, ','))
      request.headers.add("X-Forwarded-Proto", trim(each));
    const auto response = plane.fetch(std::move(request));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->head.status, status) << trusted_hops << proto;
    if (status == 301) EXPECT_EQ(response->head.headers.get("location"), "https://test/");
  }
}

TEST(HttpService, a_field_that_is_sent_twice_gets_by_no_match_of_one_of_its_values) {
  Plane plane;
  Upstream a(plane.loop, "a");
  const auto guard = [](bool invert) {
    Route route = route_to("/", "a");
    HeaderMatch user;
    user.name = "x-user";
    user.match.text = "mallory";
    user.invert = invert;
    route.match.headers = {user};
    route.action = DirectAction{.status = 403, .body = {}};
    return route;
  };
  for (const auto& [invert, fields, status] : {std::tuple{false, "x-user: mallory\r\nx-user: a\r\n", 403},
                                               {false, "x-user: a\r\nX-User: mallory\r\n", 403},
                                               {false, "x-user: a\r\nx-user: b\r\n", 200},
                                               {true, "x-user: mallory\r\nx-user: a\r\n", 200},
                                               {true, "x-user: a\r\nx-user: b\r\n", 403},
                                               {true, "", 200}}) {
    ASSERT_TRUE(plane.apply(table_of({guard(invert), route_to("/", "a")}), {cluster_of("a", {a.address()})}));
    RawClient client(plane.loop, plane.front());
    client.write(std::string("GET / HTTP/1.1\r\nHost: a\r\n") + fields + "\r\n");
    const std::string got = client.read_until("\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(status))) << invert << ' ' << fields << got;
  }
}

TEST(HttpService, an_upgrade_and_a_length_are_seen_by_matches_and_operators) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.upgrades = {"chat"};
  const auto rule = [](std::string name, std::string value, int status) {
    Route route = route_to("/", "a");
    HeaderMatch match;
    match.name = std::move(name);
    match.match.text = std::move(value);
    route.match.headers = {match};
    route.action = DirectAction{.status = status, .body = {}};
    return route;
  };
  RouteTable table =
      table_of({rule("upgrade", "forbidden", 403), rule("content-length", "5", 413), route_to("/", "a")});
  HeaderChange saw;
  saw.name = "x-saw";
  saw.value = "%REQ(UPGRADE)% %REQ(CONTENT-LENGTH)%";
  table.request_headers.add = {saw};
  ASSERT_TRUE(plane.apply(table, {cluster_of("a", {a.address()})}));
  for (const auto& [rest, status] :
       {std::pair{"Connection: upgrade\r\nUpgrade: forbidden\r\n\r\n", 403},
        {"Content-Length: 5\r\n\r\nhello", 413},
        {"Connection: upgrade\r\nUpgrade: chat\r\nContent-Length: 6\r\n\r\nhello!", 200}}) {
    RawClient client(plane.loop, plane.front());
    client.write(std::string("POST / HTTP/1.1\r\nHost: a\r\n") + rest);
    const std::string got = client.read_until("\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(status))) << rest << got;
  }
  EXPECT_EQ(a.last.headers.get("x-saw"), "chat 6");
}

TEST(HttpService, a_request_that_does_not_come_whole_in_time_is_408) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.request_timeout = Milliseconds{200};
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
  const std::string got = client.read_until("request timeout");
  EXPECT_NE(got.find("408 Request Timeout"), std::string::npos) << got;
  EXPECT_NE(plane.stats().find("http.front.downstream_rq_timeout: 1\n"), std::string::npos);
  EXPECT_EQ(plane.get("/").head.status, 200);
}

}  // namespace
}  // namespace weft::proxy
