#include <gtest/gtest.h>

#include "proxy/testing/counting_upstream.h"
#include "proxy/testing/http_call.h"
#include "proxy/testing/pairings.h"

/// Interim responses (RFC 9110 §15.2), between clients and endpoints of either version.
namespace weft::proxy {
namespace {

using namespace testing;

/// Responds with the interim responses that the test names at once, and with 200 when it is open.
struct Hinting {
  explicit Hinting(Mesh& mesh) : loop(mesh.plane.loop()) {
    mesh.handler = [this](http::ServerExchange& exchange) { return respond(exchange); };
  }
  net::Task<void> respond(http::ServerExchange& exchange) {
    for (const int status : statuses) {
      http::ResponseHead head;
      head.status = status;
      head.headers.add("link", "</style.css>");
      if (!co_await exchange.send_interim(head)) co_return;
    }
    while (!open) co_await loop.sleep(1ms);
    co_await Mesh::echo(exchange);
  }
  net::Loop& loop;
  std::vector<int> statuses;
  bool open = false;
};

/// A client that keeps its body until it has been asked for it.
class Expecting {
 public:
  Expecting(http::ClientSession& session, std::string path, std::string says)
      : session_(session), exchange_(&session.start()), says_(std::move(says)) {
    tasks_.spawn(ask(std::move(path)));
  }
  ~Expecting() {
    tasks_.cancel_all();
    session_.finish(*exchange_);
  }
  Expecting(const Expecting&) = delete;
  Expecting& operator=(const Expecting&) = delete;

  std::vector<int> statuses;  ///< all that have come
  std::string body;           ///< of the response
  bool ask_for_it = true;     ///< the body is sent when 100 has come; else never

 private:
  net::Task<void> ask(std::string path) {
    http::RequestHead head = get(std::move(path)).head;
    head.method = "POST";
    head.content_length = says_.size();
    head.headers.add("expect", "100-continue");
    if (!co_await exchange_->send_head(head, false) || !co_await exchange_->flush()) co_return;
    for (http::ResponseHead response; co_await exchange_->read_head(response);) {
      statuses.push_back(response.status);
      if (response.status >= 200) break;
      if (response.status == 100 && ask_for_it) static_cast<void>(co_await exchange_->send_body(says_, true));
    }
    for (;;) {
      const auto chunk = co_await exchange_->read_body();
      if (!chunk) co_return;
      body.append(chunk->data);
      if (chunk->end) co_return;
    }
  }

  http::ClientSession& session_;
  http::ClientExchange* exchange_;
  std::string says_;
  net::TaskScope tasks_;
};

class Interims : public ::testing::TestWithParam<Pairing> {
 protected:
  Interims() : mesh(GetParam().endpoint) {
    mesh.apply(GetParam().spoken());
    session = &mesh.client(GetParam().client);
  }
  Mesh mesh;
  http::ClientSession* session;
};
INSTANTIATE_TEST_SUITE_P(Http, Interims, ::testing::ValuesIn(kPairings), pairing_name);

TEST_P(Interims, an_endpoint_s_hints_reach_the_client_before_its_response) {
  Hinting endpoint(mesh);
  endpoint.statuses = {103, 102, 103};
  const HttpCall call(*session, get("/"));
  mesh.settle();
  ASSERT_EQ(call.interims.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(call.interims[i].status, endpoint.statuses[i]) << "one by one, in their order";
    EXPECT_EQ(call.interims[i].headers.get("link"), "</style.css>");
  }
  EXPECT_FALSE(call.done());
  endpoint.open = true;
  mesh.settle(2ms);
  EXPECT_EQ(call.status(), 200);
  EXPECT_EQ(call.interims.size(), 3u);
}

TEST_P(Interims, a_client_that_has_not_asked_for_100_gets_none) {
  Hinting endpoint(mesh);
  endpoint.statuses = {100, 103};
  endpoint.open = true;
  const HttpCall call(*session, get("/"));
  mesh.settle(2ms);
  EXPECT_EQ(call.status(), 200);
  ASSERT_EQ(call.interims.size(), 1u);
  EXPECT_EQ(call.interims[0].status, 103);
}

TEST_P(Interims, a_client_that_expects_100_gets_it_and_sends_its_body_then) {
  const Expecting call(*session, "/", "hello");
  mesh.settle();
  EXPECT_EQ(call.statuses, (std::vector{100, 200}));
  EXPECT_EQ(call.body, "hello");
}

TEST_P(Interims, without_its_100_a_body_does_not_reach_the_endpoint) {
  std::string got;
  mesh.handler = [&got](http::ServerExchange& exchange) -> net::Task<void> {
    for (;;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return;
      got.append(chunk->data);
      if (chunk->end) break;
    }
    co_await Mesh::echo(exchange);
  };
  Expecting call(*session, "/", "hello");
  call.ask_for_it = false;
  mesh.settle(1s);
  EXPECT_EQ(call.statuses, std::vector{100});
  EXPECT_EQ(mesh.connections.size(), 1u);
  EXPECT_EQ(got, "");
}

TEST_P(Interims, a_hint_reaches_a_client_that_still_keeps_its_body) {
  Hinting endpoint(mesh);
  endpoint.statuses = {103};
  endpoint.open = true;
  const Expecting call(*session, "/", "hello");
  mesh.settle(2ms);
  std::vector<int> statuses = call.statuses;
  std::ranges::sort(statuses);
  EXPECT_EQ(statuses, (std::vector{100, 103, 200}));
  EXPECT_EQ(call.body, "hello");
}

TEST_P(Interims, a_body_that_goes_nowhere_is_not_asked_for) {
  mesh.route = route_to("/only", "a");
  mesh.apply(GetParam().spoken());
  const Expecting call(*session, "/", "hello");
  mesh.settle();
  EXPECT_EQ(call.statuses, std::vector{404});
  EXPECT_TRUE(mesh.connections.empty());
}

/// The proxy says 100 itself, when it reads the body: an endpoint is asked for nothing.
TEST(InterimsOfHttp1, an_endpoint_of_http_1_is_not_told_of_the_expectation) {
  SimulatedPlane plane;
  CountingUpstream upstream(plane);
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)})}));
  const auto client = plane.connect();
  send(*client, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  plane.loop().advance(1ms);
  EXPECT_EQ(client->take(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(upstream.requests.empty());
  send(*client, "hello");
  plane.loop().advance(1ms);
  ASSERT_EQ(upstream.requests.size(), 1u);
  EXPECT_EQ(upstream.requests[0].count("expect"), 0u);
  EXPECT_EQ(upstream.requests[0].body, "hello");
  EXPECT_TRUE(client->take().starts_with("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace weft::proxy
