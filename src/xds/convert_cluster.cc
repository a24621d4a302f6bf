#include <cmath>

#include "xds/convert.h"

namespace weft::xds {
namespace {

using Discovery = proxy::ClusterConfig::Discovery;
using Balance = proxy::ClusterConfig::Balance;

constexpr std::string_view kProtocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
constexpr std::uint32_t kMaxPriority = 128;

proxy::Health to_health(core::HealthStatus from) {
  switch (from) {
    case core::UNHEALTHY:
    case core::TIMEOUT: return proxy::Health::kUnhealthy;
    case core::DRAINING: return proxy::Health::kDraining;
    case core::DEGRADED: return proxy::Health::kDegraded;
    default: return proxy::Health::kHealthy;
  }
}

/// What an endpoint, or a name of endpoints, is to get of the requests.
template <class Made>
Result<void> read_share(const endpoint::LbEndpoint& from, Made& made, const Path& path) {
  if (from.has_load_balancing_weight()) made.weight = from.load_balancing_weight().value();
  if (made.weight == 0) return fail(path.field("load_balancing_weight").invalid("has to be at least 1"));
  made.health = to_health(from.health_status());
  return {};
}

Result<std::uint32_t> to_priority(const endpoint::LocalityLbEndpoints& from, const Path& path) {
  if (from.priority() > kMaxPriority) return fail(path.field("priority").invalid("has to be at most 128"));
  return from.priority();
}

Result<std::uint32_t> to_weight(const endpoint::LocalityLbEndpoints& from, const Path& path) {
  if (from.has_load_balancing_weight() && from.load_balancing_weight().value() == 0)
    return fail(path.field("load_balancing_weight").invalid("has to be at least 1"));
  return from.load_balancing_weight().value();
}

Result<std::uint32_t> to_overprovisioning(const endpoint::ClusterLoadAssignment& from, const Path& path) {
  if (!from.policy().has_overprovisioning_factor()) return proxy::kOverprovisioningPercent;
  const std::uint32_t percent = from.policy().overprovisioning_factor().value();
  Path policy = path.field("policy");
  if (percent == 0) return fail(policy.field("overprovisioning_factor").invalid("has to be at least 1"));
  return percent;
}

Result<proxy::Endpoint> to_endpoint(const endpoint::LbEndpoint& from, const Path& path) {
  Path inner = path.field("endpoint");
  if (!from.has_endpoint()) return fail(inner.invalid("is missing"));
  proxy::Endpoint made;
  WEFT_TRY(made.address, to_address(from.endpoint().address(), inner.field("address")));
  made.hostname = from.endpoint().hostname();
  WEFT_CHECK(read_share(from, made, path));
  return made;
}

Result<proxy::Locality> to_locality(const endpoint::LocalityLbEndpoints& from, const Path& path) {
  proxy::Locality made;
  WEFT_TRY(made.weight, to_weight(from, path));
  WEFT_TRY(made.priority, to_priority(from, path));
  Path list = path.field("lb_endpoints");
  made.endpoints.reserve(static_cast<std::size_t>(from.lb_endpoints_size()));
  for (int i = 0; i < from.lb_endpoints_size(); ++i) {
    WEFT_TRY(auto endpoint, to_endpoint(from.lb_endpoints(i), list.item(i)));
    made.endpoints.push_back(std::move(endpoint));
  }
  return made;
}

/// AUTO prefers IPv6 where a name has it, whether or not there is a way there; here that is left to RFC 6724,
/// as for ALL.
proxy::ClusterConfig::DnsFamily dns_family(cluster::Cluster::DnsLookupFamily from) {
  using Family = proxy::ClusterConfig::DnsFamily;
  switch (from) {
    case cluster::Cluster::V4_ONLY: return Family::kV4Only;
    case cluster::Cluster::V6_ONLY: return Family::kV6Only;
    case cluster::Cluster::V4_PREFERRED: return Family::kV4Preferred;
    default: return Family::kAny;
  }
}

/// The host names of a DNS cluster.
Result<void> read_dns_hosts(const endpoint::ClusterLoadAssignment& from, proxy::ClusterConfig& into,
                            const Path& path) {
  WEFT_TRY(into.dns_overprovisioning_percent, to_overprovisioning(from, path));
  Path localities = path.field("endpoints");
  for (int i = 0; i < from.endpoints_size(); ++i) {
    Path locality = localities.item(i), list = locality.field("lb_endpoints");
    for (int j = 0; j < from.endpoints(i).lb_endpoints_size(); ++j) {
      const auto& one = from.endpoints(i).lb_endpoints(j);
      const auto& address = one.endpoint().address();
      const auto& socket = address.socket_address();
      Path here = list.item(j);
      if (!address.has_socket_address() || socket.address().empty() || socket.port_value() == 0 ||
          socket.port_value() > 65535)
        return fail(here.invalid(
            "a DNS cluster's endpoint has to have a socket_address with a host name and a port"));
      proxy::ClusterConfig::DnsHost made{.name = socket.address(),
                                         .port = static_cast<std::uint16_t>(socket.port_value())};
      made.locality = static_cast<std::uint32_t>(i);
      WEFT_TRY(made.locality_weight, to_weight(from.endpoints(i), locality));
      WEFT_TRY(made.priority, to_priority(from.endpoints(i), locality));
      WEFT_CHECK(read_share(one, made, here));
      into.dns_hosts.push_back(std::move(made));
    }
  }
  if (into.dns_hosts.empty()) return fail(localities.invalid("is empty; a DNS cluster needs a host name"));
  if (into.discovery == Discovery::kLogicalDns && into.dns_hosts.size() > 1)
    return fail(localities.invalid("a LOGICAL_DNS cluster has exactly one endpoint"));
  return {};
}

Result<void> read_eds(const cluster::Cluster& from, MadeCluster& into, const Path& path) {
  Path eds = path.field("eds_cluster_config"), source = eds.field("eds_config");
  if (from.has_load_assignment())
    return fail(path.field("load_assignment").invalid("an EDS cluster has none of its own"));
  WEFT_CHECK(expect_ads(from.eds_cluster_config().eds_config(), source));
  const std::string& name = from.eds_cluster_config().service_name();
  if (name != from.name()) into.config.eds_name = name;
  Need need{.type = Type::kEndpoint, .name = std::string(into.config.eds_name)};
  WEFT_TRY(need.timeout, fetch_timeout(from.eds_cluster_config().eds_config(), source));
  into.needs.push_back(std::move(need));
  return {};
}

Result<void> read_discovery(const cluster::Cluster& from, MadeCluster& into, const Path& path,
                            Conversion& conversion) {
  proxy::ClusterConfig& config = into.config;
  Path assignment = path.field("load_assignment");
  switch (from.type()) {
    case cluster::Cluster::STATIC: {
      config.discovery = Discovery::kStatic;
      WEFT_TRY(auto endpoints, to_endpoints(from.load_assignment(), assignment, conversion));
      config.endpoints = std::make_shared<const proxy::Endpoints>(std::move(endpoints));
      return {};
    }
    case cluster::Cluster::STRICT_DNS:
    case cluster::Cluster::LOGICAL_DNS: {
      config.discovery =
          from.type() == cluster::Cluster::STRICT_DNS ? Discovery::kStrictDns : Discovery::kLogicalDns;
      if (from.has_dns_refresh_rate()) {
        WEFT_TRY(config.dns_refresh,
                 to_milliseconds(from.dns_refresh_rate(), path.field("dns_refresh_rate")));
        if (config.dns_refresh.count() == 0)
          return fail(path.field("dns_refresh_rate").invalid("has to be longer than 0"));
      }
      config.dns_ttl_decides = from.respect_dns_ttl();
      config.dns_family = dns_family(from.dns_lookup_family());
      return read_dns_hosts(from.load_assignment(), config, assignment);
    }
    case cluster::Cluster::EDS: config.discovery = Discovery::kEds; return read_eds(from, into, path);
    case cluster::Cluster::ORIGINAL_DST:
      config.discovery = Discovery::kOriginalDestination;
      if (from.lb_policy() != cluster::Cluster::CLUSTER_PROVIDED)
        return fail(path.field("lb_policy").invalid("has to be CLUSTER_PROVIDED for ORIGINAL_DST"));
      if (from.has_load_assignment()) return fail(assignment.invalid("an ORIGINAL_DST cluster has none"));
      return {};
    default:
      return fail(
          path.field("type").unsupported("type " + std::to_string(from.type()) + " is not supported"));
  }
}

Result<void> read_balance(const cluster::Cluster& from, proxy::ClusterConfig& into, const Path& path,
                          Conversion& conversion) {
  switch (from.lb_policy()) {
    case cluster::Cluster::ROUND_ROBIN: into.balance = Balance::kRoundRobin; break;
    case cluster::Cluster::LEAST_REQUEST: into.balance = Balance::kLeastRequest; break;
    case cluster::Cluster::RANDOM: into.balance = Balance::kRandom; break;
    case cluster::Cluster::CLUSTER_PROVIDED: into.balance = Balance::kClusterProvided; break;
    default:
      WEFT_CHECK(conversion.unsupported(
          path.field("lb_policy"),
          cluster::Cluster::LbPolicy_Name(from.lb_policy()) + " is not supported; ROUND_ROBIN is"));
  }
  if (into.balance == Balance::kClusterProvided && into.discovery != Discovery::kOriginalDestination)
    return fail(path.field("lb_policy").invalid("CLUSTER_PROVIDED is for ORIGINAL_DST only"));
  if (from.least_request_lb_config().has_choice_count()) {
    into.least_request_choices = from.least_request_lb_config().choice_count().value();
    Path config = path.field("least_request_lb_config");
    if (into.least_request_choices < 2)
      return fail(config.field("choice_count").invalid("has to be at least 2"));
  }
  return {};
}

Result<void> read_common_balance(const cluster::Cluster::CommonLbConfig& from, proxy::ClusterConfig& into,
                                 const Path& path) {
  into.locality_weights = from.has_locality_weighted_lb_config();
  if (!from.has_healthy_panic_threshold()) return {};
  const double percent = from.healthy_panic_threshold().value();
  if (!(percent >= 0 && percent <= 100))
    return fail(path.field("healthy_panic_threshold").invalid("has to be from 0 to 100"));
  into.panic_threshold_percent = static_cast<std::uint32_t>(std::lround(percent));
  return {};
}

Result<void> read_limits(const cluster::Cluster& from, proxy::ClusterConfig& into, const Path& path,
                         Conversion& conversion) {
  Path breakers = path.field("circuit_breakers"), list = breakers.field("thresholds");
  for (int i = 0; i < from.circuit_breakers().thresholds_size(); ++i) {
    const auto& limits = from.circuit_breakers().thresholds(i);
    if (limits.priority() != core::DEFAULT) {
      WEFT_CHECK(conversion.unsupported(list.item(i), "routes of priority HIGH are not supported"));
      continue;
    }
    if (limits.has_max_connections()) into.max_connections = limits.max_connections().value();
    if (limits.has_max_pending_requests()) into.max_pending_requests = limits.max_pending_requests().value();
    if (limits.has_max_requests()) into.max_requests = limits.max_requests().value();
    if (limits.has_max_retries()) into.max_retries = limits.max_retries().value();
  }
  return {};
}

Result<void> read_spoken(const envoy::extensions::upstreams::http::v3::HttpProtocolOptions& from,
                         proxy::ClusterConfig& into, const Path& path) {
  using Spoken = proxy::ClusterConfig::Spoken;
  const Path both = path.field("use_downstream_protocol_config"), one = path.field("explicit_http_config");
  if (from.has_use_downstream_protocol_config()) {
    into.spoken = Spoken::kAsDownstream;
    return read_http2_options(from.use_downstream_protocol_config().http2_protocol_options(), into.http2,
                              both.field("http2_protocol_options"));
  }
  if (!from.explicit_http_config().has_http2_protocol_options()) return {};
  into.spoken = Spoken::kHttp2;
  return read_http2_options(from.explicit_http_config().http2_protocol_options(), into.http2,
                            one.field("http2_protocol_options"));
}

Result<void> read_protocol(const google::protobuf::Any& any, proxy::ClusterConfig& into, const Path& path,
                           Conversion& conversion) {
  envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
  if (!holds<decltype(options)>(any))
    return fail(path.unsupported("'" + any.type_url() + "' is not supported"));
  WEFT_CHECK(unpack(any, options, path, conversion));
  WEFT_CHECK(read_spoken(options, into, path));
  const auto& common = options.common_http_protocol_options();
  Path here = path.field("common_http_protocol_options");
  if (common.has_idle_timeout()) {
    WEFT_TRY(into.idle_timeout, to_milliseconds(common.idle_timeout(), here.field("idle_timeout")));
  }
  if (common.has_max_requests_per_connection())
    into.max_requests_per_connection = common.max_requests_per_connection().value();
  if (common.has_max_connection_duration())
    WEFT_CHECK(conversion.unsupported(here.field("max_connection_duration"), "is not supported"));
  return {};
}

Result<void> read_protocols(const cluster::Cluster& from, proxy::ClusterConfig& into, const Path& path,
                            Conversion& conversion) {
  Path map = path.field("typed_extension_protocol_options");
  for (const auto& [name, any] : from.typed_extension_protocol_options()) {
    Path here = map.entry(name);
    if (name == kProtocolOptions)
      WEFT_CHECK(read_protocol(any, into, here, conversion));
    else
      WEFT_CHECK(conversion.unsupported(here, "is not supported"));
  }
  return {};
}

Result<void> read_connections(const cluster::Cluster& from, proxy::ClusterConfig& into, const Path& path,
                              Conversion& conversion) {
  if (from.has_connect_timeout()) {
    WEFT_TRY(into.connect_timeout, to_milliseconds(from.connect_timeout(), path.field("connect_timeout")));
    if (into.connect_timeout.count() == 0)
      return fail(path.field("connect_timeout").invalid("has to be longer than 0"));
  }
  if (from.has_max_requests_per_connection())
    into.max_requests_per_connection = from.max_requests_per_connection().value();
  if (from.has_per_connection_buffer_limit_bytes())
    WEFT_CHECK(read_buffer_limit(from.per_connection_buffer_limit_bytes().value(), into.buffer_limit,
                                 path.field("per_connection_buffer_limit_bytes"), conversion));
  if (from.upstream_bind_config().has_source_address()) {
    Path bind = path.field("upstream_bind_config");
    if (from.upstream_bind_config().freebind().value())
      WEFT_CHECK(conversion.unsupported(bind.field("freebind"), "is not supported"));
    WEFT_TRY(auto source,
             to_address(from.upstream_bind_config().source_address(), bind.field("source_address")));
    into.bind_sources.push_back(source);
    Path extras = bind.field("extra_source_addresses");
    for (int i = 0; i < from.upstream_bind_config().extra_source_addresses_size(); ++i) {
      Path here = extras.item(i);
      WEFT_TRY(auto extra, to_address(from.upstream_bind_config().extra_source_addresses(i).address(),
                                      here.field("address")));
      into.bind_sources.push_back(extra);
    }
  }
  if (from.upstream_connection_options().has_tcp_keepalive())
    WEFT_CHECK(
        conversion.unsupported(path.field("upstream_connection_options"), "TCP keepalive is not supported"));
  return {};
}

}  // namespace

Result<proxy::Endpoints> to_endpoints(const endpoint::ClusterLoadAssignment& from, const Path& path,
                                      Conversion&) {
  proxy::Endpoints made;
  made.name = from.cluster_name();
  WEFT_TRY(made.overprovisioning_percent, to_overprovisioning(from, path));
  Path list = path.field("endpoints");
  made.localities.reserve(static_cast<std::size_t>(from.endpoints_size()));
  for (int i = 0; i < from.endpoints_size(); ++i) {
    WEFT_TRY(auto locality, to_locality(from.endpoints(i), list.item(i)));
    made.localities.push_back(std::move(locality));
  }
  return made;
}

Result<MadeCluster> to_cluster(const cluster::Cluster& from, const Path& path, Conversion& conversion) {
  MadeCluster made;
  proxy::ClusterConfig& config = made.config;
  config.name = from.name();
  if (config.name.empty()) return fail(path.field("name").invalid("is missing"));
  config.alt_stat_name = from.alt_stat_name();
  WEFT_CHECK(read_discovery(from, made, path, conversion));
  WEFT_CHECK(read_balance(from, config, path, conversion));
  WEFT_CHECK(read_common_balance(from.common_lb_config(), config, path.field("common_lb_config")));
  WEFT_CHECK(read_limits(from, config, path, conversion));
  WEFT_CHECK(read_protocols(from, config, path, conversion));
  WEFT_CHECK(read_connections(from, config, path, conversion));
  return made;
}

}  // namespace weft::xds
