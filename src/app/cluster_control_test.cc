#include "app/cluster_control.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/control_main.h"
#include "base/base64.h"
#include "base/strings.h"
#include "control/json.h"
#include "control/testing/fake_raw_api.h"
#include "control/testing/objects.h"
#include "http/client.h"
#include "http/grpc/client.h"
#include "store/api_server.h"
#include "store/embedded_store.h"
#include "store/kubernetes/kubernetes_store.h"
#include "xds/proto/discovery.pb.h"

namespace weft::app {
namespace {

constexpr const char* kClusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
constexpr const char* kName = "weft-control.weft-system.svc";

constexpr const char* kObjects = R"(
apiVersion: v1
kind: Namespace
metadata: {name: weft-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reviews, namespace: default}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {clusterIP: 10.96.0.20, selector: {app: reviews}, ports: [{name: http, port: 9080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-a, namespace: default, labels: {app: reviews}}
spec: {serviceAccountName: reviews, containers: [{name: app, image: x}]}
)";

tls::WallTime now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

/// A whole API server, over TLS, that also reviews tokens: "good:NAMESPACE/POD" is one.
class Cluster {
 public:
  explicit Cluster(net::Loop& loop)
      : loop_(loop), authority_(*tls::CertificateAuthority::make("api authority", 1h, now())) {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-cluster-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    store = *store::EmbeddedStore::open(loop, directory_ + "/store");
    api_ = std::make_unique<store::ApiServer>(loop, *store);
    api_->add_route("/apis/authentication.k8s.io/",
                    [this](http::ServerExchange& exchange) { return review(exchange); });
    api_->add_route("/apis/coordination.k8s.io/",
                    [this](http::ServerExchange& exchange) { return keep_lease(exchange); });
    auto key = *tls::PrivateKey::make();
    auto certificate = *authority_.issue(
        {.common_name = "api", .dns_names = {}, .ip_addresses = {"127.0.0.1"}, .uris = {}, .lifetime = 1h},
        key, now());
    context_ = *tls::Context::server({.certificate_chain_pem = certificate, .private_key_pem = key.pem()});
    listen(*net::Address::parse_ip_port("127.0.0.1:0"));
    address_ = server_->address();
  }
  ~Cluster() { std::filesystem::remove_all(directory_); }

  void stop() { server_.reset(); }
  void start() { listen(address_); }

  store::ClusterAccess access() const {
    store::ClusterAccess access;
    access.host = access.server_name = "127.0.0.1";
    access.port = address_.port();
    access.roots_pem = authority_.certificate_pem();
    access.token = "control-plane";
    return access;
  }

  std::string write_kubeconfig() const {
    std::string path = directory_ + "/kubeconfig";
    std::ofstream(path)
        << "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: "
           "{cluster: c, user: u}}]\nusers: [{name: u, user: {token: control-plane}}]\nclusters: "
           "[{name: c, cluster: {server: \"https://127.0.0.1:"
        << address_.port()
        << "\", certificate-authority-data: " << encode_base64(authority_.certificate_pem()) << "}}]\n";
    return path;
  }
  const std::string& directory() const { return directory_; }

  std::unique_ptr<store::EmbeddedStore> store;
  api::Json lease;
  std::string minor;                   ///< it is Kubernetes 1.`minor`; empty: what our API server says
  std::string forbidden = "/nothing";  ///< what is asked of such a path is answered 403

 private:
  void listen(const net::Address& at) {
    http::ServerOptions options;
    options.tls = [this] { return context_; };
    server_ = *http::Server::listen(
        loop_, at,
        [this](http::ServerExchange& exchange) {
          if (exchange.request().path == "/version" && !minor.empty()) return say_version(exchange);
          if (exchange.request().path.find(forbidden) == std::string::npos) return api_->handle(exchange);
          return forbid(exchange);
        },
        options);
  }

  static net::Task<void> forbid(http::ServerExchange& exchange) {
    const api::Json status = {
        {"kind", "Status"}, {"code", 403}, {"reason", "Forbidden"}, {"message", "forbidden"}};
    (void)co_await http::respond(exchange, 403, "application/json", status.dump());
  }

  net::Task<void> say_version(http::ServerExchange& exchange) {
    const api::Json version = {{"major", "1"}, {"minor", minor}, {"gitVersion", "v1." + minor + ".1"}};
    (void)co_await http::respond(exchange, 200, "application/json", version.dump());
  }

  net::Task<void> review(http::ServerExchange& exchange) {
    auto body = co_await http::read_all(exchange, 64 * 1024);
    std::string token = api::Json::parse(*body)["spec"]["token"];
    auto parts = split(token.starts_with("good:") ? std::string_view(token).substr(5) : "", '/');
    api::Json answer = {{"status", {{"authenticated", false}, {"error", "no such token"}}}};
    if (parts.size() == 2)
      answer = control::testing::good_token_review(std::string(parts[0]), "reviews", std::string(parts[1]));
    (void)co_await http::respond(exchange, 201, "application/json", answer.dump());
  }

  /// The one Lease there is.
  net::Task<void> keep_lease(http::ServerExchange& exchange) {
    if (exchange.request().method != "GET") {
      auto body = co_await http::read_all(exchange, 64 * 1024);
      lease = api::Json::parse(*body);
      lease["metadata"]["resourceVersion"] = std::to_string(++lease_versions_);
    }
    api::Json missing = {{"kind", "Status"}, {"status", "Failure"}, {"code", 404}, {"reason", "NotFound"}};
    missing["details"] = {{"name", "weft-control-leader"}};
    (void)co_await http::respond(exchange, lease.is_null() ? 404 : 200, "application/json",
                                 (lease.is_null() ? missing : lease).dump());
  }

  net::Loop& loop_;
  std::string directory_;
  int lease_versions_ = 0;
  tls::CertificateAuthority authority_;
  std::shared_ptr<const tls::Context> context_;
  std::unique_ptr<store::ApiServer> api_;
  std::unique_ptr<http::Server> server_;
  net::Address address_;
};

constexpr std::string_view kNative = R"("restartPolicy":"Always")";

class ClusterControlTest : public ::testing::Test {
 protected:
  ClusterControlTest() : cluster(loop) {}
  void SetUp() override {
    for (const auto& object : control::testing::objects(kObjects)) {
      api::Object made = *object;
      ASSERT_TRUE(wait_for(cluster.store->create(made)));
      if (made.kind->kind != "Pod") continue;
      made.body["status"] = {{"phase", "Running"}, {"podIP", "10.0.0.1"}, {"hostIP", "192.168.0.1"}};
      ASSERT_TRUE(wait_for(cluster.store->update_status(made)));
    }
    kubernetes = *store::KubernetesStore::open(loop, cluster.access());
    begin();
  }
  void begin() {
    net::Address any = *net::Address::parse_ip_port("127.0.0.1:0");
    control = std::make_unique<ClusterControl>(loop, *kubernetes, *kubernetes,
                                               ClusterControlOptions{"weft-system", any, any, any, any});
    ASSERT_TRUE(control->start());
    ASSERT_TRUE(until([this] { return control->ports().mesh_api && control->problems().empty(); }))
        << join(control->problems(), "; ");
  }

  bool until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < limit) loop.run_once(5ms);
    return done();
  }
  template <class T>
  T wait_for(net::Task<T> task) {
    std::optional<T> answer;
    net::TaskScope tasks;
    tasks.spawn(take(answer, std::move(task)));
    EXPECT_TRUE(until([&] { return answer.has_value(); }));
    return std::move(answer).value();
  }
  template <class T>
  static net::Task<void> take(std::optional<T>& to, net::Task<T> task) {
    to = co_await std::move(task);
  }

  std::shared_ptr<const tls::Context> trust(std::vector<std::string> alpn) {
    return *tls::Context::client(
        {.roots_pem = control->root_pem(), .server_name = kName, .alpn = std::move(alpn)});
  }
  http::Response fetch(const net::Address& at, http::Request request, bool over_tls) {
    http::FetchOptions options;
    if (over_tls) options.tls = trust({});
    auto answer = wait_for(http::fetch(loop, at, std::move(request), std::move(options)));
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().text);
    return answer ? std::move(*answer) : http::Response{};
  }
  http::Response post(const std::string& path, const std::string& body,
                      const std::string& type = "application/json") {
    http::Request request{.method = "POST", .path = path, .authority = kName, .body = body};
    request.headers.add("content-type", type);
    return fetch(*control->ports().webhooks, std::move(request), true);
  }
  /// What the webhook makes of a pod.
  std::string patch() {
    const api::Json pod = {{"metadata", {{"name", "a"}}},
                           {"spec", {{"containers", {{{"name", "app"}, {"image", "x"}}}}}}};
    const api::Json review = {
        {"apiVersion", "admission.k8s.io/v1"},
        {"kind", "AdmissionReview"},
        {"request", {{"uid", "1"}, {"namespace", "default"}, {"operation", "CREATE"}, {"object", pod}}}};
    const api::Json response = api::Json::parse(post("/inject", review.dump()).body);
    return decode_base64(response["response"]["patch"].get<std::string>()).value_or("");
  }
  std::string get(const std::string& path) {
    return fetch(*control->ports().monitoring, {.path = path}, false).body;
  }

  /// What a proxy with this token and node id is answered first: an error's text, or the type and how many
  /// resources.
  std::string ask(const std::string& token, const std::string& node) {
    auto connected =
        wait_for(http::grpc::Client::connect(loop, *control->ports().xds, {.tls = trust({"h2"})}));
    if (!connected) return connected.error().text;
    client = std::move(*connected);
    http::Headers metadata;
    if (!token.empty()) metadata.add("authorization", "Bearer " + token);
    stream = client->open(control::AdsServer::kPath, kName, metadata);
    envoy::service::discovery::v3::DiscoveryRequest request;
    request.mutable_node()->set_id(node);
    request.set_type_url(kClusterType);
    (void)wait_for(stream->write(request.SerializeAsString()));
    auto answer = wait_for(stream->read());
    if (!answer) return answer.error().text;
    envoy::service::discovery::v3::DiscoveryResponse response;
    EXPECT_TRUE(response.ParseFromString(*answer));
    return response.resources_size() > 0 ? response.type_url() : "nothing";
  }

  net::Loop loop;
  Cluster cluster;
  std::unique_ptr<store::KubernetesStore> kubernetes;
  std::unique_ptr<ClusterControl> control;
  std::unique_ptr<http::grpc::Client> client;
  std::unique_ptr<http::grpc::MessageStream> stream;
};

constexpr const char* kNode = "sidecar~10.0.0.1~reviews-a.default~default.svc.cluster.local";

TEST_F(ClusterControlTest,
       a_proxy_with_a_good_token_gets_its_clusters_over_TLS_and_comes_again_after_a_restart) {
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
  EXPECT_NE(get("/metrics").find("pilot_xds 1\n"), std::string::npos);
  for (const char* line :
       {"weft_control_xds_connections 1\n", "weft_control_xds_strangers 0\n",
        "weft_control_xds_closed_total{reason=\"limit\"} 0\n",
        "weft_control_xds_closed_total{reason=\"silent\"} 0\n",
        "weft_control_xds_closed_total{reason=\"full\"} 0\n", "weft_control_xds_over_limit_total 0\n"})
    EXPECT_NE(get("/metrics").find(line), std::string::npos) << line;
  std::string root = control->root_pem();
  stream.reset();
  client.reset();
  control.reset();
  begin();
  EXPECT_EQ(control->root_pem(), root) << "the authority outlives the process";
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
}

TEST_F(ClusterControlTest,
       whoever_claims_another_namespace_or_has_no_good_token_is_rejected_with_the_reason) {
  std::string other = ask("good:default/reviews-a", "sidecar~10.0.0.1~reviews-a.shop~shop.svc.cluster.local");
  EXPECT_NE(other.find("7"), std::string::npos) << other;
  EXPECT_NE(other.find("node.id"), std::string::npos) << other;
  std::string bad = ask("forged", kNode);
  EXPECT_NE(bad.find("16"), std::string::npos) << bad;
  EXPECT_NE(bad.find("no such token"), std::string::npos) << bad;
  std::string none = ask("", kNode);
  EXPECT_NE(none.find("16"), std::string::npos) << none;
}

TEST_F(ClusterControlTest, the_webhooks_answer_over_HTTPS_and_reject_what_is_no_review) {
  api::Json review = {
      {"apiVersion", "admission.k8s.io/v1"},
      {"kind", "AdmissionReview"},
      {"request",
       {{"uid", "1"},
        {"namespace", "default"},
        {"operation", "CREATE"},
        {"object",
         {{"metadata", {{"name", "a"}}}, {"spec", {{"containers", {{{"name", "app"}, {"image", "x"}}}}}}}}}}};
  for (const char* path : {"/inject", "/inject/cluster/one/net/two"}) {
    http::Response answer = post(path, review.dump());
    EXPECT_EQ(answer.head.status, 200);
    EXPECT_TRUE(api::Json::parse(answer.body)["response"].contains("patch")) << answer.body;
  }
  review["request"]["object"] = {{"apiVersion", "networking.istio.io/v1"},
                                 {"kind", "Gateway"},
                                 {"metadata", {{"name", "g"}, {"namespace", "default"}}},
                                 {"spec", {{"servers", api::Json::array()}}}};
  api::Json verdict = api::Json::parse(post("/validate", review.dump()).body)["response"];
  EXPECT_EQ(verdict["allowed"], false);
  EXPECT_NE(verdict["status"]["message"].get<std::string>().find("spec.servers"), std::string::npos);
  EXPECT_EQ(post("/inject", "").head.status, 400);
  EXPECT_EQ(post("/inject", "{}").head.status, 400);
  EXPECT_EQ(post("/inject", "{}", "text/plain").head.status, 415);
  EXPECT_EQ(post("/inject", std::string(6 * 1024 * 1024 + 1, 'x')).head.status, 413);
  EXPECT_EQ(post("/other", "{}").head.status, 404);
  EXPECT_NE(get("/metrics").find("sidecar_injection_success_total 2"), std::string::npos);
}

TEST_F(ClusterControlTest, a_pod_is_injected_as_the_version_of_its_cluster_allows) {
  const auto patch_on = [&](const std::string& minor) {
    cluster.minor = minor;
    control.reset();
    begin();
    return patch();
  };
  const std::string newest = patch_on("34"), without_sleep = patch_on("29+"), without_native = patch_on("28");
  EXPECT_NE(newest.find("\"sleep\""), std::string::npos) << newest;
  EXPECT_EQ(without_sleep.find("\"sleep\""), std::string::npos) << without_sleep;
  EXPECT_NE(without_sleep.find(kNative), std::string::npos) << without_sleep;
  EXPECT_EQ(without_native.find(kNative), std::string::npos) << without_native;
}

TEST_F(ClusterControlTest, a_version_that_is_denied_at_first_is_asked_for_again) {
  cluster.forbidden = "/version";
  control.reset();
  begin();
  EXPECT_NE(patch().find(kNative), std::string::npos);
  cluster.minor = "28";
  EXPECT_TRUE(until([&] { return patch().find(kNative) == std::string::npos; }));
}

TEST_F(ClusterControlTest, the_root_is_in_the_namespaces_and_comes_back_when_it_is_edited) {
  api::Key key{api::find_kind_by_plural("", "configmaps"), "default", "weft-ca-root-cert"};
  auto root = [&] {
    auto found = wait_for(cluster.store->get(key));
    return found ? std::string(control::json::text((*found)->body["data"], "root-cert.pem")) : std::string();
  };
  EXPECT_TRUE(until([&] { return root() == control->root_pem(); }));
  api::Object edited = **wait_for(cluster.store->get(key));
  edited.body["data"]["root-cert.pem"] = "forged";
  ASSERT_TRUE(wait_for(cluster.store->update(edited)));
  EXPECT_TRUE(until([&] { return root() == control->root_pem(); }));
}

TEST_F(ClusterControlTest, another_authority_in_the_secret_is_taken_over_published_and_served_by) {
  auto other = *tls::CertificateAuthority::make("another", 24h, now());
  api::Object secret =
      **wait_for(cluster.store->get({api::find_kind_by_plural("", "secrets"), "weft-system", "weft-ca"}));
  secret.body["data"] = {{"tls.crt", encode_base64(other.certificate_pem())},
                         {"tls.key", encode_base64(other.key_pem())}};
  ASSERT_TRUE(wait_for(cluster.store->update(secret)));
  const api::Key key{api::find_kind_by_plural("", "configmaps"), "default", "weft-ca-root-cert"};
  EXPECT_TRUE(until([&] {
    auto found = wait_for(cluster.store->get(key));
    return found && control::json::text((*found)->body["data"], "root-cert.pem") == other.certificate_pem();
  }));
  EXPECT_EQ(control->root_pem(), other.certificate_pem());
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
}

TEST_F(ClusterControlTest,
       without_the_API_server_proxies_keep_their_stream_and_new_ones_are_told_to_come_again) {
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
  auto kept = std::move(stream);
  auto kept_client = std::move(client);
  cluster.stop();
  EXPECT_EQ(get("/ready"), "ok\n");
  std::string fresh = ask("good:default/reviews-b", kNode);
  EXPECT_NE(fresh.find("14"), std::string::npos) << fresh;
  EXPECT_NE(get("/metrics").find("pilot_xds 1\n"), std::string::npos);
  cluster.start();
  for (const auto& object : control::testing::objects("apiVersion: v1\nkind: Service\nmetadata: {name: new, "
                                                      "namespace: default}\nspec: {ports: [{port: 80}]}\n"))
    (void)wait_for(cluster.store->create(*object));
  EXPECT_TRUE(until(
      [&] { return get("/metrics").find("weft_control_objects{kind=\"Service\"} 2") != std::string::npos; }));
}

TEST_F(ClusterControlTest, a_right_that_is_lost_is_named_and_webhooks_and_proxies_are_served_on) {
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
  cluster.stop();
  cluster.forbidden = "/services?";
  cluster.start();
  EXPECT_TRUE(until([&] { return get("/ready").find("services is denied") != std::string::npos; }));
  EXPECT_TRUE(get("/ready").starts_with("ok, but\n"));
  stream.reset();
  client.reset();
  EXPECT_EQ(ask("good:default/reviews-a", kNode), kClusterType);
}

/// `weft control --kubernetes` as a process of its own; its log is a file.
class Process {
 public:
  Process(const std::string& kubeconfig, std::string log) : log_(std::move(log)) {
    pid_ = fork();
    if (pid_ != 0) return;
    (void)freopen(log_.c_str(), "w", stderr);
    std::vector<std::string> words = {"control", "--kubernetes", "--kubeconfig", kubeconfig};
    for (const char* flag :
         {"--xds-address", "--webhook-address", "--monitoring-address", "--mesh-api-address"})
      words.insert(words.end(), {flag, "127.0.0.1:0"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    _exit(control_main(static_cast<int>(arguments.size()), arguments.data()));
  }
  ~Process() {
    if (pid_ > 0 && !exit_code()) kill(pid_, SIGKILL);
  }
  void terminate() const { kill(pid_, SIGTERM); }
  std::optional<int> exit_code() {
    int status = 0;
    if (!code_ && waitpid(pid_, &status, WNOHANG) == pid_)
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return code_;
  }
  bool logged(const std::string& words) const {
    std::ifstream file(log_);
    return std::string(std::istreambuf_iterator<char>(file), {}).find(words) != std::string::npos;
  }

 private:
  std::string log_;
  pid_t pid_;
  std::optional<int> code_;
};

TEST_F(ClusterControlTest, as_a_process_it_reads_a_kubeconfig_leads_and_gives_the_lead_back_at_its_end) {
  Process process(cluster.write_kubeconfig(), cluster.directory() + "/log");
  EXPECT_TRUE(
      until([&] { return process.logged("control: ready") && process.logged("this replica leads"); }));
  std::string holder(control::json::text(cluster.lease["spec"], "holderIdentity"));
  EXPECT_FALSE(holder.empty());
  process.terminate();
  EXPECT_TRUE(until([&] { return process.exit_code().has_value(); }));
  EXPECT_EQ(process.exit_code(), 0);
  EXPECT_NE(control::json::text(cluster.lease["spec"], "holderIdentity"), holder);
}

}  // namespace
}  // namespace weft::app
