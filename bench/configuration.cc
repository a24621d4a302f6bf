// What a mesh's configuration costs one sidecar: the first whole set, one changed rule, one changed endpoint,
// and the memory that holding it takes. From the bytes of a response to the moment when both workers run it.
//   configuration [SERVICES [SUBSETS [delta]]]
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "proxy/server.h"
#include "xds/ads_client.h"
#include "xds/convert.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/http_connection_manager.pb.h"
#include "xds/proto/route_table_change.pb.h"
#include "xds/wire.h"

namespace {

using namespace weft;
using xds::Type;

constexpr int kChanges = 30;

// making the responses, as the control plane does

std::string host_of(int service) {
  std::string number = std::to_string(service);
  return "svc-" + std::string(4 - std::min<std::size_t>(4, number.size()), '0') + number;
}

std::string cluster_of(int service, int subset) {
  return "outbound|8080|" + (subset ? "v" + std::to_string(subset) : "") + "|" + host_of(service) +
         ".default.svc.cluster.local";
}

std::string cluster_bytes(int service, int subset) {
  envoy::config::cluster::v3::Cluster made;
  made.set_name(cluster_of(service, subset));
  made.set_type(envoy::config::cluster::v3::Cluster::EDS);
  made.set_lb_policy(envoy::config::cluster::v3::Cluster::LEAST_REQUEST);
  made.mutable_connect_timeout()->set_seconds(10);
  auto& eds = *made.mutable_eds_cluster_config();
  eds.mutable_eds_config()->mutable_ads();
  eds.mutable_eds_config()->set_resource_api_version(envoy::config::core::v3::V3);
  eds.set_service_name(made.name());
  auto& limits = *made.mutable_circuit_breakers()->add_thresholds();
  limits.mutable_max_connections()->set_value(~0u);
  limits.mutable_max_pending_requests()->set_value(~0u);
  limits.mutable_max_requests()->set_value(~0u);
  limits.mutable_max_retries()->set_value(~0u);
  return made.SerializeAsString();
}

std::string endpoint_bytes(int service, int subset, int change) {
  envoy::config::endpoint::v3::ClusterLoadAssignment made;
  made.set_cluster_name(cluster_of(service, subset));
  auto& locality = *made.add_endpoints();
  for (int i = 0; i < 2; ++i) {
    auto& one = *locality.add_lb_endpoints();
    auto& address = *one.mutable_endpoint()->mutable_address()->mutable_socket_address();
    address.set_address("10." + std::to_string(change % 200) + "." + std::to_string(service / 120) + "." +
                        std::to_string(service % 120 * 2 + i + 1));
    address.set_port_value(8080);
    one.mutable_load_balancing_weight()->set_value(1);
  }
  return made.SerializeAsString();
}

/// As from a rule: some requests by header and path, the rest by weight to this service and the next.
void add_routes(envoy::config::route::v3::VirtualHost& host, int service, int subset, int change) {
  for (const bool some : {true, false}) {
    auto& made = *host.add_routes();
    auto& fields = *(*made.mutable_metadata()->mutable_filter_metadata())["istio"].mutable_fields();
    fields["config"].set_string_value("/apis/networking.istio.io/v1/namespaces/default/virtual-service/" +
                                      host_of(service));
    made.mutable_match()->set_prefix(some ? "/api" : "/");
    auto& action = *made.mutable_route();
    if (some) {
      auto& header = *made.mutable_match()->add_headers();
      header.set_name("end-user");
      header.mutable_string_match()->set_exact("tester");
      action.set_cluster(cluster_of(service, subset));
    } else {
      for (const int to : {0, 1}) {
        auto& cluster = *action.mutable_weighted_clusters()->add_clusters();
        cluster.set_name(cluster_of(service + to, subset));
        cluster.mutable_weight()->set_value(to ? 10 : 90);
      }
    }
    action.mutable_timeout()->set_seconds(change);
    auto& policy = *action.mutable_retry_policy();
    policy.set_retry_on("connect-failure,refused-stream,unavailable,cancelled");
    policy.mutable_num_retries()->set_value(2);
    auto& predicate = *policy.add_retry_host_predicate();
    predicate.set_name("envoy.retry_host_predicates.previous_hosts");
    predicate.mutable_typed_config()->PackFrom(
        envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate());
    policy.set_host_selection_retry_max_attempts(5);
    made.mutable_decorator()->set_operation(host_of(service) + ".default.svc.cluster.local:8080/*");
  }
}

/// With one of the rules changed as often as `change` says.
std::string table_bytes(int services, int subsets, int change) {
  envoy::config::route::v3::RouteConfiguration made;
  made.set_name("8080");
  made.mutable_validate_clusters()->set_value(false);
  made.mutable_max_direct_response_body_size_bytes()->set_value(1024 * 1024);
  made.set_ignore_port_in_host_matching(true);
  for (int i = 0; i < services; ++i) {
    auto& host = *made.add_virtual_hosts();
    const std::string name = host_of(i);
    host.set_name(name + ".default.svc.cluster.local:8080");
    for (const char* rest :
         {".default.svc.cluster.local", ".default.svc.cluster.local.", "", ".default.svc", ".default"})
      host.add_domains(name + rest);
    host.add_domains("10.96." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    host.set_include_request_attempt_count(true);
    for (int subset = subsets; subset >= 0; --subset)
      add_routes(host, i, subset, i == services / 2 ? change : 0);
  }
  return made.SerializeAsString();
}

std::string listener_bytes() {
  envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager manager;
  manager.set_stat_prefix("outbound_0.0.0.0_8080");
  manager.mutable_rds()->set_route_config_name("8080");
  manager.mutable_rds()->mutable_config_source()->mutable_ads();
  manager.mutable_rds()->mutable_config_source()->set_resource_api_version(envoy::config::core::v3::V3);
  auto& router = *manager.add_http_filters();
  router.set_name("envoy.filters.http.router");
  router.mutable_typed_config()->set_type_url(
      "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router");
  envoy::config::listener::v3::Listener made;
  made.set_name("0.0.0.0_8080");
  auto& address = *made.mutable_address()->mutable_socket_address();
  address.set_address("0.0.0.0");
  address.set_port_value(8080);
  made.mutable_bind_to_port()->set_value(false);
  auto& filter = *made.add_filter_chains()->add_filters();
  filter.set_name("envoy.filters.network.http_connection_manager");
  filter.mutable_typed_config()->PackFrom(manager);
  return made.SerializeAsString();
}

bool g_delta = false;

std::string changes(Type type, int version, const std::vector<std::string>& resources, std::string_view url) {
  envoy::service::discovery::v3::DeltaDiscoveryResponse made;
  made.set_type_url(std::string(type_url(type)));
  made.set_system_version_info(std::to_string(version));
  made.set_nonce(std::to_string(version));
  for (const std::string& bytes : resources) {
    auto& one = *made.add_resources();
    one.set_name(type == Type::kRoute ? "8080" : std::string(xds::name_in(type, bytes)));
    one.set_version(std::to_string(version));
    one.mutable_resource()->set_type_url(std::string(url));
    one.mutable_resource()->set_value(bytes);
  }
  return made.SerializeAsString();
}

/// The table with change `version` of a rule, as what has changed since the version before.
std::string table_change(int services, int subsets, int version) {
  const std::string table = table_bytes(services, subsets, version - 1);
  const auto split =
      xds::split_repeated(table, envoy::config::route::v3::RouteConfiguration::kVirtualHostsFieldNumber);
  weft::xds::v1::RouteTableChange made;
  made.set_base(std::to_string(version - 1));
  made.set_table(split->rest);
  made.set_before_hosts(static_cast<std::uint32_t>(split->before));
  const auto at = static_cast<std::uint32_t>(services / 2);
  made.add_hosts()->set_count(at);
  made.add_hosts()->set_changed(std::string(split->items[at]));
  auto& rest = *made.add_hosts();
  rest.set_first(at + 1);
  rest.set_count(static_cast<std::uint32_t>(services) - at - 1);
  return made.SerializeAsString();
}

std::string response(Type type, int version, const std::vector<std::string>& resources) {
  if (g_delta) return changes(type, version, resources, type_url(type));
  envoy::service::discovery::v3::DiscoveryResponse made;
  made.set_type_url(std::string(type_url(type)));
  made.set_version_info(std::to_string(version));
  made.set_nonce(std::to_string(version));
  for (const std::string& bytes : resources) {
    auto& any = *made.add_resources();
    any.set_type_url(std::string(type_url(type)));
    any.set_value(bytes);
  }
  return made.SerializeAsString();
}

// In another process, for the memory of this one is measured.
class Responses {
 public:
  Responses(int services, int subsets) : file_(memfd_create("responses", 0)) {
    const pid_t maker = fork();
    if (maker == 0) {
      make(services, subsets);
      _exit(0);
    }
    int status = 0;
    waitpid(maker, &status, 0);
    offset_ = 0;
  }
  std::string next() {
    std::size_t size = 0;
    pread(&size, sizeof size);
    std::string bytes(size, '\0');
    pread(bytes.data(), size);
    return bytes;
  }

 private:
  void pread(void* into, std::size_t size) {
    if (::pread(file_, into, size, offset_) != static_cast<ssize_t>(size)) std::abort();
    offset_ += static_cast<off_t>(size);
  }
  void write(const std::string& bytes) {
    const std::size_t size = bytes.size();
    if (::write(file_, &size, sizeof size) < 0 || ::write(file_, bytes.data(), size) < 0) std::abort();
  }
  void make(int services, int subsets) {
    std::vector<std::string> clusters, endpoints;
    for (int i = 0; i < services; ++i)
      for (int subset = 0; subset <= subsets; ++subset) {
        clusters.push_back(cluster_bytes(i, subset));
        endpoints.push_back(endpoint_bytes(i, subset, 0));
      }
    write(response(Type::kCluster, 1, clusters));
    write(response(Type::kEndpoint, 1, endpoints));
    write(response(Type::kListener, 1, {listener_bytes()}));
    write(response(Type::kRoute, 1, {table_bytes(services, subsets, 0)}));
    for (int i = 1; i <= kChanges; ++i)
      write(g_delta
                ? changes(Type::kRoute, i + 1, {table_change(services, subsets, i + 1)}, xds::kTableChangeUrl)
                : response(Type::kRoute, i + 1, {table_bytes(services, subsets, i)}));
    for (int i = 1; i <= kChanges; ++i)
      write(response(Type::kEndpoint, i + 1, {endpoint_bytes(services / 3, 0, i)}));
    for (int i = 1; i <= kChanges; ++i) {
      // Two clusters have changed places: nothing is new.
      std::swap(clusters[0], clusters[clusters.size() - 1]);
      write(response(Type::kCluster, i + 1, clusters));
    }
  }

  int file_;
  off_t offset_ = 0;
};

// the sidecar

double cpu_ms() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

double anonymous_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::atof(line.c_str() + 8);
  return 0;
}

double in_use_kb() { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd) / 1024; }

proxy::ServerOptions options() {
  proxy::ServerOptions made;
  made.concurrency = 2;
  return made;
}

class Sidecar {
 public:
  Sidecar() : server_(*proxy::Server::start(loop_, options())), catalog_({}, {}) {
    server_->apply(catalog_.build(loop_.now()), [this](auto) { running_ = true; });
    while (!running_) loop_.run_once(std::chrono::seconds(1));
    catalog_.commit();
    xds::AdsClient::Options ads;
    ads.source.clusters = ads.source.listeners = true;
    ads.source.delta = g_delta;
    client_ = std::make_unique<xds::AdsClient>(loop_, *server_, catalog_, std::move(ads));
    client_->connected();
    client_->take_requests();
  }
  /// Until the response is acknowledged.
  void take(const std::string& bytes) {
    client_->received(bytes);
    while (!acknowledged(client_->take_requests())) loop_.run_once(std::chrono::seconds(1));
  }
  bool ready() const { return server_->ready(); }

 private:
  static bool acknowledged(const std::vector<std::string>& requests) {
    for (const std::string& each : requests) {
      if (g_delta ? answers<envoy::service::discovery::v3::DeltaDiscoveryRequest>(each)
                  : answers<envoy::service::discovery::v3::DiscoveryRequest>(each))
        return true;
    }
    return false;
  }
  template <class Request>
  static bool answers(const std::string& bytes) {
    Request request;
    request.ParseFromString(bytes);
    if (request.has_error_detail()) std::abort();
    return !request.response_nonce().empty();
  }

  net::Loop loop_;
  std::unique_ptr<proxy::Server> server_;
  xds::Catalog catalog_;
  std::unique_ptr<xds::AdsClient> client_;
  bool running_ = false;
};

struct Cost {
  double cpu, wall;
};

Cost cost_of(Sidecar& sidecar, Responses& responses, int count) {
  std::vector<double> cpu, wall;
  for (int i = 0; i < count; ++i) {
    const std::string bytes = responses.next();
    const double before = cpu_ms();
    const auto begun = std::chrono::steady_clock::now();
    sidecar.take(bytes);
    wall.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    cpu.push_back(cpu_ms() - before);
  }
  std::ranges::sort(cpu);
  std::ranges::sort(wall);
  return {cpu[cpu.size() / 2], wall[wall.size() / 2]};
}

void say(const char* what, Cost cost, double heap) {
  std::printf("  %-28s cpu %8.2f ms   wall %8.2f ms   heap %8.0f KB   anonymous %8.0f KB\n", what, cost.cpu,
              cost.wall, in_use_kb() - heap, anonymous_kb());
}

}  // namespace

int main(int argc, char** argv) {
  const int services = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int subsets = argc > 2 ? std::atoi(argv[2]) : 0;
  g_delta = argc > 3 && std::string_view(argv[3]) == "delta";
  Responses responses(services, subsets);
  Sidecar sidecar;
  const double heap = in_use_kb();
  std::printf("%d services, %d clusters, 2 workers\n", services, services * (subsets + 1));
  say("nothing", {}, heap);
  say("clusters", cost_of(sidecar, responses, 1), heap);
  say("endpoints", cost_of(sidecar, responses, 1), heap);
  say("listener", cost_of(sidecar, responses, 1), heap);
  say("routes", cost_of(sidecar, responses, 1), heap);
  if (!sidecar.ready()) return 1;
  say("one changed rule", cost_of(sidecar, responses, kChanges), heap);
  say("one changed endpoint", cost_of(sidecar, responses, kChanges), heap);
  say("clusters, none changed", cost_of(sidecar, responses, kChanges), heap);
  return 0;
}
