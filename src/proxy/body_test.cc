#include <gtest/gtest.h>

#include "http/h1/client_connection.h"
#include "net/socket.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

Route route_with(std::optional<Milliseconds> timeout, std::optional<Milliseconds> idle_timeout = {}) {
  Route route = route_to("/", "a");
  std::get<ForwardAction>(route.action).timeout = timeout;
  std::get<ForwardAction>(route.action).idle_timeout = idle_timeout;
  return route;
}

/// A connection to the plane whose bytes the test writes and reads itself.
struct Client {
  explicit Client(Plane& owner) : plane(owner) {
    auto made = testing::run(plane.loop, net::connect(plane.loop, plane.front(), {}));
    WEFT_ASSERT(made.has_value());
    socket = std::move(*made);
  }
  bool send(std::string_view bytes) { return testing::run(plane.loop, socket->write(bytes)).ok(); }
  /// What comes until `until` has come, or the end.
  std::string receive(std::string_view until = {}) {
    std::string text;
    char block[65536];
    while (until.empty() || text.find(until) == std::string::npos) {
      const net::IoResult got = testing::run(plane.loop, socket->read(block));
      if (!got.ok()) return text + (got.error == net::IoError::kEnd ? "" : "<broken>");
      text.append(block, got.bytes);
    }
    return text;
  }
  Plane& plane;
  std::unique_ptr<net::Socket> socket;
};

net::Task<void> answer_at_once(http::ServerExchange& exchange) {
  static_cast<void>(co_await http::respond(exchange, 200, "text/plain", "early"));
}

net::Task<void> answer_then_read(http::ServerExchange& exchange, std::size_t& read) {
  co_await answer_at_once(exchange);
  for (;;) {
    const auto chunk = co_await exchange.read_body();
    if (!chunk) co_return;
    read += chunk->data.size();
    if (chunk->end) co_return;
  }
}

constexpr std::size_t kLarge = 8 * 1024 * 1024;

net::Task<Result<void>> upload(http::ClientExchange& exchange) {
  const std::string piece(64 * 1024, 'x');
  for (std::size_t sent = 0; sent < kLarge; sent += piece.size())
    WEFT_CO_CHECK(co_await exchange.send_body(piece, sent + piece.size() == kLarge));
  co_return Result<void>{};
}

net::Task<Result<void>> download(http::ClientExchange& exchange, std::string& into) {
  http::ResponseHead head;
  WEFT_CO_CHECK(co_await exchange.read_head(head));
  into = std::to_string(head.status) + " ";
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await exchange.read_body());
    into.append(chunk.data);
    if (chunk.end) co_return Result<void>{};
  }
}

net::Task<Result<void>> post(http::ClientExchange& exchange, bool chunked, std::string& into) {
  http::RequestHead head;
  head.method = "POST";
  head.path = "/";
  head.authority = "test";
  if (!chunked) head.content_length = kLarge;
  WEFT_CO_CHECK(co_await exchange.send_head(head, false));
  co_return co_await net::both(upload(exchange), download(exchange, into));
}

TEST(Body, E03_trailers_that_are_too_large_are_431) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  Client client(plane);
  ASSERT_TRUE(
      client.send("POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-a: " +
                  std::string(9000, 'a') + "\r\n\r\n"));
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 431 "));
}

TEST(Body, an_upload_that_is_answered_early_arrives_whole_and_its_connections_serve_the_next_request) {
  Plane plane;
  Upstream a(plane.loop, "a");
  std::size_t read = 0;
  a.answer = [&read](http::ServerExchange& exchange) { return answer_then_read(exchange, read); };
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  Client client(plane);
  http::h1::ClientConnection connection(std::move(client.socket));
  for (const bool chunked : {false, true}) {
    read = 0;
    std::string answer;
    const auto done = testing::run(plane.loop, post(connection.start(), chunked, answer));
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(answer, "200 early");
    EXPECT_TRUE(testing::run_until(plane.loop, [&] { return read == kLarge; })) << read;
    ASSERT_TRUE(connection.usable());
  }
  EXPECT_NE(plane.stats().find("cluster.a.upstream_cx_total: 1\n"), std::string::npos) << plane.stats();
}

TEST(Body, an_upload_to_a_server_that_answers_early_and_stops_reading_is_not_cut) {
  Plane plane;
  Upstream a(plane.loop, "a");
  a.answer = answer_at_once;
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  for (int i = 0; i < 5; ++i) {
    Client client(plane);
    http::h1::ClientConnection connection(std::move(client.socket));
    std::string answer;
    const auto done = testing::run(plane.loop, post(connection.start(), false, answer));
    EXPECT_TRUE(done) << done.error().text;
    EXPECT_EQ(answer, "200 early");
  }
}

net::Task<void> fail_later(http::ServerExchange& exchange, net::Loop& loop) {
  static_cast<void>(co_await http::read_all(exchange, 1000));
  co_await loop.sleep(150ms);
  static_cast<void>(co_await http::respond(exchange, 503, "text/plain", "later"));
}

TEST(Body, the_timeout_of_a_route_counts_once_over_all_tries_also_with_a_body) {
  Plane plane;
  Upstream a(plane.loop, "a");
  a.answer = [&plane](http::ServerExchange& exchange) { return fail_later(exchange, plane.loop); };
  Route route = route_with(Milliseconds{400});
  RetryPolicy policy;
  policy.five_xx = true;
  policy.retries = 10;
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  for (const std::string method : {"GET", "POST"}) {
    a.requests = 0;
    const TimePoint began = plane.loop.now();
    const auto response =
        plane.fetch({.method = method, .authority = "test", .body = method == "GET" ? "" : "abc"});
    ASSERT_TRUE(response) << response.error().text;
    EXPECT_EQ(response->head.status, 504) << method;
    EXPECT_GE(plane.loop.now() - began, 400ms);
    EXPECT_LE(a.requests, 4);
  }
}

TEST(Body, an_upload_that_keeps_coming_is_not_idle_and_one_that_stops_is_408) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0}, Milliseconds{1000})}),
                          {cluster_of("a", {a.address()})}));
  Client steady(plane);
  const std::string head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n";
  ASSERT_TRUE(steady.send(head));
  const TimePoint began = plane.loop.now();
  for (int i = 0; i < 20; ++i) {
    plane.loop.run_once(0ms);
    const auto pause = [](net::Loop& loop) -> net::Task<bool> {
      co_await loop.sleep(80ms);
      co_return true;
    };
    testing::run(plane.loop, pause(plane.loop));
    ASSERT_TRUE(steady.send("x"));
  }
  EXPECT_GE(plane.loop.now() - began, 1500ms);
  EXPECT_EQ(steady.receive("a POST /").substr(0, 12), "HTTP/1.1 200");
  Client stopping(plane);
  ASSERT_TRUE(stopping.send(head + "abc"));
  EXPECT_EQ(stopping.receive("stream timeout").substr(0, 12), "HTTP/1.1 408");
}

net::Task<void> switch_at_once(http::ServerExchange& exchange) {
  http::ResponseHead head;
  head.status = 101;
  head.upgrade = "chat";
  static_cast<void>(co_await exchange.send_head(head, false));
  static_cast<void>(co_await exchange.flush());
  exchange.upgrade();
}

/// But a WebSocket has none: decisions/0098.
TEST(Body, an_upgrade_with_a_body_is_sent_with_its_body) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.upgrades = {"chat"};
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  const std::string fields = "Host: test\r\nConnection: upgrade\r\nUpgrade: chat\r\n";
  for (const std::string_view body :
       {"Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
    Client client(plane);
    ASSERT_TRUE(client.send("POST / HTTP/1.1\r\n" + fields + std::string(body)));
    EXPECT_EQ(client.receive("a POST /").substr(0, 12), "HTTP/1.1 200");
    EXPECT_EQ(a.last_body, "hello");
    EXPECT_EQ(a.last.upgrade, "chat");
  }
  a.answer = switch_at_once;
  Client early(plane);
  ASSERT_TRUE(early.send("POST / HTTP/1.1\r\n" + fields + "Content-Length: 5\r\n\r\nhe"));
  EXPECT_EQ(early.receive("\r\n\r\n").substr(0, 12), "HTTP/1.1 502")
      << "switched before the request was whole";
}

net::Task<void> answer_after(http::ServerExchange& exchange, net::Loop& loop, Duration time) {
  co_await loop.sleep(time);
  co_await answer_at_once(exchange);
}

TEST(Body, a_client_that_ends_its_side_behind_its_last_request_is_answered) {
  Plane plane;
  Upstream a(plane.loop, "a");
  a.answer = [&plane](http::ServerExchange& exchange) { return answer_after(exchange, plane.loop, 50ms); };
  ASSERT_TRUE(plane.apply(table_of({route_with({})}), {cluster_of("a", {a.address()})}));
  Client last(plane);
  ASSERT_TRUE(last.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
  last.socket->shutdown_write();
  const std::string answer = last.receive();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
  EXPECT_TRUE(answer.ends_with("early")) << answer;
  a.answer = [&plane](http::ServerExchange& exchange) { return answer_after(exchange, plane.loop, 1h); };
  Client gone(plane);
  ASSERT_TRUE(gone.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
  while (a.requests < 2) plane.loop.run_once(10ms);
  gone.socket->shutdown_write();
  EXPECT_EQ(gone.receive(), "") << "an end in order, and no answer";
}

/// A server that says what the test tells it to, request by request.
struct Script {
  explicit Script(net::Loop& loop)
      : listener(std::move(*net::Listener::listen(loop, *net::Address::parse_ip("127.0.0.1", 0)))) {
    tasks.spawn(accept());
  }
  net::Task<void> accept() {
    for (;;) {
      auto socket = co_await listener->accept();
      if (!socket) co_return;
      ++connections;
      tasks.spawn(serve(std::move(*socket)));
    }
  }
  net::Task<void> serve(std::unique_ptr<net::Socket> socket) {
    for (std::string text;;) {
      char block[4096];
      const net::IoResult got = co_await socket->read(block);
      if (!got.ok()) co_return;
      text.append(block, got.bytes);
      if (text.find("\r\n\r\n") == std::string::npos) continue;
      const bool is_first = text.starts_with("GET /first");
      const std::string answer = is_first ? first : second;
      text.clear();
      if (!(co_await socket->write(answer)).ok()) co_return;
      if (is_first && !late.empty()) co_await socket->write(late);
    }
  }
  std::unique_ptr<net::Listener> listener;
  int connections = 0;
  std::string first, late, second = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
  net::TaskScope tasks;
};

std::string with_length(std::size_t whole) {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 00000000\r\n\r\n";
  std::string length = std::to_string(whole - text.size());
  length.insert(0, 8 - length.size(), '0');
  text.replace(text.find("00000000"), 8, length);
  return text + std::string(whole - text.size(), 'x');
}

TEST(Body, bytes_behind_an_answer_never_answer_the_next_request_wherever_they_wait) {
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
  for (const std::size_t size :
       {std::size_t{100}, std::size_t{16384}, std::size_t{32768}, std::size_t{4'000'000}}) {
    for (const bool at_once : {true, false}) {
      Plane plane;
      Script script(plane.loop);
      script.first = with_length(size) + (at_once ? evil : "");
      script.late = at_once ? "" : evil;
      ASSERT_TRUE(
          plane.apply(table_of({route_with({})}), {cluster_of("a", {script.listener->local_address()})}));
      Client slow(plane);
      ASSERT_TRUE(slow.send("GET /first HTTP/1.1\r\nHost: test\r\n\r\n"));
      // Everything that fits is on its way before the client reads.
      for (int turn = 0; turn < 50; ++turn) plane.loop.run_once(1ms);
      std::size_t got = 0;
      while (got < size) got += slow.receive("x").size();
      for (int i = 0; i < 3; ++i) EXPECT_EQ(plane.get("/second").body, "good") << size;
      EXPECT_EQ(script.connections, 2) << size;
    }
  }
}

TEST(Body, options_of_the_server_as_a_whole_goes_where_its_root_goes) {
  Plane plane;
  Upstream a(plane.loop, "a");
  Route route = route_with({});
  std::get<ForwardAction>(route.action).prefix_rewrite = "/moved/";
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  for (const std::string target : {"*", "http://test"}) {
    Client client(plane);
    ASSERT_TRUE(client.send("OPTIONS " + target + " HTTP/1.1\r\nHost: test\r\n\r\n"));
    EXPECT_EQ(client.receive("a OPTIONS *").substr(0, 12), "HTTP/1.1 200");
  }
}

TEST(Body, options_and_trace_go_no_further_than_they_may) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_with({})}), {cluster_of("a", {a.address()})}));
  const auto ask = [&plane](const std::string& method, const std::string& most) {
    http::Request request{.method = method, .authority = "test"};
    request.headers.add("max-forwards", most);
    const auto response = plane.fetch(std::move(request));
    return response ? response->head.status : 0;
  };
  EXPECT_EQ(ask("OPTIONS", "0"), 200);
  EXPECT_EQ(ask("TRACE", "0"), 405);
  EXPECT_EQ(a.requests, 0);
  EXPECT_EQ(ask("OPTIONS", "3"), 200);
  EXPECT_EQ(a.last.headers.get("max-forwards"), "2");
  EXPECT_EQ(ask("GET", "0"), 200);
  EXPECT_EQ(a.requests, 2);
}

}  // namespace
}  // namespace weft::proxy
