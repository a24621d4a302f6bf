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

}  // namespace
}  // namespace weft::proxy
