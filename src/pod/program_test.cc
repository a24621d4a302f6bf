#include "pod/program.h"

#include <dirent.h>
#include <gtest/gtest.h>

#include "http/h1/client_connection.h"
#include "pod/testing/application.h"
#include "pod/testing/control_plane.h"
#include "pod/testing/name_server.h"

namespace weft::pod {
namespace {

using testing::Application;
using testing::ControlPlane;
using testing::Folder;
using testing::request;
using testing::run;
using testing::wait_until;

net::Address loopback(std::uint16_t port) { return *net::Address::parse_ip("127.0.0.1", port); }

/// A port that was free a moment ago.
std::uint16_t free_port(net::Loop& loop) {
  return (*net::Listener::listen(loop, loopback(0)))->local_address().port();
}

/// A pod: an application, its sidecar, and a control plane that knows it.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    folder.write("secrets/istio/root-cert.pem", control.root_pem());
    folder.write("secrets/tokens/istio-token", control.token + "\n");
    folder.write("info/labels", "app=\"web\"\n");
    variables = {{"POD_NAME", "web-1"},
                 {"POD_NAMESPACE", "shop"},
                 {"INSTANCE_IP", "127.0.0.1"},
                 {"CA_ADDR", "localhost:" + std::to_string(control.address().port())},
                 {"PROXY_CONFIG", R"({"concurrency":1,"terminationDrainDuration":"0s"})"}};
    front = loopback(free_port(loop));
    control.resources[std::string(xds::type_url(xds::Type::kListener))] = {testing::inbound_listener(front)};
    control.resources[std::string(xds::type_url(xds::Type::kCluster))] = {
        testing::static_cluster("app", app.address())};
  }

  Result<void> begin(Role role = Role::kSidecar) {
    WEFT_TRY(Environment environment, Environment::read(role, "", variables));
    Program::Options options{.environment = std::move(environment)};
    options.places = {
        .secrets = folder.path("secrets"), .pod_info = folder.path("info"), .cgroup = folder.path()};
    options.places.resolver = folder.path("resolv.conf");
    options.ports = {.admin = 0, .health = 0, .metrics = 0, .dns = dns_port, .status = 0};
    WEFT_TRY(program, Program::start(loop, std::move(options), [this] { exited = true; }));
    return {};
  }
  void begin_and_wait() {
    const auto begun = begin();
    ASSERT_TRUE(begun) << begun.error().text;
    ASSERT_TRUE(wait_until(loop, [this] { return program->server().ready(); }));
  }
  net::Address status() const { return loopback(program->status_address().port()); }
  http::Response ready() { return request(loop, status(), "/healthz/ready"); }

  net::Loop loop;
  ControlPlane control{loop};
  Application app{loop};
  Folder folder;
  Variables variables;
  net::Address front;
  std::uint16_t dns_port = 0;
  std::unique_ptr<Program> program;
  bool exited = false;
};

TEST_F(ProgramTest, comes_with_its_token_and_is_ready_when_its_configuration_runs) {
  begin_and_wait();
  EXPECT_EQ(control.authorizations.back(), "Bearer the-token");
  EXPECT_EQ(control.nodes.back(), "sidecar~127.0.0.1~web-1.shop~shop.svc.cluster.local");
  EXPECT_EQ(ready().head.status, 200);
  EXPECT_EQ(request(loop, loopback(program->health_address().port()), "/healthz/ready").head.status, 200);
  app.pages["/page"] = {.body = "here"};
  EXPECT_EQ(request(loop, front, "/page").body, "here");
}

TEST_F(ProgramTest, says_what_it_waits_for) {
  control.responds = false;
  ASSERT_TRUE(begin());
  EXPECT_EQ(ready().head.status, 503);
  EXPECT_NE(ready().body.find("no connection to the control plane yet"), std::string::npos) << ready().body;
}

TEST_F(ProgramTest, resolves_the_pods_names_when_they_are_captured) {
  begin_and_wait();
  EXPECT_TRUE(program->dns_address().empty());
  program.reset();
  variables["PROXY_CONFIG"] = R"({"proxyMetadata":{"ISTIO_META_DNS_CAPTURE":"true"}})";
  control.responds = false;
  ASSERT_TRUE(begin()) << "without servers in resolv.conf too";
  const net::Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const net::Address at = program->dns_address();
  ASSERT_FALSE(at.empty()) << "its socket is there before the proxy can be ready";
  const std::string question = testing::dns_question("reviews", 7);
  ASSERT_GT(::sendto(client.get(), question.data(), question.size(), 0, at.data(), at.size()), 0);
  char response[512];
  EXPECT_TRUE(wait_until(loop, [&] { return ::recv(client.get(), response, sizeof response, 0) > 0; }));
}

TEST_F(ProgramTest, does_not_start_without_the_port_of_captured_names) {
  variables["ISTIO_META_DNS_CAPTURE"] = "true";
  ASSERT_TRUE(begin());
  const std::unique_ptr<Program> other = std::move(program);
  dns_port = other->dns_address().port();
  const auto begun = begin();
  ASSERT_FALSE(begun);
  EXPECT_NE(begun.error().text.find("DNS proxy"), std::string::npos) << begun.error().text;
}

TEST_F(ProgramTest, waits_for_its_root_certificate_and_for_its_token) {
  folder.write("secrets/tokens/istio-token", "");
  std::filesystem::remove(folder.path("secrets/istio/root-cert.pem"));
  ASSERT_TRUE(begin());
  for (int i = 0; i < 20; ++i) loop.run_once(10ms);
  EXPECT_TRUE(control.authorizations.empty());
  EXPECT_NE(ready().body.find("root-cert.pem is not there yet"), std::string::npos) << ready().body;
  folder.write("secrets/istio/root-cert.pem", control.root_pem());
  for (int i = 0; i < 20; ++i) loop.run_once(10ms);
  EXPECT_TRUE(control.authorizations.empty());
  folder.write("secrets/tokens/istio-token", "the-token");
  EXPECT_TRUE(wait_until(loop, [this] { return program->server().ready(); }));
}

TEST_F(ProgramTest, reads_root_and_token_again_for_each_connection) {
  folder.write("secrets/tokens/istio-token", "expired");
  folder.write("secrets/istio/root-cert.pem", ControlPlane(loop).root_pem());
  ASSERT_TRUE(begin());
  for (int i = 0; i < 30; ++i) loop.run_once(10ms);
  EXPECT_TRUE(control.authorizations.empty()) << "another authority vouches for it";
  EXPECT_NE(ready().body.find("not trusted"), std::string::npos) << ready().body;
  folder.write("secrets/istio/root-cert.pem", control.root_pem());
  ASSERT_TRUE(wait_until(loop, [this] { return control.rejected > 0; }));
  EXPECT_FALSE(program->server().ready());
  folder.write("secrets/tokens/istio-token", "the-token");
  EXPECT_TRUE(wait_until(loop, [this] { return program->server().ready(); }));
}

TEST_F(ProgramTest, a_server_of_another_name_is_not_asked) {
  ControlPlane other(loop, "elsewhere.example");
  folder.write("secrets/istio/root-cert.pem", other.root_pem());
  variables["CA_ADDR"] = "localhost:" + std::to_string(other.address().port());
  ASSERT_TRUE(begin());
  ASSERT_TRUE(wait_until(
      loop, [this] { return ready().body.find("certificate is not for localhost") != std::string::npos; }));
  EXPECT_TRUE(other.authorizations.empty()) << "no token goes to an unknown server";
}

TEST_F(ProgramTest, status_pages_hand_on_probes_and_join_metrics) {
  const std::string port = std::to_string(app.port());
  variables["ISTIO_KUBE_APP_PROBERS"] =
      R"({"/app-health/web/livez":{"httpGet":{"path":"/live","port":)" + port +
      R"(}},"/app-lifecycle/web/prestopz":{"httpGet":{"path":"/stop","port":)" + port + "}}}";
  variables["ISTIO_PROMETHEUS_ANNOTATIONS"] =
      R"({"scrape":"true","port":")" + port + R"(","path":"/custom"})";
  app.pages["/live"] = {.status = 503, .body = "not well"};
  app.pages["/stop"] = {.status = 200, .body = "bye"};
  app.pages["/custom"] = {.body = "application_up 1"};
  begin_and_wait();
  const auto live = request(loop, status(), "/app-health/web/livez");
  EXPECT_EQ(live.head.status, 503);
  EXPECT_EQ(live.body, "not well");
  EXPECT_EQ(request(loop, status(), "/app-lifecycle/web/prestopz").body, "bye");
  EXPECT_EQ(request(loop, status(), "/app-health/web/startupz").head.status, 400);
  const std::string joined = request(loop, status(), "/stats/prometheus").body;
  EXPECT_NE(joined.find("envoy_server_live"), std::string::npos);
  EXPECT_NE(joined.find("\napplication_up 1\n"), std::string::npos);
  const std::string own =
      request(loop, loopback(program->metrics_address().port()), "/stats/prometheus").body;
  EXPECT_NE(own.find("envoy_server_live"), std::string::npos);
  EXPECT_EQ(own.find("application_up"), std::string::npos);
  app.pages["/custom"] = {.status = 500};
  const auto alone = request(loop, status(), "/stats/prometheus");
  EXPECT_EQ(alone.head.status, 200);
  EXPECT_NE(alone.body.find("envoy_server_live"), std::string::npos);
  EXPECT_EQ(request(loop, status(), "/else").head.status, 404);
  EXPECT_EQ(request(loop, loopback(program->health_address().port()), "/stats").head.status, 404);
  EXPECT_EQ(request(loop, loopback(program->metrics_address().port()), "/drain", "POST").head.status, 404);
}

TEST_F(ProgramTest, only_the_pod_itself_and_only_by_post_may_end_it) {
  begin_and_wait();
  EXPECT_EQ(request(loop, status(), "/quitquitquit").head.status, 405);
  EXPECT_EQ(request(loop, status(), "/drain").head.status, 405);
  EXPECT_EQ(ready().head.status, 200);
  EXPECT_EQ(request(loop, status(), "/quitquitquit", "POST").head.status, 200);
  EXPECT_TRUE(wait_until(loop, [this] { return exited; }));
}

TEST_F(ProgramTest, a_classic_sidecar_finishes_what_is_open_and_serves_who_still_comes) {
  begin_and_wait();
  std::optional<Result<http::Response>> held;
  const auto ask = [](net::Loop& on, net::Address to,
                      std::optional<Result<http::Response>>& into) -> net::Task<void> {
    into = co_await http::fetch(on, to, {.path = "/held"});
  };
  net::TaskScope scope;
  scope.spawn(ask(loop, front, held));
  ASSERT_TRUE(wait_until(loop, [this] { return !app.asked.empty(); }));
  program->terminate();
  EXPECT_EQ(ready().head.status, 503) << "at once";
  EXPECT_NE(ready().body.find("draining"), std::string::npos);
  const auto late = request(loop, front, "/late");
  EXPECT_EQ(late.head.status, 404) << "the application's own response";
  EXPECT_FALSE(exited);
  app.released = true;
  ASSERT_TRUE(wait_until(loop, [&] { return held.has_value(); }));
  ASSERT_TRUE(*held) << held->error().text;
  EXPECT_EQ((*held)->head.status, 200);
  EXPECT_TRUE(wait_until(loop, [this] { return exited; }));
}

TEST_F(ProgramTest, stays_at_least_as_long_as_asked_and_at_most_so_long) {
  variables["PROXY_CONFIG"] =
      R"({"concurrency":1,"terminationDrainDuration":"300ms","drainDuration":"700ms"})";
  begin_and_wait();
  const TimePoint begun = SteadyClock::now();
  net::TaskScope scope;
  const auto ask = [](net::Loop& on, net::Address to) -> net::Task<void> {
    static_cast<void>(co_await http::fetch(on, to, {.path = "/held"}));
  };
  scope.spawn(ask(loop, front));
  ASSERT_TRUE(wait_until(loop, [this] { return !app.asked.empty(); }));
  program->terminate();
  ASSERT_TRUE(wait_until(loop, [this] { return exited; }));
  EXPECT_GE(SteadyClock::now() - begun, 700ms) << "a request was open all the time";
  scope.cancel_all();
  program.reset();
  exited = false;
  variables["PROXY_CONFIG"] = R"({"concurrency":1,"terminationDrainDuration":"300ms","drainDuration":"20s"})";
  begin_and_wait();
  const TimePoint idle = SteadyClock::now();
  program->terminate();
  ASSERT_TRUE(wait_until(loop, [this] { return exited; }));
  EXPECT_GE(SteadyClock::now() - idle, 290ms);
  EXPECT_LT(SteadyClock::now() - idle, 20s) << "nothing was open";
}

TEST_F(ProgramTest, a_native_sidecar_drains_without_an_end_and_then_goes_at_once) {
  variables["PROXY_CONFIG"] = R"({"concurrency":1,"terminationDrainDuration":"1h"})";
  begin_and_wait();
  EXPECT_EQ(request(loop, status(), "/drain", "POST").head.status, 200);
  EXPECT_EQ(ready().head.status, 503);
  app.pages["/page"] = {.body = "here"};
  EXPECT_EQ(request(loop, front, "/page").body, "here");
  EXPECT_FALSE(exited);
  program->terminate();
  EXPECT_TRUE(wait_until(loop, [this] { return exited; }))
      << "the application has ended: nothing to wait for";
}

TEST_F(ProgramTest, the_second_signal_ends_it_at_once) {
  variables["PROXY_CONFIG"] = R"({"concurrency":1,"terminationDrainDuration":"1h"})";
  begin_and_wait();
  program->terminate();
  for (int i = 0; i < 20; ++i) loop.run_once(1ms);
  EXPECT_FALSE(exited);
  program->terminate();
  EXPECT_TRUE(wait_until(loop, [this] { return exited; }));
}

TEST_F(ProgramTest, waits_for_connections_when_it_is_asked_to) {
  variables["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] = "true";
  begin_and_wait();
  auto idle = run(loop, net::connect(loop, front, {}));
  ASSERT_TRUE(idle);
  ASSERT_EQ(request(loop, front, "/x").head.status, 404);
  program->terminate();
  for (int i = 0; i < 30; ++i) loop.run_once(10ms);
  EXPECT_FALSE(exited);
  idle->reset();
  EXPECT_TRUE(wait_until(loop, [this] { return exited; }));
}

TEST_F(ProgramTest, goes_on_when_the_control_plane_goes) {
  begin_and_wait();
  control.stop();
  for (int i = 0; i < 30; ++i) loop.run_once(10ms);
  EXPECT_EQ(ready().head.status, 200);
  app.pages["/page"] = {.body = "here"};
  EXPECT_EQ(request(loop, front, "/page").body, "here");
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (folder && ::readdir(folder)) ++count;
  if (folder) ::closedir(folder);
  return count;
}

TEST_F(ProgramTest, its_pages_take_only_so_many_connections) {
  begin_and_wait();
  const std::size_t before = open_descriptors();
  std::vector<std::unique_ptr<net::Socket>> many;
  for (int i = 0; i < 200; ++i) {
    auto made = run(loop, net::connect(loop, status(), {}));
    if (made) many.push_back(std::move(*made));
  }
  for (int i = 0; i < 50; ++i) loop.run_once(1ms);
  EXPECT_LE(open_descriptors() - before, many.size() + 64) << "64 are served, the rest wait in the kernel";
  many.clear();
  EXPECT_EQ(ready().head.status, 200);
}

}  // namespace
}  // namespace weft::pod
