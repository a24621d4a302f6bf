#pragma once

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <vector>

#include "proxy/testing/http_call.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy::testing {

using http::Protocol;
using net::testing::PipeEnd;
using Spoken = ClusterConfig::Spoken;

/// A data plane between clients of either version and endpoints of either version, all in one process.
class Mesh {
 public:
  explicit Mesh(Protocol endpoints) : endpoints_(endpoints) {
    options.http2.max_concurrent_streams = 100;
    plane.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> server) -> Result<void> {
      if (rejects) return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
      connections.push_back(std::make_unique<Endpoint>(*this, std::move(server)));
      return {};
    };
  }
  void apply(Spoken spoken, const std::function<void(ClusterConfig&)>& change = {}) {
    ClusterConfig cluster = cluster_of("a", {simulated_endpoint(1)});
    cluster.spoken = spoken;
    if (change) change(cluster);
    ASSERT_TRUE(plane.apply(table_of({route}), {std::move(cluster)}));
  }
  http::ClientSession& client(Protocol protocol) {
    return *clients.emplace_back(http::make_client_session(protocol, plane.connect()));
  }
  void settle(Duration by = Duration::zero()) { plane.loop().advance(by); }

  SimulatedPlane plane;
  Route route = route_to("/", "a");
  http::ServerSessionOptions options;  ///< of endpoints
  bool rejects = false;
  http::Handler handler = [](http::ServerExchange& exchange) { return echo(exchange); };

  struct Endpoint {
    Endpoint(Mesh& mesh, std::unique_ptr<PipeEnd> pipe) : stream(std::move(pipe)) {
      session = http::make_server_session(mesh.endpoints_, *stream, mesh.options);
      tasks.spawn(session->serve(mesh.handler));
    }
    ~Endpoint() { tasks.cancel_all(); }
    std::unique_ptr<PipeEnd> stream;
    std::unique_ptr<http::ServerSession> session;
    net::TaskScope tasks;
  };
  std::vector<std::unique_ptr<Endpoint>> connections;
  std::list<std::unique_ptr<http::ClientSession>> clients;

  /// Responds with what it was sent, body and trailers.
  static net::Task<void> echo(http::ServerExchange& exchange) {
    http::Headers trailers;
    std::string body;
    for (;;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return;
      body.append(chunk->data);
      if (chunk->trailers) trailers = *chunk->trailers;
      if (chunk->end) break;
    }
    http::ResponseHead head;
    head.status = 200;
    head.headers.add("x-path", exchange.request().path);
    head.headers.add("x-authority", exchange.request().authority);
    for (const http::Headers::Field field : exchange.request().headers)
      if (field.name == "cookie" || field.name == "x-Case" || field.name == "x-case")
        head.headers.add("x-saw", std::string(field.name) + "=" + std::string(field.value));
    if (!co_await exchange.send_head(head, body.empty() && trailers.empty())) co_return;
    if (body.empty() && trailers.empty()) co_return;
    if (!co_await exchange.send_body(body, trailers.empty())) co_return;
    if (!trailers.empty()) static_cast<void>(co_await exchange.send_trailers(trailers));
  }

 private:
  Protocol endpoints_;
};

}  // namespace weft::proxy::testing
