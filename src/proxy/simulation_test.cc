#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "proxy/testing/end_filter.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;
using net::testing::PipeEnd;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// One client, and one endpoint whose connections are kept in their order.
class SimulationTest : public ::testing::Test {
 protected:
  SimulationTest() {
    plane.accept = [this](const net::Address&, std::unique_ptr<PipeEnd> server) -> Result<void> {
      servers.push_back(std::move(server));
      return {};
    };
  }
  void apply(Route route = route_to("/", "a"), ClusterConfig cluster = one_endpoint()) {
    ASSERT_TRUE(plane.apply(table_of({std::move(route)}), {std::move(cluster)}));
    client = plane.connect();
  }
  static ClusterConfig one_endpoint() { return cluster_of("a", {simulated_endpoint(1)}); }
  void write(PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(end.try_write(std::span(&part, 1)).bytes, bytes.size());
    plane.loop().advance(Duration::zero());
  }
  /// What has come to `end`.
  std::string read(PipeEnd& end) {
    plane.loop().advance(Duration::zero());
    return end.take();
  }

  SimulatedPlane plane;
  std::unique_ptr<PipeEnd> client;
  std::vector<std::unique_ptr<PipeEnd>> servers;
};

TEST_F(SimulationTest, a_request_and_its_response_pass_without_a_socket_or_a_clock) {
  apply();
  write(*client, kGet);
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_TRUE(read(*servers[0]).starts_with("GET / HTTP/1.1\r\nhost: test\r\n"));
  write(*servers[0], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const std::string response = read(*client);
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
  EXPECT_TRUE(response.ends_with("\r\n\r\nok")) << response;
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_2xx"), 1u);
}

TEST_F(SimulationTest, a_route_s_timeout_ends_a_silent_request_at_its_time) {
  apply();
  write(*client, kGet);
  plane.loop().advance(14999ms);
  EXPECT_EQ(read(*client), "");
  plane.loop().advance(1ms);
  EXPECT_TRUE(read(*client).starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_timeout"), 1u);
}

TEST_F(SimulationTest, a_response_that_is_not_whole_counts_by_what_has_ended_it) {
  std::string seen;
  plane.http.filters = {{"end", [&] { return std::make_shared<const EndFilter>(seen); }}};
  const auto count = [&](std::string_view counter) {
    return plane.stat("cluster.a.upstream_rq_" + std::string(counter));
  };
  struct Row {
    std::function<void(ForwardAction&)> limit;
    std::function<void()> then;
    std::string_view seen, counter;
  };
  const auto pass_15_s = [&] { plane.loop().advance(15s); };
  const auto forever = [](ForwardAction& action) { action.timeout = 0ms; };
  const auto idle = [](ForwardAction& action) {
    action.timeout = 0ms;
    action.idle_timeout = Milliseconds{15'000};
  };
  const auto duration = [](ForwardAction& action) {
    action.timeout = 0ms;
    action.max_duration = 15s;
  };
  const Row rows[] = {
      {[](ForwardAction&) {}, pass_15_s, "200 UT response_timeout", "timeout"},
      {duration, pass_15_s, "200 - max_duration_timeout", ""},
      {idle, pass_15_s, "200 SI stream_idle_timeout", ""},
      {forever, [&] { client->close(true); }, "200 DC downstream_remote_disconnect", "cancelled"},
      {forever, [&] { servers.back()->close(true); },
       "200 UC upstream_reset_after_response_started{connection_termination}", "rx_reset"},
  };
  for (const Row& row : rows) {
    Route route = route_to("/", "a");
    row.limit(std::get<ForwardAction>(route.action));
    apply(route);
    const std::array before{count("timeout"), count("rx_reset"), count("cancelled")};
    write(*client, kGet);
    write(*servers.back(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    row.then();
    plane.loop().advance(1ms);
    EXPECT_EQ(seen, row.seen);
    EXPECT_EQ(count("timeout") - before[0], row.counter == "timeout") << row.seen;
    EXPECT_EQ(count("rx_reset") - before[1], row.counter == "rx_reset") << row.seen;
    EXPECT_EQ(count("cancelled") - before[2], row.counter == "cancelled") << row.seen;
    seen.clear();
  }
  EXPECT_EQ(plane.stat("http.front.downstream_rq_max_duration_reached"), 1u);
}

TEST_F(SimulationTest, a_client_that_disconnects_cancels_its_request_upstream) {
  apply();
  write(*client, kGet);
  ASSERT_EQ(servers.size(), 1u);
  servers[0]->take();
  client->close(true);
  plane.loop().advance(1ms);
  char byte;
  EXPECT_EQ(servers[0]->try_read({&byte, 1}).error, net::IoError::kReset);
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 0u);
  EXPECT_EQ(plane.stat("http.front.downstream_rq_active"), 0u);
}

TEST_F(SimulationTest, a_request_that_has_come_when_its_connection_is_drained_is_answered) {
  constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  apply();
  write(*client, kGet);
  write(*servers[0], kOk);
  EXPECT_TRUE(read(*client).ends_with("\r\n\r\nok"));
  const iovec unread{const_cast<char*>(kGet.data()), kGet.size()};
  ASSERT_EQ(client->try_write({&unread, 1}).bytes, kGet.size());
  plane.worker().drain_connections();
  plane.loop().advance(Duration::zero());
  write(*servers[0], kOk);
  const std::string response = read(*client);
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
  EXPECT_NE(response.find("connection: close\r\n"), response.npos) << response;
}

TEST_F(SimulationTest, a_client_that_disconnects_before_a_retry_leaves_nothing_behind) {
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.five_xx = true;
  policy.base_interval = policy.max_interval = Milliseconds{3'600'000};
  auto& action = std::get<ForwardAction>(route.action);
  action.retry = std::make_shared<const RetryPolicy>(policy);
  action.timeout = Milliseconds{0};
  apply(route);
  write(*client, kGet);
  write(*servers[0], "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  plane.loop().advance(1s);
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 1u);
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_retry"), 1u);
  client->close(true);
  plane.loop().advance(1ms);
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_active"), 0u);
  EXPECT_EQ(plane.stat("cluster.a.upstream_rq_cancelled"), 1u);
  EXPECT_EQ(plane.stat("http.front.downstream_rq_active"), 0u);
}

TEST_F(SimulationTest, retries_wait_no_longer_than_their_policy_says) {
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.connect_failure = true;
  policy.retries = 3;
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  int tries = 0;
  plane.accept = [&](const net::Address&, std::unique_ptr<PipeEnd>) -> Result<void> {
    ++tries;
    return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
  };
  apply(route);
  write(*client, kGet);
  plane.loop().advance(25ms + 50ms + 100ms);
  EXPECT_EQ(tries, 4);
  EXPECT_TRUE(read(*client).starts_with("HTTP/1.1 503 "));
}

/// Keeps where the log line of a request says that it went, and from where.
class HostsFilter final : public HttpFilter {
 public:
  explicit HostsFilter(std::string& seen) : HttpFilter({.end = true}), seen_(seen) {}
  void on_end(HttpStream& stream) const override {
    seen_ = stream.info().upstream_host + " from " + stream.info().upstream_local_address;
  }

 private:
  std::string& seen_;
};

TEST_F(SimulationTest, the_endpoint_of_the_log_is_the_one_that_was_not_reached) {
  std::string seen, unreached;
  plane.http.filters = {{"hosts", [&] { return std::make_shared<const HostsFilter>(seen); }}};
  plane.accept = [&](const net::Address& to, std::unique_ptr<PipeEnd> server) -> Result<void> {
    if (servers.empty()) {
      servers.push_back(std::move(server));
      return {};
    }
    unreached = to.to_string();
    return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
  };
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.five_xx = true;
  policy.retries = 1;
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  apply(route, cluster_of("a", {simulated_endpoint(1), simulated_endpoint(2)}));
  write(*client, kGet);
  write(*servers[0], "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  plane.loop().advance(25ms);
  EXPECT_TRUE(read(*client).starts_with("HTTP/1.1 503 "));
  ASSERT_NE(unreached, "");
  EXPECT_EQ(seen, unreached + " from ");
}

TEST_F(SimulationTest, trailers_pass_in_both_directions_without_those_that_may_not) {
  apply();
  write(*client,
        "POST / HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE, x-hop\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\n"
        "X-Sum: 12\r\nContent-Length: 9\r\nContent_Length: 9\r\nX-Envoy-Internal: true\r\nX-Hop: 1\r\n\r\n");
  ASSERT_EQ(servers.size(), 1u);
  const std::string request = read(*servers[0]);
  EXPECT_TRUE(request.ends_with("\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 12\r\n\r\n")) << request;
  write(*servers[0],
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nGrpc-Status:  0 \r\nHost: "
        "x\r\n\r\n");
  const std::string response = read(*client);
  EXPECT_TRUE(response.ends_with("2\r\nok\r\n0\r\nGrpc-Status: 0\r\n\r\n")) << response;
  write(*client, kGet);
  EXPECT_TRUE(read(*servers[0]).starts_with("GET / ")) << "the connection goes on";
}

TEST_F(SimulationTest, trailers_are_sent_again_with_the_body_before_them) {
  Route route = route_to("/", "a");
  RetryPolicy policy;
  policy.five_xx = true;
  std::get<ForwardAction>(route.action).retry = std::make_shared<const RetryPolicy>(policy);
  apply(route);
  for (const std::string_view body : {"", "3\r\nabc\r\n"}) {
    write(*client, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body) +
                       "0\r\nX-Sum: 12\r\n\r\n");
    for (const std::string_view status : {"503 Busy", "200 OK"}) {
      const std::string request = read(*servers[0]);
      EXPECT_TRUE(request.ends_with("\r\n\r\n" + std::string(body) + "0\r\nX-Sum: 12\r\n\r\n")) << request;
      write(*servers[0], "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n");
      plane.loop().advance(25ms);
    }
    EXPECT_TRUE(read(*client).starts_with("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_EQ(servers.size(), 1u);
}

/// A transport that only turns bits over, after a word of greeting.
class TurnedStream final : public net::Stream {
 public:
  explicit TurnedStream(std::unique_ptr<net::Stream> inner)
      : net::Stream(inner->loop()), inner_(std::move(inner)) {
    pump_.spawn(pump());
  }
  net::IoResult try_read(std::span<char> into) override {
    if (closed()) return {0, net::IoError::kClosed};
    if (ready_.empty()) {
      if (end_ != net::IoError::kNone) return {0, end_};
      may_read_ = false;
      return {0, net::IoError::kWouldBlock};
    }
    const std::size_t count = std::min(into.size(), ready_.size());
    std::copy_n(ready_.begin(), count, into.begin());
    ready_.erase(0, count);
    return {count, net::IoError::kNone};
  }
  net::IoResult peek(std::span<char> into) override {
    may_read_ = false;
    const std::size_t count = std::min(into.size(), ready_.size());
    std::copy_n(ready_.begin(), count, into.begin());
    return {count, count ? net::IoError::kNone : net::IoError::kWouldBlock};
  }
  net::IoResult try_write(std::span<const iovec> parts) override {
    std::string turned;
    for (const iovec& part : parts)
      for (std::size_t i = 0; i < part.iov_len; ++i)
        turned += static_cast<char>(~static_cast<const char*>(part.iov_base)[i]);
    const iovec all{turned.data(), turned.size()};
    return inner_->try_write(std::span(&all, 1));
  }
  void shutdown_write() override { inner_->shutdown_write(); }
  bool quiet() override { return !closed() && ready_.empty() && end_ == net::IoError::kNone; }

 private:
  net::Task<void> pump() {
    char bytes[256];
    for (;;) {
      const net::IoResult got = co_await inner_->read(bytes);
      if (!got.ok()) end_ = got.error;
      for (std::size_t i = 0; i < got.bytes; ++i) ready_ += static_cast<char>(~bytes[i]);
      tell_.schedule();  // who is told may destroy this
      if (!got.ok()) co_return;
    }
  }
  void do_close(bool reset) override { inner_->close(reset); }

  std::unique_ptr<net::Stream> inner_;
  std::string ready_;
  net::IoError end_ = net::IoError::kNone;
  net::Deferred tell_{
      loop(), [this] {
        notify({.readable = true, .writable = false, .ended = end_ != net::IoError::kNone, .broken = false});
      }};
  net::TaskScope pump_;
};

std::string turned(std::string text) {
  for (char& each : text) each = static_cast<char>(~each);
  return text;
}

net::Task<Result<std::unique_ptr<net::Stream>>> greet(std::unique_ptr<net::Stream> raw, TimePoint deadline) {
  raw->set_read_deadline(deadline);
  char word[2];
  const net::IoResult got = co_await raw->read(word);
  if (!got.ok() || std::string_view(word, got.bytes) != "hi")
    co_return fail(net::to_error(got.error, Blame::kDownstream, "waiting for a greeting"));
  co_return std::make_unique<TurnedStream>(std::move(raw));
}

TEST_F(SimulationTest, a_chain_and_a_cluster_each_have_a_transport_of_their_own) {
  const auto transport = std::make_shared<const net::Transport>(&greet);
  plane.transport = transport;
  ClusterConfig cluster = one_endpoint();
  cluster.transport = transport;
  apply(route_to("/", "a"), cluster);
  write(*client, "hi");
  write(*client, turned(std::string(kGet)));
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(read(*servers[0]), "");
  write(*servers[0], "hi");
  EXPECT_TRUE(turned(read(*servers[0])).starts_with("GET / HTTP/1.1\r\n"));
  write(*servers[0], turned("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_TRUE(turned(read(*client)).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(SimulationTest, a_silent_client_of_a_tcp_chain_has_to_get_through_its_transport) {
  Snapshot snapshot;
  auto listener = std::make_shared<ListenerConfig>();
  listener->name = "front";
  listener->sniff_http = listener->continue_on_sniff_timeout = true;
  listener->sniff_timeout = Milliseconds{100};
  TcpProxyConfig tcp;
  tcp.clusters = {{.cluster = "a", .weight = 1, .request_headers = {}, .response_headers = {}}};
  listener->chains.push_back({.name = "tcp",
                              .match = {},
                              .transport = std::make_shared<const net::Transport>(&greet),
                              .filter = tcp});
  listener->chains.push_back({.name = "http", .match = {}, .transport = nullptr, .filter = plane.http});
  listener->chains.back().match.application_protocols = {"http/1.1"};
  snapshot.listeners["front"] = std::move(listener);
  snapshot.clusters.put(std::make_shared<ClusterConfig>(one_endpoint()));
  ASSERT_TRUE(plane.apply(std::move(snapshot)));
  client = plane.connect();
  plane.loop().advance(100ms);
  EXPECT_TRUE(servers.empty());
  write(*client, "hi");
  write(*client, turned("abc"));
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(read(*servers[0]), "abc");
}

TEST_F(SimulationTest, who_does_not_get_through_a_transport_in_time_is_not_served) {
  plane.transport = std::make_shared<const net::Transport>(&greet);
  apply();
  plane.loop().advance(15s);
  char byte;
  EXPECT_EQ(client->try_read({&byte, 1}).error, net::IoError::kEnd);
  EXPECT_EQ(plane.stat("listener.front.downstream_cx_transport_failed"), 1u);
}

}  // namespace
}  // namespace weft::proxy
