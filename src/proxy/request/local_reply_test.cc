#include "proxy/request/local_reply.h"

#include <gtest/gtest.h>

#include <functional>

#include "proxy/filters/fault/fault_filter.h"
#include "proxy/request/http_stream.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHalf = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab";

/// Keeps what the log line of a request shows.
class EndFilter final : public HttpFilter {
 public:
  explicit EndFilter(std::string& seen) : HttpFilter({.end = true}), seen_(seen) {}
  void on_end(HttpStream& stream) const override {
    stream.info().flags.append_to(seen_);
    seen_.append(" ").append(stream.info().details);
  }

 private:
  std::string& seen_;
};

/// One request that no endpoint's response answers.
struct Scene {
  Scene() {
    plane.http.filters = {{"end", [this] { return std::make_shared<const EndFilter>(seen); }}};
    plane.accept = [this](const net::Address&, std::unique_ptr<net::testing::PipeEnd> end) -> Result<void> {
      server = std::move(end);
      return {};
    };
  }
  ForwardAction& action() { return std::get<ForwardAction>(route.action); }
  void write(net::testing::PipeEnd& end, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(end.try_write(std::span(&part, 1)).bytes, bytes.size());
    plane.loop().advance(Duration::zero());
  }

  std::string seen;
  SimulatedPlane plane;
  std::unique_ptr<net::testing::PipeEnd> server;
  Route route = route_to("/", "a");
  ClusterConfig cluster = cluster_of("a", {simulated_endpoint(1)});
  Duration wait = Duration::zero();   ///< after the request was sent
  std::string_view then_of_client{};  ///< what it sends after that
  std::string_view then_of_server{};  ///< what the endpoint sends after that
  bool server_closes = false;
};

struct Row {
  std::string_view request;
  std::function<void(Scene&)> arrange;
  std::string_view status, seen, body;
  std::string_view counted = "";  ///< the class of cluster.a's response: "5xx"; empty: none
};

/// Status line, flags with details, and body of what the client got.
void expect(const Row& row) {
  Scene scene;
  row.arrange(scene);
  ASSERT_TRUE(scene.plane.apply(table_of({scene.route}), {scene.cluster}));
  const auto client = scene.plane.connect();
  scene.write(*client, row.request);
  scene.plane.loop().advance(scene.wait);
  if (!scene.then_of_client.empty()) scene.write(*client, scene.then_of_client);
  if (scene.server && !scene.then_of_server.empty()) scene.write(*scene.server, scene.then_of_server);
  if (scene.server_closes) scene.server->close(false);
  scene.plane.loop().advance(Duration::zero());
  const std::string response = client->take();
  EXPECT_EQ(response.substr(0, response.find('\r')), "HTTP/1.1 " + std::string(row.status));
  EXPECT_EQ(response.substr(std::min(response.find("\r\n\r\n") + 4, response.size())), row.body) << response;
  EXPECT_EQ(scene.seen, row.seen);
  for (const std::string kind : {"2xx", "3xx", "4xx", "5xx"})
    EXPECT_EQ(scene.plane.stat("cluster.a.upstream_rq_" + kind), row.counted == kind)
        << kind << " " << row.seen;
}

TEST(LocalReply, of_a_request_that_no_rule_sends_anywhere) {
  using Slashes = HttpConfig::EscapedSlashes;
  const Row rows[] = {
      {"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
       [](Scene& scene) { scene.plane.http.use_remote_address = true; }, "403 Forbidden",
       "- http1.invalid_scheme", "https: without TLS"},
      {"GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n",
       [](Scene& scene) { scene.plane.http.escaped_slashes = Slashes::kReject; }, "400 Bad Request",
       "- path_normalization_failed", ""},
      {"GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n",
       [](Scene& scene) { scene.plane.http.escaped_slashes = Slashes::kUnescapeAndRedirect; },
       "307 Temporary Redirect", "- path_normalization_failed", ""},
      {kGet, [](Scene& scene) { scene.plane.http.route_table_name = "none"; }, "404 Not Found",
       "NR route_configuration_not_found", ""},
      {kGet, [](Scene& scene) { scene.route.match.path.text = "/other"; }, "404 Not Found",
       "NR route_not_found", ""},
      {"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
       [](Scene& scene) { scene.plane.http.upgrades = {"websocket"}; }, "400 Bad Request",
       "DPE websocket_request_malformed", "malformed WebSocket request"},
      {kGet, [](Scene& scene) { scene.cluster.name = "other"; }, "503 Service Unavailable",
       "NC cluster_not_found", ""},
      {kGet,
       [](Scene& scene) {
         scene.cluster.name = "other";
         scene.action().cluster_not_found_status = 404;
       },
       "404 Not Found", "NC cluster_not_found", ""},
      {kGet, [](Scene& scene) { scene.route.action = DirectAction{418, "tea"}; }, "418 I'm a teapot",
       "- direct_response", "tea"},
      {kGet, [](Scene& scene) { scene.route.action = RedirectAction{}; }, "301 Moved Permanently",
       "- direct_response", ""},
      {"TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", [](Scene&) {}, "405 Method Not Allowed",
       "- max_forwards_reached", ""},
      {kGet,
       [](Scene& scene) {
         scene.plane.http.filters.push_back(
             {"fault", fault_filter({.abort_status = 555, .aborts_per_million = 1'000'000})});
       },
       "555 Unknown", "FI fault_filter_abort", "fault filter abort"},
  };
  for (const Row& row : rows) expect(row);
}

TEST(LocalReply, of_a_request_that_does_not_come_to_its_end) {
  const Row rows[] = {
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZ",
       [](Scene& scene) { scene.then_of_client = "\r\n"; }, "400 Bad Request", "DPE http1.codec_error",
       "Bad Request"},
      {kHalf, [](Scene& scene) { scene.wait = scene.plane.http.stream_idle_timeout = 5s; },
       "408 Request Timeout", "SI stream_idle_timeout", "stream timeout"},
      {kHalf, [](Scene& scene) { scene.wait = scene.plane.http.request_timeout = 5s; }, "408 Request Timeout",
       "DC request_overall_timeout", "request timeout"},
  };
  for (const Row& row : rows) expect(row);
}

TEST(LocalReply, of_a_cluster_that_no_connection_comes_from) {
  const std::string reset = "upstream connect error or disconnect/reset before headers. reset reason: ";
  const std::string overflow = reset + "overflow", failure = reset + "connection failure",
                    timeout = reset + "connection timeout";
  const Row rows[] = {
      {kGet, [](Scene& scene) { scene.cluster = cluster_of("a", {}); }, "503 Service Unavailable",
       "UH no_healthy_upstream", "no healthy upstream", "5xx"},
      {kGet, [](Scene& scene) { scene.cluster.max_requests = 0; }, "503 Service Unavailable",
       "UO upstream_reset_before_response_started{overflow}", overflow, "5xx"},
      {kGet, [](Scene& scene) { scene.plane.accept = {}; }, "503 Service Unavailable",
       "UF upstream_reset_before_response_started{connection_failure}", failure, "5xx"},
      {kGet,
       [](Scene& scene) {
         scene.plane.connect_delay = 2s;
         scene.cluster.connect_timeout = 1s;
         scene.wait = 2s;  // it is tried once more
       },
       "503 Service Unavailable", "UF upstream_reset_before_response_started{connection_timeout}", timeout,
       "5xx"},
  };
  for (const Row& row : rows) expect(row);
}

TEST(LocalReply, of_an_endpoint_that_gives_no_response_or_none_that_can_be_sent) {
  const std::string reset = "upstream connect error or disconnect/reset before headers. reset reason: ";
  const std::string protocol = reset + "protocol error", termination = reset + "connection termination";
  const Row rows[] = {
      {kGet, [](Scene& scene) { scene.wait = 15s; }, "504 Gateway Timeout", "UT response_timeout",
       "upstream request timeout", "5xx"},
      {kGet,
       [](Scene& scene) {
         RetryPolicy policy;
         policy.retries = 0;
         scene.wait = policy.per_try_timeout = 100ms;
         scene.action().retry = std::make_shared<const RetryPolicy>(policy);
       },
       "504 Gateway Timeout", "UT upstream_per_try_timeout", "upstream request timeout", "5xx"},
      {kGet, [](Scene& scene) { scene.then_of_server = "no HTTP at all\r\n\r\n"; }, "502 Bad Gateway",
       "UPE upstream_reset_before_response_started{protocol_error}", protocol, "5xx"},
      {kGet,
       [](Scene& scene) {
         scene.route.response_headers.add.push_back({.name = "a", .value = "a\nb"});
         scene.then_of_server = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
       },
       "500 Internal Server Error", "- response_headers_malformed", "Internal Server Error", "2xx"},
      {kGet, [](Scene& scene) { scene.server_closes = true; }, "503 Service Unavailable",
       "UC upstream_reset_before_response_started{connection_termination}", termination, "5xx"},
  };
  for (const Row& row : rows) expect(row);
}

}  // namespace
}  // namespace weft::proxy
