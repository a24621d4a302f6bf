#include <gtest/gtest.h>

#include "proxy/testing/http_call.h"
#include "proxy/testing/pairings.h"

namespace weft::proxy {
namespace {

using namespace testing;
/// Endpoints answer requests to `path` only once it is open; empty: to any.
struct Gate {
  explicit Gate(Mesh& mesh, std::string path = {}) : loop(mesh.plane.loop()), held(std::move(path)) {
    mesh.handler = [this](http::ServerExchange& exchange) { return pass(exchange); };
  }
  net::Task<void> pass(http::ServerExchange& exchange) {
    while (!open && (held.empty() || exchange.request().path == held)) co_await loop.sleep(1ms);
    co_await Mesh::echo(exchange);
  }
  net::Loop& loop;
  std::string held;
  bool open = false;
};

net::Task<void> never(net::Loop& loop) { co_await loop.sleep(24h); }

class Pairings : public ::testing::TestWithParam<Pairing> {
 protected:
  Pairings() : mesh(GetParam().endpoint) {
    mesh.apply(GetParam().spoken());
    session = &mesh.client(GetParam().client);
  }
  Mesh mesh;
  http::ClientSession* session;
};
INSTANTIATE_TEST_SUITE_P(Http, Pairings, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(Pairings, a_request_without_a_body_passes) {
  HttpCall call(*session, get("/a?b=c"));
  mesh.settle();
  EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(call.response.headers.get("x-path"), "/a?b=c");
  EXPECT_EQ(call.response.headers.get("x-authority"), "test");
}

TEST_P(Pairings, bodies_and_trailers_pass_in_both_directions) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, std::size_t{1'000'000}}) {
    Message request = get("/");
    request.head.method = "POST";
    request.body = std::string(size, 'x');
    request.trailers.add("x-sum", std::to_string(size));
    HttpCall call(*session, std::move(request));
    mesh.settle();
    EXPECT_EQ(call.status(), 200) << size << (call.error ? call.error->text : "");
    EXPECT_EQ(call.body, std::string(size, 'x')) << size;
    EXPECT_EQ(call.trailers.get("x-sum"), std::to_string(size));
  }
}

TEST_P(Pairings, a_body_of_known_length_passes) {
  Message request = get("/");
  request.head.method = "POST";
  request.body = std::string(70'000, 'y');
  request.head.content_length = request.body.size();
  HttpCall call(*session, std::move(request));
  mesh.settle();
  EXPECT_EQ(call.body.size(), 70'000u);
}

TEST_P(Pairings, many_requests_one_after_another_use_one_connection_to_the_endpoint) {
  for (int i = 0; i < 20; ++i) {
    HttpCall call(*session, get("/" + std::to_string(i)));
    mesh.settle();
    ASSERT_EQ(call.status(), 200) << i;
  }
  EXPECT_EQ(mesh.connections.size(), 1u);
}

TEST_P(Pairings, a_request_that_nothing_answers_gets_504_at_its_time) {
  mesh.handler = [&loop = mesh.plane.loop()](http::ServerExchange&) { return never(loop); };
  HttpCall call(*session, get("/"));
  mesh.settle(14'999ms);
  EXPECT_FALSE(call.done());
  mesh.settle(1ms);
  EXPECT_EQ(call.status(), 504);
}

TEST_P(Pairings, the_response_to_head_has_a_length_and_no_body) {
  mesh.handler = [](http::ServerExchange& exchange) -> net::Task<void> {
    http::ResponseHead head;
    head.status = 200;
    head.content_length = 12;
    static_cast<void>(co_await exchange.send_head(head, exchange.request().method == "HEAD"));
  };
  Message request = get("/");
  request.head.method = "HEAD";
  HttpCall call(*session, std::move(request));
  mesh.settle();
  EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(call.response.content_length, 12u);
  EXPECT_EQ(call.body, "");
  HttpCall next(*session, get("/"));
  EXPECT_FALSE(next.done());
}

TEST(Http2, cookies_that_a_client_splits_reach_an_endpoint_of_http_1_as_one_field) {
  Mesh mesh(Protocol::kHttp1);
  mesh.apply(Spoken::kHttp1);
  Message request = get("/");
  request.head.headers.add("cookie", "a=1");
  request.head.headers.add("cookie", "b=2");
  HttpCall call(mesh.client(Protocol::kHttp2), std::move(request));
  mesh.settle();
  EXPECT_EQ(call.response.headers.get("x-saw"), "cookie=a=1; b=2");
}

TEST(Http2, streams_of_many_clients_share_one_connection_to_an_endpoint) {
  Mesh mesh(Protocol::kHttp2);
  mesh.plane.connect_delay = 10ms;
  mesh.apply(Spoken::kHttp2);
  std::list<HttpCall> calls;
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kHttp2})
    for (int i = 0; i < 20; ++i) calls.emplace_back(mesh.client(protocol), get("/"));
  mesh.settle(10ms);
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 1u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 1u);
}

TEST(Http2, a_cluster_as_downstream_speaks_what_each_client_spoke) {
  Mesh mesh(Protocol::kAuto);
  mesh.apply(Spoken::kAsDownstream);
  std::vector<http::Version> seen;
  mesh.handler = [&seen](http::ServerExchange& exchange) -> net::Task<void> {
    seen.push_back(exchange.request().version);
    return Mesh::echo(exchange);
  };
  HttpCall one(mesh.client(Protocol::kHttp1), get("/"));
  HttpCall two(mesh.client(Protocol::kHttp2), get("/"));
  mesh.settle();
  EXPECT_EQ(one.status(), 200);
  EXPECT_EQ(two.status(), 200);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_NE(seen[0], seen[1]);
}

TEST(Http2, requests_that_wait_for_one_connection_share_its_failure) {
  Mesh mesh(Protocol::kHttp2);
  mesh.plane.connect_delay = 10ms;
  mesh.rejects = true;
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  std::list<HttpCall> calls;
  for (int i = 0; i < 20; ++i) calls.emplace_back(client, get("/"));
  mesh.settle(10ms);
  mesh.settle(10ms);  // each is tried once more
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 503);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_total"), 2u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_destroy"), 2u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_rq_pending_active"), 0u);
}

TEST(Http2, a_client_that_leaves_while_its_connection_is_made_leaves_it_to_the_others) {
  Mesh mesh(Protocol::kHttp2);
  mesh.plane.connect_delay = 10ms;
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall first(client, get("/first"));
  mesh.settle(5ms);
  HttpCall second(client, get("/second"));
  mesh.settle(1ms);
  first.cancel();
  mesh.settle(1ms);
  mesh.settle(10ms);
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 1u);
}

TEST(Http2, one_stream_that_is_cancelled_touches_no_other_of_its_connections) {
  Mesh mesh(Protocol::kHttp2);
  Gate gate(mesh);
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  std::list<HttpCall> calls;
  for (int i = 0; i < 10; ++i) calls.emplace_back(client, get("/"));
  mesh.settle(2ms);
  calls.front().cancel();
  mesh.settle(2ms);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_rq_active"), 9u);
  gate.open = true;
  mesh.settle(2ms);
  for (auto call = std::next(calls.begin()); call != calls.end(); ++call) EXPECT_EQ(call->status(), 200);
  EXPECT_EQ(mesh.connections.size(), 1u);
}

TEST(Http2, another_connection_is_made_when_no_stream_is_left) {
  Mesh mesh(Protocol::kHttp2);
  mesh.options.http2.max_concurrent_streams = 2;
  Gate gate(mesh);
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall first(client, get("/"));
  mesh.settle(2ms);
  std::list<HttpCall> calls;
  for (int i = 0; i < 4; ++i) calls.emplace_back(client, get("/"));
  mesh.settle(5ms);
  EXPECT_EQ(mesh.connections.size(), 3u);
  gate.open = true;
  mesh.settle(5ms);
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 200);
}

TEST(Http2, at_the_limit_of_connections_requests_wait_for_a_stream) {
  Mesh mesh(Protocol::kHttp2);
  mesh.options.http2.max_concurrent_streams = 1;
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) { cluster.max_connections = 1; });
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall first(client, get("/"));
  mesh.settle();
  std::list<HttpCall> calls;
  for (int i = 0; i < 10; ++i) calls.emplace_back(client, get("/"));
  mesh.settle(100ms);
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 1u);
}

TEST(Http2, a_connection_beyond_a_limit_that_shrank_serves_on_while_it_has_a_stream) {
  Mesh mesh(Protocol::kHttp2);
  Gate gate(mesh, "/slow");
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall slow(client, get("/slow"));
  mesh.settle(1ms);
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) { cluster.max_connections = 0; });
  for (int i = 0; i < 3; ++i) {
    HttpCall call(client, get("/"));
    mesh.settle(1ms);
    EXPECT_EQ(call.status(), 200) << i;
  }
  gate.open = true;
  mesh.settle(2ms);
  EXPECT_EQ(slow.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 1u);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u) << "it ends with its last stream";
}

TEST(Http2, max_requests_per_connection_holds_also_for_streams) {
  Mesh mesh(Protocol::kHttp2);
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) { cluster.max_requests_per_connection = 3; });
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  std::list<HttpCall> calls;
  for (int i = 0; i < 9; ++i) {
    calls.emplace_back(client, get("/"));
    mesh.settle();
  }
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 3u);
}

TEST(Http2, connections_for_one_request_each_are_made_side_by_side) {
  Mesh mesh(Protocol::kHttp2);
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) { cluster.max_requests_per_connection = 1; });
  mesh.plane.connect_delay = 100ms;
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  std::list<HttpCall> calls;
  for (int i = 0; i < 10; ++i) calls.emplace_back(client, get("/"));
  mesh.settle(100ms);
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 10u);
}

TEST(Http2, an_endpoint_that_drains_gets_no_new_request_and_finishes_those_it_has) {
  Mesh mesh(Protocol::kHttp2);
  Gate gate(mesh, "/slow");
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall slow(client, get("/slow"));
  mesh.settle(1ms);
  mesh.connections[0]->session->drain();
  mesh.settle(1ms);
  HttpCall next(client, get("/next"));
  mesh.settle(1ms);
  EXPECT_EQ(next.status(), 200);
  EXPECT_EQ(mesh.connections.size(), 2u);
  gate.open = true;
  mesh.settle(2ms);
  EXPECT_EQ(slow.status(), 200);
}

TEST(Http2, idle_connections_to_endpoints_are_closed_in_time) {
  Mesh mesh(Protocol::kHttp2);
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) { cluster.idle_timeout = 1000ms; });
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall call(client, get("/"));
  mesh.settle();
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 1u);
  mesh.settle(1000ms);
  mesh.settle(1ms);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u);
}

TEST_P(Pairings, another_idle_timeout_holds_for_connections_that_are_idle_already) {
  const auto apply = [&](Milliseconds idle_timeout) {
    mesh.apply(GetParam().spoken(), [&](ClusterConfig& cluster) { cluster.idle_timeout = idle_timeout; });
  };
  const auto connections = [&] { return mesh.plane.stat("cluster.a.upstream_cx_active"); };
  HttpCall call(*session, get("/"));
  mesh.settle(10s);
  apply(20'000ms);
  mesh.settle(9'999ms);
  EXPECT_EQ(connections(), 1u);
  mesh.settle(2ms);
  EXPECT_EQ(connections(), 0u) << "a shorter one";
  HttpCall next(*session, get("/"));
  mesh.settle(1s);
  apply(0ms);
  mesh.settle(30min);
  EXPECT_EQ(connections(), 1u) << "none";
  apply(60'000ms);
  mesh.settle(1ms);
  EXPECT_EQ(connections(), 0u) << "one again, that has passed";
}

TEST(Http2, an_endpoint_that_leaves_its_cluster_finishes_its_streams) {
  Mesh mesh(Protocol::kHttp2);
  Gate gate(mesh);
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall call(client, get("/"));
  mesh.settle(1ms);
  mesh.apply(Spoken::kHttp2, [](ClusterConfig& cluster) {
    cluster.endpoints = cluster_of("a", {simulated_endpoint(2)}).endpoints;
  });
  gate.open = true;
  mesh.settle(2ms);
  EXPECT_EQ(call.status(), 200);
  mesh.settle(1ms);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_cx_active"), 0u)
      << "its connection ends with the last stream";
}

TEST(Http2, a_response_that_meets_the_reset_of_its_client_is_no_error_of_ours) {
  Mesh mesh(Protocol::kHttp2);
  net::Loop& loop = mesh.plane.loop();
  mesh.handler = [&loop](http::ServerExchange& exchange) -> net::Task<void> {
    co_await loop.sleep(10ms);
    co_await Mesh::echo(exchange);
  };
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  HttpCall warm(client, get("/"));
  mesh.settle(20ms);
  for (int i = 0; i < 2; ++i) {
    HttpCall call(client, get("/"));
    mesh.settle(5ms);
    // Before or behind the endpoint's timer, in the same turn of the loop.
    net::Timer leave(loop, [&] { call.cancel(); });
    if (i == 0) leave.arm(loop.now() + 5ms);
    mesh.settle(i == 0 ? 5ms : 4999us);
    if (i == 1) call.cancel();
    mesh.settle(20ms);
  }
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_5xx"), 0u);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

/// /big: what no window holds. Else a body of a few frames.
net::Task<void> respond_at_length(http::ServerExchange& exchange) {
  const std::string body(exchange.request().path == "/big" ? 1'000'000 : 10'000, 'x');
  http::ResponseHead head;
  head.status = 200;
  if (!co_await exchange.send_head(head, false)) co_return;
  static_cast<void>(co_await exchange.send_body(body, true));
}

TEST(Http2, clients_that_do_not_read_hold_up_no_other_on_the_connection_that_they_share) {
  Mesh mesh(Protocol::kHttp2);
  mesh.handler = respond_at_length;
  mesh.apply(Spoken::kHttp2);
  std::vector<std::unique_ptr<PipeEnd>> silent;
  for (int i = 0; i < 8; ++i) {
    silent.push_back(mesh.plane.connect());
    const std::string_view request = "GET /big HTTP/1.1\r\nhost: test\r\n\r\n";
    const iovec part{const_cast<char*>(request.data()), request.size()};
    ASSERT_EQ(silent.back()->try_write({&part, 1}).bytes, request.size());
    mesh.settle(1ms);
  }
  HttpCall call(mesh.client(Protocol::kHttp1), get("/small"));
  mesh.settle(1ms);
  EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(call.body.size(), 10'000u);
  EXPECT_EQ(mesh.connections.size(), 1u);
}

/// Four fill what an edge takes of one connection.
bool another_passes_beside_unread_uploads(bool edge, std::uint32_t trusted_hops = 0) {
  Mesh mesh(Protocol::kHttp1);
  mesh.handler = [&loop = mesh.plane.loop()](http::ServerExchange& exchange) {
    return exchange.request().path == "/silent" ? never(loop) : Mesh::echo(exchange);
  };
  mesh.plane.http.use_remote_address = edge;
  mesh.plane.http.trusted_hops = trusted_hops;
  mesh.apply(Spoken::kHttp1);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  const auto post = [](std::string path, std::size_t size) {
    Message request = get(std::move(path));
    request.head.method = "POST";
    request.body = std::string(size, 'x');
    return request;
  };
  std::list<HttpCall> uploads;
  for (int i = 0; i < 4; ++i) uploads.emplace_back(client, post("/silent", 1'000'000));
  mesh.settle(1ms);
  HttpCall call(client, post("/", 10'000));
  mesh.settle(1ms);
  return call.status() == 200;
}

TEST(Http2, uploads_that_an_application_does_not_read_hold_up_no_other_of_the_sidecar_that_sends_them) {
  EXPECT_TRUE(another_passes_beside_unread_uploads(false));
  EXPECT_FALSE(another_passes_beside_unread_uploads(true)) << "a stranger holds up what came with him";
  EXPECT_TRUE(another_passes_beside_unread_uploads(true, 1)) << "a load balancer brings the requests of many";
}

TEST_P(Pairings, a_head_passes_that_is_as_large_as_it_is_configured_to_be_let) {
  mesh.plane.http.max_request_headers_bytes = 96 * 1024;
  mesh.options.limits.head_bytes = 128 * 1024;
  mesh.apply(GetParam().spoken());
  Message request = get("/");
  for (int i = 0; i < 7; ++i) request.head.headers.add("x-large", std::string(10'000, '\''));
  HttpCall call(mesh.client(GetParam().client), std::move(request));
  mesh.settle();
  EXPECT_EQ(call.status(), 200);
}

TEST(Http2, a_connection_that_breaks_ends_each_of_its_requests_once) {
  Mesh mesh(Protocol::kHttp2);
  mesh.handler = [&loop = mesh.plane.loop()](http::ServerExchange&) { return never(loop); };
  mesh.apply(Spoken::kHttp2);
  http::ClientSession& client = mesh.client(Protocol::kHttp2);
  std::list<HttpCall> calls;
  for (int i = 0; i < 5; ++i) {
    Message request = get("/");
    request.head.method = "POST";
    request.has_body = true;
    request.body = "x";
    calls.emplace_back(client, std::move(request));
  }
  mesh.settle(1ms);
  mesh.rejects = true;
  mesh.connections[0]->stream->close(true);
  mesh.settle(1ms);
  for (const HttpCall& call : calls) EXPECT_EQ(call.status(), 503);
  EXPECT_EQ(mesh.plane.stat("cluster.a.upstream_rq_active"), 0u);
  EXPECT_EQ(mesh.plane.stat("http.front.downstream_rq_active"), 0u);
}

}  // namespace
}  // namespace weft::proxy
