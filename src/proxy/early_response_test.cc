#include <gtest/gtest.h>

#include "proxy/testing/pairings.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// Endpoints whose response is complete before they read the request, of which they then read a piece in each
/// `pause`; the way to them holds little.
class EarlyResponses : public ::testing::TestWithParam<Pairing> {
 protected:
  static constexpr std::size_t kSize = 400'000, kRoom = 16 * 1024;

  EarlyResponses() : mesh(GetParam().endpoint) {
    mesh.options.http2.stream_window = kRoom;
    mesh.plane.pipe_capacity = kRoom;
    mesh.handler = [this](http::ServerExchange& exchange) { return serve(exchange); };
    mesh.apply(GetParam().spoken());
  }
  net::Task<void> serve(http::ServerExchange& exchange) {
    http::ResponseHead head;
    head.status = 200;
    head.content_length = 0;
    if (!co_await exchange.send_head(head, true)) co_return;
    while (!exchange.request_complete()) {
      co_await mesh.plane.loop().sleep(pause);
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return;
      read += chunk->data.size();
    }
  }
  std::uint64_t active() { return mesh.plane.stat("http.front.downstream_rq_active"); }
  static Message upload() {
    Message request = get("/");
    request.head.method = "POST";
    request.body = std::string(kSize, 'x');
    return request;
  }
  Mesh mesh;
  Duration pause = 2s;
  std::size_t read = 0;
};
INSTANTIATE_TEST_SUITE_P(Http, EarlyResponses, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(EarlyResponses, an_upload_goes_on_however_slowly_it_moves) {
  HttpCall call(mesh.client(GetParam().client), upload());
  mesh.settle(1s);
  EXPECT_EQ(call.status(), 200);
  mesh.settle(10min);
  EXPECT_EQ(read, kSize);
  EXPECT_TRUE(call.done());
  EXPECT_FALSE(call.error);
}

TEST_P(EarlyResponses, an_upload_that_stands_still_ends_with_the_seconds_that_are_left_to_it) {
  pause = 1h;
  const HttpCall call(mesh.client(GetParam().client), upload());
  mesh.settle(4s);
  EXPECT_EQ(active(), 1u);
  mesh.settle(2s);
  EXPECT_EQ(active(), 0u);
}

TEST_P(EarlyResponses, an_upload_ends_when_the_time_of_its_exchange_does_however_it_moves) {
  std::get<ForwardAction>(mesh.route.action).max_duration = Milliseconds(10'000);
  mesh.apply(GetParam().spoken());
  const HttpCall call(mesh.client(GetParam().client), upload());
  mesh.settle(9s);
  EXPECT_EQ(active(), 1u);
  mesh.settle(5s);
  EXPECT_EQ(active(), 0u);
}

net::Task<void> begin_upload(http::ClientExchange& exchange) {
  http::RequestHead head = get("/").head;
  head.method = "POST";
  if (co_await exchange.send_head(head, false)) static_cast<void>(co_await exchange.send_body("some", false));
}

TEST_P(EarlyResponses, a_client_that_sends_no_more_behind_its_response_holds_nothing_for_longer) {
  pause = 1ms;
  http::ClientSession& session = mesh.client(GetParam().client);
  net::TaskScope tasks;
  tasks.spawn(begin_upload(session.start()));
  mesh.settle(4s);
  EXPECT_EQ(read, 4u);
  EXPECT_EQ(active(), 1u);
  mesh.settle(2s);
  EXPECT_EQ(active(), 0u);
}

}  // namespace
}  // namespace weft::proxy
