#include <gtest/gtest.h>

#include "proxy/testing/counting_upstream.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// Names of fields have no letter case (RFC 9110 §5.1); programs that look at theirs all the same exist.
TEST(FieldNames, the_letter_case_of_http_1_is_kept_in_both_directions) {
  SimulatedPlane plane;
  CountingUpstream upstream(plane);
  upstream.reply = [](const SeenRequest&) {
    return "HTTP/1.1 200 OK\r\nX-RePly: 1\r\nETag: a\r\nwww-Authenticate: x\r\nContent-Length: 0\r\n\r\n";
  };
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)})}));
  const auto client = plane.connect();
  send(*client,
       "GET / HTTP/1.1\r\nHost: test\r\nX-MiXed: 1\r\nUSER-agent: me\r\nx-low: 2\r\nCOOKIE: a=b\r\n\r\n");
  plane.loop().advance(1ms);
  for (const std::string_view line : {"X-MiXed: 1", "USER-agent: me", "x-low: 2", "COOKIE: a=b"})
    EXPECT_NE(upstream.raw().find("\r\n" + std::string(line) + "\r\n"), std::string::npos) << upstream.raw();
  const std::string response = client->take();
  for (const std::string_view line : {"X-RePly: 1", "ETag: a", "www-Authenticate: x"})
    EXPECT_NE(response.find("\r\n" + std::string(line) + "\r\n"), std::string::npos) << response;
}

}  // namespace
}  // namespace weft::proxy
