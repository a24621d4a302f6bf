#include <gtest/gtest.h>

#include "proxy/testing/pairings.h"
#include "proxy/testing/tunnel_client.h"

namespace weft::proxy {
namespace {

using namespace testing;
using Connect = ForwardAction::Connect;

/// What comes is sent back.
net::Task<void> echo_bytes(net::Stream& stream) {
  for (char block[64];;) {
    const net::IoResult got = co_await stream.read(block);
    if (!got.ok()) break;
    static_cast<void>(co_await stream.write(std::string_view(block, got.bytes)));
  }
  stream.shutdown_write();
}

/// A tunnel to "db:5432" in which hello is said.
struct Client : TunnelClient {
  Client(Mesh& mesh, Protocol protocol) : TunnelClient(mesh, protocol, {.head = head(), .says = "hello"}) {}
  static http::RequestHead head() {
    http::RequestHead made;
    made.method = "CONNECT";
    made.authority = "db:5432";
    return made;
  }
};

void make_connect_route(Mesh& mesh, Connect connect) {
  mesh.route.match.path = {.kind = PathMatch::Kind::kConnect, .text = {}, .regex = {}};
  std::get<ForwardAction>(mesh.route.action).connect = connect;
}

class Tunnels : public ::testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Http, Tunnels, ::testing::Values(Protocol::kHttp1, Protocol::kHttp2),
                         [](const auto& info) { return info.param == Protocol::kHttp1 ? "1" : "2"; });

/// An endpoint that speaks no HTTP.
struct TcpEndpoint {
  explicit TcpEndpoint(Mesh& mesh) {
    mesh.plane.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> server) -> Result<void> {
      if (++connections <= rejects)
        return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
      tasks.spawn(echo_bytes(*ends.emplace_back(std::move(server))));
      return {};
    };
  }
  ~TcpEndpoint() { tasks.cancel_all(); }
  int connections = 0, rejects = 0;
  std::list<std::unique_ptr<PipeEnd>> ends;
  net::TaskScope tasks;
};

TEST_P(Tunnels, where_a_route_terminates_connect_bytes_pass_to_a_tcp_connection_of_its_own) {
  Mesh mesh(Protocol::kHttp1);
  TcpEndpoint endpoint(mesh);
  make_connect_route(mesh, Connect::kTerminate);
  mesh.apply(Spoken::kHttp2);  // what endpoints speak is no matter
  for (int i = 1; i <= 2; ++i) {
    const Client client(mesh, GetParam());
    EXPECT_EQ(client.response.status, 200);
    EXPECT_FALSE(client.response.content_length);
    EXPECT_EQ(client.heard, "hello");
    EXPECT_TRUE(client.ended);
    EXPECT_EQ(endpoint.connections, i);
  }
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_rq_total"), 2u);
}

TEST_P(Tunnels, a_tunnel_ends_when_the_time_of_its_exchange_does) {
  Mesh mesh(Protocol::kHttp1);
  TcpEndpoint endpoint(mesh);
  make_connect_route(mesh, Connect::kTerminate);
  std::get<ForwardAction>(mesh.route.action).max_duration = Milliseconds(10'000);
  mesh.apply(Spoken::kHttp1);
  auto session = http::make_client_session(GetParam(), mesh.plane.connect());
  http::ClientExchange& exchange = session->start();
  net::TaskScope tasks;
  http::ResponseHead response;
  const auto ask = [&](http::ClientExchange& over) -> net::Task<void> {
    http::RequestHead head = Client::head();
    head.version = GetParam() == Protocol::kHttp2 ? http::Version::k2 : http::Version::k11;
    static_cast<void>(co_await over.send_head(head, true));
    static_cast<void>(co_await over.read_head(response));
  };
  tasks.spawn(ask(exchange));
  mesh.settle(9s);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 1u);
  mesh.settle(2s);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
  session->finish(exchange);
}

TEST_P(Tunnels, an_endpoint_that_is_not_reached_is_tried_once_more_and_told_as_503) {
  Mesh mesh(Protocol::kHttp1);
  TcpEndpoint endpoint(mesh);
  make_connect_route(mesh, Connect::kTerminate);
  mesh.apply(Spoken::kHttp1);
  endpoint.rejects = 1;
  EXPECT_EQ(Client(mesh, GetParam()).heard, "hello");
  endpoint.rejects = 4;
  EXPECT_EQ(Client(mesh, GetParam()).response.status, 503);
  EXPECT_EQ(endpoint.connections, 4);
}

TEST_P(Tunnels, without_a_route_that_says_so_no_connect_passes) {
  Mesh mesh(Protocol::kHttp1);
  TcpEndpoint endpoint(mesh);
  mesh.plane.http.connect = true;
  mesh.apply(Spoken::kHttp1);
  EXPECT_EQ(Client(mesh, GetParam()).response.status, 404) << "the route is one of paths";
  mesh.plane.http.connect = false;
  make_connect_route(mesh, Connect::kAsListener);
  mesh.apply(Spoken::kHttp1);
  EXPECT_EQ(Client(mesh, GetParam()).response.status, 403) << "CONNECT is allowed nowhere";
  mesh.route.action = DirectAction{200, "none"};
  mesh.apply(Spoken::kHttp1);
  EXPECT_EQ(Client(mesh, GetParam()).response.status, 403)
      << "there is no tunnel behind a response of our own";
  EXPECT_EQ(endpoint.connections, 0);
}

TEST_P(Tunnels, a_route_of_connect_takes_nothing_else) {
  Mesh mesh(Protocol::kHttp1);
  make_connect_route(mesh, Connect::kTerminate);
  mesh.apply(Spoken::kHttp1);
  HttpCall call(mesh.client(GetParam()), get("/"));
  mesh.settle();
  EXPECT_EQ(call.status(), 404);
}

TEST_P(Tunnels, a_client_that_leaves_ends_its_connection) {
  Mesh mesh(Protocol::kHttp1);
  TcpEndpoint endpoint(mesh);
  make_connect_route(mesh, Connect::kTerminate);
  mesh.apply(Spoken::kHttp1);
  auto session = http::make_client_session(GetParam(), mesh.plane.connect());
  http::ClientExchange& exchange = session->start();
  net::TaskScope tasks;
  const auto ask = [](http::ClientExchange& over, Protocol protocol) -> net::Task<void> {
    http::RequestHead head;
    head.method = "CONNECT";
    head.authority = "db:5432";
    head.version = protocol == Protocol::kHttp2 ? http::Version::k2 : http::Version::k11;
    http::ResponseHead response;
    static_cast<void>(co_await over.send_head(head, true));
    static_cast<void>(co_await over.read_head(response));
  };
  tasks.spawn(ask(exchange, GetParam()));
  mesh.settle();
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 1u);
  exchange.cancel();
  session->finish(exchange);
  mesh.settle();
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

class ForwardedTunnels : public ::testing::TestWithParam<Pairing> {
 protected:
  ForwardedTunnels() : mesh(GetParam().endpoint) {
    mesh.handler = [this](http::ServerExchange& exchange) { return serve(exchange); };
    make_connect_route(mesh, Connect::kForward);
    mesh.apply(GetParam().spoken());
  }
  net::Task<void> serve(http::ServerExchange& exchange) {
    saw = exchange.request().method + " " + exchange.request().authority + exchange.request().path;
    http::ResponseHead head;
    head.status = status;
    if (status != 200) head.content_length = 2;
    if (!co_await exchange.send_head(head, false)) co_return;
    if (status != 200) {
      static_cast<void>(co_await exchange.send_body("no", true));
      co_return;
    }
    if (co_await exchange.flush()) co_await echo_bytes(*exchange.upgrade().stream);
  }
  Mesh mesh;
  std::string saw;
  int status = 200;
};
INSTANTIATE_TEST_SUITE_P(Http, ForwardedTunnels, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(ForwardedTunnels, bytes_pass_in_both_directions_once_the_endpoint_has_made_the_tunnel) {
  const Client client(mesh, GetParam().client);
  EXPECT_EQ(saw, "CONNECT db:5432");
  EXPECT_EQ(client.response.status, 200);
  EXPECT_EQ(client.heard, "hello");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

TEST_P(ForwardedTunnels, what_the_endpoint_says_instead_of_a_tunnel_passes) {
  status = 407;
  const Client client(mesh, GetParam().client);
  EXPECT_EQ(client.response.status, 407);
  EXPECT_EQ(client.response.content_length, 2u);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

TEST_P(ForwardedTunnels, the_listener_may_allow_connect_for_all_its_routes) {
  mesh.plane.http.connect = true;
  make_connect_route(mesh, Connect::kAsListener);
  mesh.apply(GetParam().spoken());
  EXPECT_EQ(Client(mesh, GetParam().client).heard, "hello");
}

}  // namespace
}  // namespace weft::proxy
