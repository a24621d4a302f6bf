#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

bool shows(Plane& plane, const std::string& line) {
  return plane.stats().find(line + "\n") != std::string::npos;
}

Route route_with(Milliseconds timeout) {
  Route route = route_to("/", "a");
  std::get<ForwardAction>(route.action).timeout = timeout;
  return route;
}

/// As sidecars have it: no stream is idle for too long, and nothing of ours takes hours in a test.
void no_idle_limit(Plane& plane) {
  plane.http.stream_idle_timeout = Milliseconds{0};
  plane.http.stall_timeout = Milliseconds{300};
}

net::Task<void> fail_once_then_say_nothing(http::ServerExchange& exchange, net::Loop& loop, int requests) {
  static_cast<void>(co_await http::read_all(exchange, 1000));
  if (requests > 1) co_await loop.sleep(1h);
  static_cast<void>(co_await http::respond(exchange, 503, "text/plain", "first"));
}

TEST(RequestTime, a_try_after_one_that_was_answered_has_the_time_of_its_route) {
  Plane plane;
  Upstream a(plane.loop, "a");
  a.answer = [&](http::ServerExchange& exchange) {
    return fail_once_then_say_nothing(exchange, plane.loop, a.requests);
  };
  Route route = route_with(Milliseconds{500});
  RetryPolicy policy;
  policy.five_xx = true;
  policy.retries = 1;
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  for (const std::string_view body : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"}) {
    a.requests = 0;
    RawClient client(plane.loop, plane.front());
    client.write("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body));
    const std::string got = client.read_until("\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 504 ")) << got;
    EXPECT_EQ(a.requests, 2);
  }
}

net::Task<void> send_on_and_on(http::ServerExchange& exchange) {
  const std::string piece(64 * 1024, 'x');
  http::ResponseHead head;
  head.status = 200;
  Result<void> sent = co_await exchange.send_head(head, false);
  while (sent) sent = co_await exchange.send_body(piece, false);
  exchange.reset();
}

TEST(RequestTime, a_client_that_takes_nothing_is_cut_by_the_timeout_of_the_route_and_without_one_as_stalled) {
  for (const int timeout : {300, 0}) {
    Plane plane;
    no_idle_limit(plane);
    if (timeout) plane.http.stall_timeout = Milliseconds{3'600'000};
    Upstream a(plane.loop, "a");
    a.answer = send_on_and_on;
    ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{timeout})}), {cluster_of("a", {a.address()})}));
    RawClient client(plane.loop, plane.front());
    client.write("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
    EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 0"); }));
    EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_timeout: " + std::to_string(timeout ? 1 : 0)));
    EXPECT_TRUE(shows(plane, "cluster.a.upstream_rq_active: 0"));
  }
}

net::Task<void> send_two_events(http::ServerExchange& exchange, net::Loop& loop) {
  http::ResponseHead head;
  head.status = 200;
  Result<void> sent = co_await exchange.send_head(head, false);
  if (sent) sent = co_await exchange.send_body("one", false);
  co_await loop.sleep(1s);
  if (sent) sent = co_await exchange.send_body("two", true);
}

TEST(RequestTime, a_stream_of_events_in_which_nothing_waits_goes_on) {
  Plane plane;
  no_idle_limit(plane);
  Upstream a(plane.loop, "a");
  a.answer = [&](http::ServerExchange& exchange) { return send_two_events(exchange, plane.loop); };
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  client.write("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  const std::string got = client.read_until("two");
  EXPECT_NE(got.find("two"), std::string::npos) << got;
}

TEST(RequestTime, the_rest_of_a_body_is_not_waited_for_without_end) {
  Plane plane;
  no_idle_limit(plane);
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  client.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\nabc");
  const std::string got = client.read_until("\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 408 ")) << got;
}

net::Task<void> speak_websocket(http::ServerExchange& exchange) {
  http::ResponseHead head;
  head.status = 101;
  head.upgrade = "websocket";
  static_cast<void>(co_await exchange.send_head(head, false));
  static_cast<void>(co_await exchange.flush());
  net::Stream& stream = *exchange.upgrade().stream;
  char word[64];
  for (;;) {
    const net::IoResult got = co_await stream.read(word);
    if (!got.ok()) co_return;
    const bool flood = std::string_view(word, got.bytes).find("flood") != std::string_view::npos;
    const std::string text(flood ? 64 * 1024 : 4, '!');
    do {
      if (!(co_await stream.write(text)).ok()) co_return;
    } while (flood);
  }
}

net::Task<bool> wait_for(net::Loop& loop, Duration time) {
  co_await loop.sleep(time);
  co_return true;
}

TEST(RequestTime, a_tunnel_may_be_idle_but_not_hold_bytes_for_a_side_that_takes_none) {
  Plane plane;
  no_idle_limit(plane);
  plane.http.upgrades = {"websocket"};
  Upstream a(plane.loop, "a");
  a.answer = speak_websocket;
  ASSERT_TRUE(plane.apply(table_of({route_with(Milliseconds{0})}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  client.write("GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  ASSERT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  run(plane.loop, wait_for(plane.loop, 1s));
  client.write("ping");
  EXPECT_NE(client.read_until("!!!!").find("!!!!"), std::string::npos);
  client.write("flood");
  EXPECT_TRUE(run_until(plane.loop, [&] { return shows(plane, "cluster.a.upstream_cx_active: 0"); }));
}

}  // namespace
}  // namespace weft::proxy
