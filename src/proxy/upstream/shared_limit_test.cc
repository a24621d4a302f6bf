#include <gtest/gtest.h>

#include "proxy/testing/http_call.h"
#include "proxy/testing/mesh.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// Endpoints of both versions; they never respond to "/slow".
class SharedLimit : public ::testing::Test {
 protected:
  SharedLimit() {
    mesh.options.http2.max_concurrent_streams = 2;
    mesh.handler = [&loop = mesh.plane.loop()](http::ServerExchange& exchange) -> net::Task<void> {
      while (exchange.request().path == "/slow") co_await loop.sleep(24h);
      co_await Mesh::echo(exchange);
    };
    std::get<ForwardAction>(mesh.route.action).timeout = Milliseconds{0};
  }
  void apply(Spoken spoken, std::uint32_t max_connections, int endpoints = 1) {
    mesh.apply(spoken, [&](ClusterConfig& cluster) {
      std::vector<net::Address> addresses;
      for (int i = 1; i <= endpoints; ++i) addresses.push_back(simulated_endpoint(i));
      cluster.endpoints = cluster_of("a", std::move(addresses)).endpoints;
      cluster.max_connections = max_connections;
    });
  }
  HttpCall& call(Protocol protocol, const std::string& path) {
    HttpCall& made = calls.emplace_back(mesh.client(protocol), get(path));
    mesh.settle();
    return made;
  }
  /// So many requests at once; what is connected to meanwhile says nothing and is returned.
  std::vector<std::unique_ptr<PipeEnd>> ask_a_silent_server(int requests) {
    std::vector<std::unique_ptr<PipeEnd>> silent;
    const auto accept = std::exchange(
        mesh.plane.accept, [&](const net::Address&, std::unique_ptr<PipeEnd> server) -> Result<void> {
          silent.push_back(std::move(server));
          return {};
        });
    apply(Spoken::kHttp2, 100);
    http::ClientSession& client = mesh.client(Protocol::kHttp2);
    for (int i = 0; i < requests; ++i) calls.emplace_back(client, get("/"));
    mesh.settle(10ms);
    mesh.plane.accept = accept;
    return silent;
  }
  std::uint64_t stat(const std::string& name) { return mesh.plane.stat("cluster.a." + name); }

  Mesh mesh{Protocol::kAuto};
  std::list<HttpCall> calls;
};

TEST_F(SharedLimit, an_idle_connection_of_the_other_version_gives_its_place_away) {
  for (const auto& [one, other] :
       {std::pair{Protocol::kHttp1, Protocol::kHttp2}, std::pair{Protocol::kHttp2, Protocol::kHttp1}}) {
    apply(Spoken::kAsDownstream, 1);
    EXPECT_EQ(call(one, "/").status(), 200);
    EXPECT_EQ(call(other, "/").status(), 200);
    EXPECT_EQ(stat("upstream_cx_active"), 1u);
  }
}

TEST_F(SharedLimit, a_connection_in_use_of_the_other_version_keeps_no_request_waiting) {
  for (const auto& [one, other] :
       {std::pair{Protocol::kHttp1, Protocol::kHttp2}, std::pair{Protocol::kHttp2, Protocol::kHttp1}}) {
    apply(Spoken::kAsDownstream, 1);
    HttpCall& slow = call(one, "/slow");
    EXPECT_EQ(call(other, "/").status(), 200);
    EXPECT_LE(stat("upstream_cx_active"), 2u) << "one beyond the limit, of each version";
    slow.cancel();
    mesh.settle(1ms);
  }
}

TEST_F(SharedLimit, who_waits_for_a_connection_of_one_version_holds_up_no_stream_of_the_other) {
  apply(Spoken::kAsDownstream, 1);
  call(Protocol::kHttp2, "/slow");
  call(Protocol::kHttp1, "/slow");
  HttpCall& waits = call(Protocol::kHttp1, "/");
  EXPECT_EQ(stat("upstream_rq_pending_active"), 1u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(Protocol::kHttp2, "/").status(), 200) << i;
  EXPECT_FALSE(waits.done());
}

TEST_F(SharedLimit, a_request_that_draws_an_endpoint_without_a_stream_left_goes_to_one_that_has_one) {
  apply(Spoken::kHttp2, 2, 2);
  std::vector<HttpCall*> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(&call(Protocol::kHttp2, "/slow"));
  ASSERT_EQ(mesh.connections.size(), 2u);
  slow[1]->cancel();
  mesh.settle(1ms);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(call(Protocol::kHttp2, "/").status(), 200) << i;
  EXPECT_EQ(stat("upstream_rq_pending_active"), 0u);
}

TEST_F(SharedLimit, an_endpoint_that_cannot_be_reached_draws_no_request_that_could_wait_for_another) {
  for (const Protocol each : {Protocol::kHttp1, Protocol::kHttp2}) {
    mesh.options.http2.max_concurrent_streams = 1;
    mesh.rejects = true;
    apply(each == Protocol::kHttp2 ? Spoken::kHttp2 : Spoken::kHttp1, 1, 2);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(call(each, "/").status(), 503);
    mesh.rejects = false;
    HttpCall* slow = nullptr;
    for (int i = 0; i < 4 && stat("upstream_cx_active") == 0; ++i) slow = &call(each, "/slow");
    ASSERT_TRUE(slow);
    mesh.rejects = true;
    HttpCall& waits = call(each, "/");
    EXPECT_FALSE(waits.done()) << "it may wait for the one that works";
    mesh.rejects = false;
    slow->cancel();
    mesh.settle(60ms);
    EXPECT_EQ(waits.status(), 200);
  }
}

TEST_F(SharedLimit, a_new_connection_serves_its_maker_until_its_server_has_said_how_many_may_share_it) {
  auto silent = ask_a_silent_server(7);
  ASSERT_EQ(silent.size(), 1u) << "the others wait for it";
  mesh.connections.push_back(std::make_unique<Mesh::Endpoint>(mesh, std::move(silent[0])));
  mesh.settle(10ms);
  for (const HttpCall& each : calls) EXPECT_EQ(each.status(), 200);
  EXPECT_EQ(stat("upstream_rq_retry"), 0u);
  EXPECT_EQ(stat("upstream_rq_pending_active"), 0u);
}

TEST_F(SharedLimit, who_waits_for_a_server_to_say_goes_on_when_it_ends_instead) {
  ask_a_silent_server(5).clear();
  mesh.settle(10ms);
  int served = 0;
  for (const HttpCall& each : calls) served += each.status() == 200;
  EXPECT_GE(served, 4) << "but perhaps for the one whose request may have been taken";
}

TEST_F(SharedLimit, a_stream_that_comes_free_anywhere_is_for_the_first_in_line) {
  apply(Spoken::kHttp2, 2, 2);
  std::vector<HttpCall*> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(&call(Protocol::kHttp2, "/slow"));
  std::vector<HttpCall*> waiting;
  for (int i = 0; i < 6; ++i) waiting.push_back(&call(Protocol::kHttp2, i % 3 ? "/" : "/slow"));
  EXPECT_EQ(stat("upstream_rq_pending_active"), 6u);
  slow[1]->cancel();
  mesh.settle(1ms);
  EXPECT_EQ(stat("upstream_rq_pending_active"), 5u) << "the first keeps it";
  slow[3]->cancel();
  mesh.settle(1ms);
  for (const int i : {1, 2}) EXPECT_EQ(waiting[i]->status(), 200) << i;
  EXPECT_EQ(stat("upstream_rq_pending_active"), 2u) << "of the last three one is slow, and has its stream";
}

}  // namespace
}  // namespace weft::proxy
