#include "xds/proto/cluster.pb.h"

#include "xds/convert.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/http_protocol_options.pb.h"
#include "xds/resources.h"

namespace weft::xds {
namespace {

namespace cluster = envoy::config::cluster::v3;
namespace core = envoy::config::core::v3;
namespace endpoint = envoy::config::endpoint::v3;
using Config = proxy::ClusterConfig;

constexpr std::string_view kHttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

Result<void> read_discovery(const cluster::Cluster& from, Config& into, const Path& path) {
  switch (from.type()) {
    case cluster::Cluster::STATIC: into.discovery = Config::Discovery::kStatic; break;
    case cluster::Cluster::STRICT_DNS: into.discovery = Config::Discovery::kStrictDns; break;
    case cluster::Cluster::LOGICAL_DNS: into.discovery = Config::Discovery::kLogicalDns; break;
    case cluster::Cluster::EDS:
      into.discovery = Config::Discovery::kEds;
      into.eds_name = from.eds_cluster_config().service_name();
      break;
    case cluster::Cluster::ORIGINAL_DST: into.discovery = Config::Discovery::kOriginalDestination; break;
    default: return unsupported(path / "type", "this type");
  }
  return {};
}

Result<void> read_balance(const cluster::Cluster& from, Config& into, const Path& path) {
  switch (from.lb_policy()) {
    case cluster::Cluster::ROUND_ROBIN: into.balance = Config::Balance::kRoundRobin; break;
    case cluster::Cluster::LEAST_REQUEST: into.balance = Config::Balance::kLeastRequest; break;
    case cluster::Cluster::RANDOM: into.balance = Config::Balance::kRandom; break;
    case cluster::Cluster::CLUSTER_PROVIDED: into.balance = Config::Balance::kClusterProvided; break;
    default: return unsupported(path / "lb_policy", cluster::Cluster::LbPolicy_Name(from.lb_policy()));
  }
  if (from.least_request_lb_config().has_choice_count())
    into.least_request_choices = std::max(2u, from.least_request_lb_config().choice_count().value());
  return {};
}

void read_limits(const cluster::Cluster& from, Config& into) {
  if (from.has_connect_timeout()) into.connect_timeout = to_milliseconds(from.connect_timeout());
  if (from.has_per_connection_buffer_limit_bytes()) into.buffer_limit = from.per_connection_buffer_limit_bytes().value();
  if (from.has_max_requests_per_connection()) into.max_requests_per_connection = from.max_requests_per_connection().value();
  for (const auto& threshold : from.circuit_breakers().thresholds()) {
    if (threshold.priority() != core::DEFAULT) continue;
    if (threshold.has_max_connections()) into.max_connections = threshold.max_connections().value();
    if (threshold.has_max_pending_requests()) into.max_pending_requests = threshold.max_pending_requests().value();
    if (threshold.has_max_requests()) into.max_requests = threshold.max_requests().value();
    if (threshold.has_max_retries()) into.max_retries = threshold.max_retries().value();
  }
  if (from.has_dns_refresh_rate()) into.dns_refresh = to_milliseconds(from.dns_refresh_rate());
}

Result<void> read_http_options(const cluster::Cluster& from, Config& into, const Path& path) {
  for (const auto& [name, any] : from.typed_extension_protocol_options()) {
    const Path at = path / ("typed_extension_protocol_options[" + name + "]");
    if (name != kHttpOptions) return unsupported(at, "this extension");
    envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
    WEFT_CHECK(unpack(any, options, at));
    const core::HttpProtocolOptions& common = options.common_http_protocol_options();
    if (common.has_idle_timeout()) into.idle_timeout = to_milliseconds(common.idle_timeout());
    if (common.has_max_requests_per_connection()) into.max_requests_per_connection = common.max_requests_per_connection().value();
    if (options.explicit_http_config().has_http2_protocol_options())
      return unsupported(at / "explicit_http_config.http2_protocol_options", "HTTP/2 to upstreams");
  }
  return {};
}

Result<void> read_dns_hosts(const cluster::Cluster& from, Config& into, const Path& path) {
  for (const auto& locality : from.load_assignment().endpoints()) {
    for (const auto& one : locality.lb_endpoints()) {
      const core::SocketAddress& address = one.endpoint().address().socket_address();
      if (address.address().empty() || address.port_value() == 0 || address.port_value() > 65535)
        return invalid(path / "load_assignment", "a DNS cluster's endpoint has a host name and a port");
      into.dns_hosts.emplace_back(address.address(), static_cast<std::uint16_t>(address.port_value()));
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const proxy::ClusterConfig>> to_cluster(const cluster::Cluster& from, std::string where) {
  const Path path(std::move(where));
  auto config = std::make_shared<Config>();
  config->name = from.name();
  if (config->name.empty()) return invalid(path / "name", "a cluster has a name");
  config->alt_stat_name = from.alt_stat_name();
  WEFT_CHECK(read_discovery(from, *config, path));
  WEFT_CHECK(read_balance(from, *config, path));
  read_limits(from, *config);
  WEFT_CHECK(read_http_options(from, *config, path));
  if (from.upstream_bind_config().has_source_address()) {
    core::Address source;
    *source.mutable_socket_address() = from.upstream_bind_config().source_address();
    WEFT_TRY(config->bind_source, to_address(source, path / "upstream_bind_config.source_address"));
  }
  const bool by_name = config->discovery == Config::Discovery::kStrictDns || config->discovery == Config::Discovery::kLogicalDns;
  if (by_name) {
    WEFT_CHECK(read_dns_hosts(from, *config, path));
  } else if (config->discovery == Config::Discovery::kStatic) {
    WEFT_TRY(config->endpoints, to_endpoints(from.load_assignment(), (path / "load_assignment").text()));
  }
  return std::shared_ptr<const Config>(std::move(config));
}

Result<std::shared_ptr<const proxy::Endpoints>> to_endpoints(const endpoint::ClusterLoadAssignment& from, std::string where) {
  const Path path(std::move(where));
  auto endpoints = std::make_shared<proxy::Endpoints>();
  endpoints->name = from.cluster_name();
  for (int i = 0; i < from.endpoints_size(); ++i) {
    const auto& group = from.endpoints(i);
    proxy::Locality locality;
    locality.region = group.locality().region();
    locality.zone = group.locality().zone();
    locality.sub_zone = group.locality().sub_zone();
    locality.priority = group.priority();
    locality.weight = group.load_balancing_weight().value();
    for (int j = 0; j < group.lb_endpoints_size(); ++j) {
      const auto& one = group.lb_endpoints(j);
      proxy::Endpoint made;
      const Path at = ((path / "endpoints")[i] / "lb_endpoints")[j];
      WEFT_TRY(made.address, to_address(one.endpoint().address(), at / "endpoint.address"));
      made.hostname = one.endpoint().hostname();
      if (one.has_load_balancing_weight()) made.weight = one.load_balancing_weight().value();
      if (one.health_status() == core::UNHEALTHY || one.health_status() == core::TIMEOUT) made.health = proxy::Health::kUnhealthy;
      if (one.health_status() == core::DRAINING) made.health = proxy::Health::kDraining;
      locality.endpoints.push_back(std::move(made));
    }
    endpoints->localities.push_back(std::move(locality));
  }
  return std::shared_ptr<const proxy::Endpoints>(std::move(endpoints));
}

}  // namespace weft::xds
