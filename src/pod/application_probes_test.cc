#include "pod/application_probes.h"

#include <gtest/gtest.h>

#include "http/grpc/server.h"
#include "pod/application_metrics.h"
#include "pod/testing/application.h"
#include "pod/testing/control_plane.h"
#include "xds/proto/health.pb.h"

namespace weft::pod {
namespace {

using testing::Application;
using testing::run;

class ApplicationProbesTest : public ::testing::Test {
 protected:
  /// The sidecar's response when its one probe is `call`.
  ApplicationProbes::Response ask(const std::string& call, const std::string& agent = "kube-probe/1.34") {
    const std::string json = R"({"/app-health/web/readyz":)" + call + "}";
    const auto probes = ApplicationProbes::parse(json, *net::Address::parse_ip("127.0.0.1", 0));
    EXPECT_TRUE(probes) << probes.error().text;
    return run(loop, probes->ask(loop, "/app-health/web/readyz", agent));
  }
  std::string http(const std::string& path, const std::string& more = "") {
    return R"({"httpGet":{"path":")" + path + R"(","port":)" + std::to_string(app.port()) + more +
           R"(},"timeoutSeconds":2})";
  }
  net::Loop loop;
  Application app{loop};
};

TEST_F(ApplicationProbesTest, hands_back_the_application_s_own_response) {
  app.pages["/health?deep"] = {.status = 418, .body = "teapot"};
  const auto response = ask(http("/health?deep"));
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "teapot");
  EXPECT_EQ(response.content_type, "text/x-application");
  ASSERT_EQ(app.asked.size(), 1u);
  EXPECT_EQ(app.asked[0].peer.ip(), "127.0.0.6") << "the address that capture lets through";
  EXPECT_EQ(app.asked[0].head.headers.get("user-agent"), "kube-probe/1.34");
  EXPECT_EQ(app.asked[0].head.authority, app.address().to_string());
}

TEST_F(ApplicationProbesTest, sends_the_probe_s_own_headers_and_host) {
  app.pages["/"] = {};
  EXPECT_EQ(
      ask(http("/", R"(,"httpHeaders":[{"name":"Host","value":"shop.example"},{"name":"X-Key","value":"7"},
                                             {"name":"User-Agent","value":"mine"}])"))
          .status,
      200);
  EXPECT_EQ(app.asked[0].head.authority, "shop.example");
  EXPECT_EQ(app.asked[0].head.headers.get("x-key"), "7");
  EXPECT_EQ(app.asked[0].head.headers.get("user-agent"), "mine");
}

TEST_F(ApplicationProbesTest, hands_back_ten_kibibytes_at_most) {
  app.pages["/long"] = {.body = std::string(100'000, 'x')};
  const auto response = ask(http("/long"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), 10u * 1024);
}

TEST_F(ApplicationProbesTest, a_silent_or_absent_application_is_500_with_the_reason) {
  app.pages["/slow"] = {.silent = true};
  const TimePoint begun = SteadyClock::now();
  const auto slow =
      ask(R"({"httpGet":{"path":"/slow","port":)" + std::to_string(app.port()) + R"(},"timeoutSeconds":1})");
  EXPECT_EQ(slow.status, 500);
  EXPECT_LT(SteadyClock::now() - begun, 8s);
  const auto closed = net::make_listening_fd(*net::Address::parse_ip("127.0.0.1", 0));
  EXPECT_EQ(ask(R"({"httpGet":{"port":1},"timeoutSeconds":1})").status, 500);
  EXPECT_NE(ask(R"({"httpGet":{"port":"web"}})").body.find("no port number"), std::string::npos);
  EXPECT_EQ(ask(R"({"exec":{}})").status, 500);
}

TEST_F(ApplicationProbesTest, follows_redirects_on_the_same_host_and_no_further) {
  app.pages["/a"] = {.status = 302, .location = "/b?x"};
  app.pages["/b?x"] = {.status = 301, .location = "http://" + app.address().to_string() + "/c"};
  app.pages["/c"] = {.status = 307, .location = "d#part"};
  app.pages["/d"] = {.status = 503, .body = "end"};
  EXPECT_EQ(ask(http("/a")).status, 503);
  EXPECT_EQ(app.asked.size(), 4u);
  app.pages["/away"] = {.status = 302, .location = "https://login.example/"};
  EXPECT_EQ(ask(http("/away")).status, 200);
  app.pages["/round"] = {.status = 302, .location = "/round"};
  app.asked.clear();
  EXPECT_EQ(ask(http("/round")).status, 500);
  EXPECT_EQ(app.asked.size(), 11u);
  app.pages["/nowhere"] = {.status = 304};
  EXPECT_EQ(ask(http("/nowhere")).status, 304);
}

TEST_F(ApplicationProbesTest, https_takes_any_certificate) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto authority = *tls::CertificateAuthority::make("unknown", std::chrono::hours(1), now);
  const tls::PrivateKey key = *tls::PrivateKey::make();
  tls::ServerOptions options;
  options.certificate_chain_pem = *authority.issue({.common_name = "x",
                                                    .dns_names = {"other"},
                                                    .ip_addresses = {},
                                                    .uris = {},
                                                    .lifetime = std::chrono::hours(1)},
                                                   key, now);
  options.private_key_pem = key.pem();
  const auto context = *tls::Context::server(options);
  Application secret(loop, [context] { return context; });
  secret.pages["/"] = {.status = 202};
  const std::string port = std::to_string(secret.port());
  EXPECT_EQ(ask(R"({"httpGet":{"scheme":"HTTPS","port":)" + port + "}}").status, 202);
  EXPECT_EQ(ask(R"({"httpGet":{"scheme":"HTTPS","port":)" + std::to_string(app.port()) + "}}").status, 500);
}

TEST_F(ApplicationProbesTest, tcp_is_a_connection) {
  EXPECT_EQ(ask(R"({"tcpSocket":{"port":)" + std::to_string(app.port()) + "}}").status, 200);
  EXPECT_EQ(ask(R"({"tcpSocket":{"port":1}})").status, 500);
}

/// The health service of gRPC, with one service that serves.
net::Task<void> check(http::grpc::Call call) {
  const auto message = co_await call.stream.read();
  if (!message) co_return;
  grpc::health::v1::HealthCheckRequest question;
  question.ParseFromString(*message);
  using Response = grpc::health::v1::HealthCheckResponse;
  Response response;
  response.set_status(question.service() == "shop" ? Response::SERVING : Response::NOT_SERVING);
  static_cast<void>(co_await call.stream.write(response.SerializeAsString()));
  call.stream.finish();
}

net::Task<void> keep_silent(http::grpc::Call call) {
  static_cast<void>(co_await call.stream.read());
  static_cast<void>(co_await call.stream.read());
}

TEST_F(ApplicationProbesTest, grpc_is_serving_or_not) {
  std::map<std::string, http::grpc::Method> methods;
  methods["/grpc.health.v1.Health/Check"] = [](http::grpc::Call call) { return check(std::move(call)); };
  const auto server = *http::grpc::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), methods);
  const std::string port = std::to_string(server->address().port());
  EXPECT_EQ(ask(R"({"grpc":{"port":)" + port + R"(,"service":"shop"}})").status, 200);
  const auto other = ask(R"({"grpc":{"port":)" + port + "}}");
  EXPECT_EQ(other.status, 500);
  EXPECT_NE(other.body.find("NOT_SERVING"), std::string::npos) << other.body;
  EXPECT_EQ(ask(R"({"grpc":{"port":)" + std::to_string(app.port()) + "}}").status, 500) << "speaks HTTP/1";
  methods["/grpc.health.v1.Health/Check"] = [](http::grpc::Call call) {
    return keep_silent(std::move(call));
  };
  const auto silent = *http::grpc::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), methods);
  const std::string silent_port = std::to_string(silent->address().port());
  EXPECT_EQ(ask(R"({"grpc":{"port":)" + silent_port + R"(},"timeoutSeconds":1})").status, 500);
}

TEST_F(ApplicationProbesTest, a_path_that_is_not_a_probe_is_400_and_what_is_not_json_is_rejected) {
  const net::Address pod = *net::Address::parse_ip("127.0.0.1", 0);
  const auto none = ApplicationProbes::parse("", pod);
  ASSERT_TRUE(none);
  EXPECT_EQ(run(loop, none->ask(loop, "/app-health/x/livez", "")).status, 400);
  const auto wrong = ApplicationProbes::parse("[1]", pod);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().text.find("ISTIO_KUBE_APP_PROBERS"), std::string::npos);
}

TEST_F(ApplicationProbesTest, metrics_come_from_where_the_annotations_said_and_are_bounded) {
  const net::Address pod = *net::Address::parse_ip("127.0.0.1", 0);
  const std::string port = std::to_string(app.port());
  const auto metrics =
      ApplicationMetrics::parse(R"({"scrape":"true","port":")" + port + R"(","path":"/custom"})", pod);
  ASSERT_TRUE(metrics && *metrics);
  app.pages["/custom"] = {.body = "up 1"};
  const auto text = run(loop, (*metrics)->fetch(loop, loop.now() + 5s));
  ASSERT_TRUE(text) << text.error().text;
  EXPECT_EQ(*text, "up 1\n");
  app.pages["/custom"] = {.body = std::string(5'000'000, 'x')};
  EXPECT_FALSE(run(loop, (*metrics)->fetch(loop, loop.now() + 5s)));
  app.pages["/custom"] = {.status = 500};
  EXPECT_FALSE(run(loop, (*metrics)->fetch(loop, loop.now() + 5s)));
  EXPECT_FALSE(ApplicationMetrics::parse(R"({"scrape":"true","port":"web"})", pod));
  EXPECT_FALSE(*ApplicationMetrics::parse(R"({"scrape":"false"})", pod));
}

}  // namespace
}  // namespace weft::pod
