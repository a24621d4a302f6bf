#include "pod/testing/control_plane.h"

#include <filesystem>
#include <fstream>

#include "xds/proto/cluster.pb.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/http_connection_manager.pb.h"
#include "xds/proto/listener.pb.h"

namespace weft::pod::testing {
namespace {

namespace discovery = envoy::service::discovery::v3;

constexpr const char* kPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

void set_address(envoy::config::core::v3::Address& into, const net::Address& from) {
  into.mutable_socket_address()->set_address(from.ip());
  into.mutable_socket_address()->set_port_value(from.port());
}

tls::CertificateAuthority make_authority() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return *tls::CertificateAuthority::make("test authority", std::chrono::hours(1), now);
}

}  // namespace

Folder::Folder() {
  std::string pattern = "/tmp/weft-pod-XXXXXX";
  WEFT_ASSERT(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

void Folder::write(const std::string& name, const std::string& text) const {
  const std::filesystem::path file = path(name);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file.string() + ".new", std::ios::binary) << text;
  std::filesystem::rename(file.string() + ".new", file);
}

ControlPlane::ControlPlane(net::Loop& loop, std::string certificate_name) : authority_(make_authority()) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const tls::PrivateKey key = *tls::PrivateKey::make();
  tls::CertificateRequest request;
  request.common_name = certificate_name;
  request.dns_names = {certificate_name};
  request.lifetime = std::chrono::hours(1);
  tls::ServerOptions options;
  options.certificate_chain_pem = *authority_.issue(request, key, now);
  options.private_key_pem = key.pem();
  options.alpn = {"h2"};
  context_ = *tls::Context::server(options);
  std::map<std::string, http::grpc::Method> methods;
  methods[kPath] = [this](http::grpc::Call call) { return serve(std::move(call)); };
  server_ = *http::grpc::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), std::move(methods),
                                        [this] { return context_; });
}

net::Task<void> ControlPlane::serve(http::grpc::Call call) {
  authorizations.emplace_back(call.metadata.get("authorization").value_or(""));
  if (authorizations.back() != "Bearer " + token) {
    ++rejected;
    call.stream.finish(http::grpc::kPermissionDenied, "this token is not known");
    co_return;
  }
  std::map<std::string, int> asked;
  for (;;) {
    const auto message = co_await call.stream.read();
    if (!message) co_return;
    discovery::DiscoveryRequest request;
    if (!request.ParseFromString(*message)) co_return;
    if (asked.empty()) nodes.push_back(request.node().id());
    if (!responds || asked[request.type_url()]++ > 0) continue;
    discovery::DiscoveryResponse response;
    response.set_type_url(request.type_url());
    response.set_version_info("1");
    response.set_nonce("n");
    for (const std::string& bytes : resources[request.type_url()]) {
      auto* any = response.add_resources();
      any->set_type_url(request.type_url());
      any->set_value(bytes);
    }
    const auto written = co_await call.stream.write(response.SerializeAsString());
    if (!written) co_return;
  }
}

std::string inbound_listener(const net::Address& at) {
  envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager manager;
  manager.set_stat_prefix("inbound");
  auto* host = manager.mutable_route_config()->add_virtual_hosts();
  host->set_name("all");
  host->add_domains("*");
  auto* route = host->add_routes();
  route->mutable_match()->set_prefix("/");
  route->mutable_route()->set_cluster("app");
  auto* router = manager.add_http_filters();
  router->set_name("envoy.filters.http.router");
  router->mutable_typed_config()->set_type_url(
      "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router");
  envoy::config::listener::v3::Listener made;
  made.set_name("inbound");
  set_address(*made.mutable_address(), at);
  made.set_traffic_direction(envoy::config::core::v3::INBOUND);
  auto* filter = made.add_filter_chains()->add_filters();
  filter->set_name("envoy.filters.network.http_connection_manager");
  filter->mutable_typed_config()->PackFrom(manager);
  return made.SerializeAsString();
}

std::string static_cluster(const std::string& name, const net::Address& to) {
  envoy::config::cluster::v3::Cluster made;
  made.set_name(name);
  made.set_type(envoy::config::cluster::v3::Cluster::STATIC);
  auto* assignment = made.mutable_load_assignment();
  assignment->set_cluster_name(name);
  auto* endpoint = assignment->add_endpoints()->add_lb_endpoints()->mutable_endpoint();
  set_address(*endpoint->mutable_address(), to);
  return made.SerializeAsString();
}

}  // namespace weft::pod::testing
