#include <gtest/gtest.h>

#include "proxy/testing/end_filter.h"
#include "proxy/testing/framed_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::Fields;

const Fields kResponse = {{":status", "200"}, {"content-type", "application/grpc"}};

class StreamIdle : public ::testing::Test, protected FramedPlane {
 protected:
  StreamIdle() {
    plane.http.filters = {{"end", [this] { return std::make_shared<const EndFilter>(seen); }}};
    plane.http.stream_idle_timeout = 5s;
  }
  /// A request that has no end yet, and the head of its response.
  void go_on_both_sides(Route route, const Fields& request) {
    begin(std::move(route));
    ask(request, false);
    pass();
    acknowledge_settings();
    respond(kResponse, false);
    pass();
  }

  std::string seen;
};

Route with_idle_timeout(Milliseconds time) {
  Route route = route_to("/", "a");
  std::get<ForwardAction>(route.action).idle_timeout = time;
  return route;
}

TEST_F(StreamIdle, a_response_that_goes_on_keeps_a_client_whose_request_has_no_end) {
  const std::pair<Route, Fields> rows[] = {{route_to("/", "a"), call_head()},
                                           {route_to("/", "a"), http::testing::post()},
                                           {with_idle_timeout(5s), call_head()},
                                           {with_idle_timeout(5s), http::testing::post()}};
  for (const auto& [route, request] : rows) {
    seen.clear();
    go_on_both_sides(route, request);
    for (int i = 0; i < 10; ++i) {
      respond_more("x", false);
      pass(1s);
    }
    EXPECT_FALSE(has(at_client(), "RST_STREAM"));
    pass(3s);
    EXPECT_EQ(seen, "");
    static_cast<void>(at_endpoint());
    pass(1s);
    EXPECT_EQ(seen, "200 SI stream_idle_timeout");
    EXPECT_TRUE(has(at_client(), "RST_STREAM 1"));
    EXPECT_TRUE(has(at_endpoint(), "RST_STREAM 1 CANCEL"));
  }
}

TEST_F(StreamIdle, the_same_of_http_1) {
  plane.accept = [this](const net::Address&, std::unique_ptr<SimulatedPlane::PipeEnd> end) -> Result<void> {
    endpoint = std::move(end);
    return {};
  };
  const auto write = [this](SimulatedPlane::PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(end.try_write(std::span(&part, 1)).bytes, bytes.size());
    pass();
  };
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)})}));
  client = plane.connect();
  write(*client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  write(*endpoint, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    write(*endpoint, "x");
    pass(1s);
  }
  EXPECT_TRUE(client->take().ends_with("\r\n\r\nxxxxxxxxxx"));
  pass(3s);
  EXPECT_EQ(seen, "");
  pass(1s);
  EXPECT_EQ(seen, "200 SI stream_idle_timeout");
}

TEST_F(StreamIdle, a_call_that_is_silent_behind_the_head_of_its_response_is_cut_in_time) {
  go_on_both_sides(route_to("/", "a"), call_head());
  pass(4s);
  EXPECT_EQ(seen, "");
  pass(1s);
  EXPECT_EQ(seen, "200 SI stream_idle_timeout");
}

}  // namespace
}  // namespace weft::proxy
