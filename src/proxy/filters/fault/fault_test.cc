#include <gtest/gtest.h>

#include "proxy/filters/fault/fault_filter.h"
#include "proxy/testing/plane.h"

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
