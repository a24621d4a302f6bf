#include <gtest/gtest.h>

#include "proxy/filters/fault/fault_filter.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr std::uint32_t kAlways = 1'000'000;

Route with_fault(Fault fault) {
  Route route = route_to("/", "a");
  route.filters = {{"fault", fault_filter(fault)}};
  return route;
}

TEST(Fault, aborts_by_the_route_s_share_and_asks_no_endpoint_then) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.filters = {{"fault", fault_filter(Fault{})}};
  ASSERT_TRUE(plane.apply(table_of({with_fault({.abort_status = 555, .aborts_per_million = kAlways})}),
                          {cluster_of("a", {a.address()})}));
  const http::Response response = plane.get("/");
  EXPECT_EQ(response.head.status, 555);
  EXPECT_EQ(response.body, "fault filter abort");
  EXPECT_EQ(a.requests, 0);
  ASSERT_TRUE(plane.apply(table_of({with_fault({.abort_status = 500, .aborts_per_million = kAlways / 4})}),
                          {cluster_of("a", {a.address()})}));
  int aborted = 0;
  for (int i = 0; i < 400; ++i) aborted += plane.get("/").head.status == 500;
  // Four standard deviations of 400 draws at a quarter.
  EXPECT_NEAR(aborted, 100, 35);
  EXPECT_EQ(a.requests, 400 - aborted);
  EXPECT_NE(plane.stats().find("http.front.fault.aborts_injected: " + std::to_string(aborted + 1) + "\n"),
            std::string::npos);
}

std::string reply_to(SimulatedPlane& plane, std::string_view fields) {
  const auto client = plane.connect();
  const std::string request =
      "POST /s/M HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n";
  const iovec part{const_cast<char*>(request.data()), request.size()};
  client->try_write({&part, 1});
  plane.loop().settle();
  return client->take();
}

TEST(Fault, to_a_call_an_abort_is_a_status_of_grpc_and_to_other_requests_one_of_http) {
  constexpr std::string_view kCall = "Content-Type: application/grpc\r\n";
  struct Row {
    int status;
    std::optional<int> grpc_status;
    std::string call, other;
  };
  for (const Row& row : {Row{200, 8, "grpc-status: 8\r\n", "HTTP/1.1 200 "},
                         Row{200, 0, "grpc-status: 0\r\n", "HTTP/1.1 200 "},
                         Row{404, {}, "grpc-status: 12\r\n", "HTTP/1.1 404 "}}) {
    SimulatedPlane plane;
    plane.http.filters = {{"fault", fault_filter({.abort_status = row.status,
                                                  .abort_grpc_status = row.grpc_status,
                                                  .aborts_per_million = kAlways})}};
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {})}));
    const std::string to_call = reply_to(plane, kCall), to_other = reply_to(plane, "");
    EXPECT_TRUE(to_call.starts_with("HTTP/1.1 200 ")) << to_call;
    EXPECT_NE(to_call.find(row.call), std::string::npos) << to_call;
    EXPECT_NE(to_call.find("grpc-message: fault filter abort\r\n"), std::string::npos) << to_call;
    EXPECT_TRUE(to_call.ends_with("\r\n\r\n")) << "there is no body: " << to_call;
    EXPECT_TRUE(to_other.starts_with(row.other)) << to_other;
    EXPECT_TRUE(to_other.ends_with("fault filter abort")) << to_other;
    EXPECT_EQ(to_other.find("grpc-status"), std::string::npos) << to_other;
  }
}

TEST(Fault, delays_before_the_route_s_timeout_begins) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.filters = {{"fault", fault_filter(Fault{})}};
  Route route = with_fault({.delay = Milliseconds{300}, .delays_per_million = kAlways});
  std::get<ForwardAction>(route.action).timeout = Milliseconds{200};
  ASSERT_TRUE(plane.apply(table_of({route}), {cluster_of("a", {a.address()})}));
  const TimePoint began = plane.loop.now();
  EXPECT_EQ(plane.get("/").head.status, 200);
  EXPECT_GE(plane.loop.now() - began, 300ms);
  EXPECT_NE(plane.stats().find("http.front.fault.delays_injected: 1\n"), std::string::npos);
}

TEST(Fault,
     says_nothing_where_the_listener_has_no_such_filter_and_the_listener_s_own_holds_for_silent_routes) {
  Plane plane;
  Upstream a(plane.loop, "a");
  const Fault fault{.abort_status = 500, .aborts_per_million = kAlways};
  ASSERT_TRUE(plane.apply(table_of({with_fault(fault)}), {cluster_of("a", {a.address()})}));
  EXPECT_EQ(plane.get("/").head.status, 200);
  plane.http.filters = {{"fault", fault_filter(fault)}};
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  EXPECT_EQ(plane.get("/").head.status, 500);
}

TEST(Fault, a_client_that_leaves_ends_the_delay) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.filters = {{"fault", fault_filter(Fault{})}};
  ASSERT_TRUE(
      plane.apply(table_of({with_fault({.delay = Milliseconds{3'600'000}, .delays_per_million = kAlways})}),
                  {cluster_of("a", {a.address()})}));
  {
    net::TaskScope scope;
    const auto ask = [](Plane& to) -> net::Task<void> {
      static_cast<void>(
          co_await http::fetch(to.loop, to.front(), {.method = "GET", .path = "/", .authority = "test"}));
    };
    scope.spawn(ask(plane));
    while (plane.stats().find("http.front.downstream_rq_active: 1\n") == std::string::npos)
      plane.loop.run_once(1ms);
  }
  while (plane.stats().find("http.front.downstream_rq_active: 0\n") == std::string::npos)
    plane.loop.run_once(1ms);
  EXPECT_EQ(a.requests, 0);
}

}  // namespace
}  // namespace weft::proxy
