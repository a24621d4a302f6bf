#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "proxy/filters/fault/fault_filter.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// Longer than what a string holds without the heap, so that a sanitizer sees a use after free.
const std::string kLongName = "outbound|8000||a-name-that-no-string-holds-inline.default.svc.cluster.local";

class LogFile {
 public:
  LogFile() {
    char path[] = "/tmp/weft-log-XXXXXX";
    ::close(::mkstemp(path));
    path_ = path;
  }
  ~LogFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

 private:
  std::string path_;
};

TEST(WhatARequestHolds, a_rejected_request_is_answered_by_the_server_s_name_after_its_listener_has_changed) {
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.server_name = "a-server-name-that-no-string-holds-inline";
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.read_until("a GET /").find("200 OK"), std::string::npos);
  plane.http.server_name = "another-server-name-that-no-string-holds";
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  client.write("GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.read_until("a GET /two").find("another-server-name"), std::string::npos);
  client.write("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  const std::string all = client.read_until("400 Bad Request");
  const std::string rejection = client.read_until("\r\n\r\nmore than one").substr(all.find("400 Bad"));
  EXPECT_NE(rejection.find("server: another-server-name-that-no-string-holds\r\n"), std::string::npos)
      << rejection;
}

TEST(WhatARequestHolds, new_limits_hold_from_the_request_after_the_one_that_met_their_listener) {
  Plane plane;
  Upstream a(plane.loop, "a");
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  const std::string long_field = "x: " + std::string(4'000, 'x') + "\r\n";
  client.write("GET /one HTTP/1.1\r\nHost: a\r\n" + long_field + "\r\n");
  client.read_until("a GET /one");
  plane.http.max_request_headers_bytes = 2'000;
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  client.write("GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("a GET /two");
  client.write("GET /three HTTP/1.1\r\nHost: a\r\n" + long_field + "\r\n");
  EXPECT_NE(client.read_until("HTTP/1.1 431").find("HTTP/1.1 431"), std::string::npos);
}

TEST(WhatARequestHolds, a_log_line_names_the_cluster_and_route_of_its_beginning_through_every_change) {
  Plane plane;
  Upstream a(plane.loop, "a"), b(plane.loop, "b");
  Gate gate(plane.loop, a);
  LogFile file;
  plane.http.access_logs.push_back(
      {.path = file.path(),
       .format = "%UPSTREAM_CLUSTER_RAW% %UPSTREAM_CLUSTER% %ROUTE_NAME% %UPSTREAM_HOST%\n",
       .only_with_flags = {}});
  plane.http.filters = {
      {"fault", fault_filter(Fault{.delay = Milliseconds{100}, .delays_per_million = 1'000'000})}};
  Route route = route_to("/", kLongName);
  route.name = "a route's name that no string holds inline";
  const auto apply = [&](bool both) {
    std::vector<net::Address> endpoints{a.address()};
    if (both) endpoints.push_back(b.address());
    ClusterConfig cluster = cluster_of(kLongName, endpoints);
    cluster.alt_stat_name = "stat;" + kLongName;
    return plane.apply(table_of({route}), {cluster});
  };
  ASSERT_TRUE(apply(false));
  Asking asking(plane, {.method = "GET", .path = "/", .authority = "test"});
  ASSERT_TRUE(run_until(
      plane.loop, [&] { return plane.stats().find("fault.delays_injected: 1\n") != std::string::npos; }));
  ASSERT_TRUE(apply(false));  // the request waits
  ASSERT_TRUE(run_until(plane.loop, [&] { return a.requests == 1; }));
  ASSERT_TRUE(apply(true));  // its endpoint works
  ASSERT_TRUE(apply(true));
  gate.open = true;
  EXPECT_EQ(asking.status(), 200);
  ASSERT_TRUE(run_until(plane.loop, [&] { return file.text().ends_with('\n'); }));
  EXPECT_EQ(file.text(), kLongName + " stat;" + kLongName + " " + std::string(route.name) + " " +
                             a.address().to_string() + "\n");
}

}  // namespace
}  // namespace weft::proxy
