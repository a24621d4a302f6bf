#include <limits>

#include "api/duration.h"
#include "base/time.h"
#include "control/json.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"

namespace weft::control {
namespace {

constexpr auto kConnectTimeout = 10s;
constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();
// Capture rules let connections from this address through to the application.
constexpr const char* kInboundSource = "127.0.0.6";
constexpr const char* kInboundSource6 = "::6";

void add_cluster(ResourceLists& into, const cluster::Cluster& made) {
  std::vector<std::string> needs;
  if (made.type() == cluster::Cluster::EDS) needs.push_back(made.name());
  add(into, Type::kCluster, {made.name(), serialize(made), std::move(needs)});
}

void set_no_limits(cluster::Cluster& made) {
  auto& limits = *made.mutable_circuit_breakers()->add_thresholds();
  limits.mutable_max_connections()->set_value(kUnlimited);
  limits.mutable_max_pending_requests()->set_value(kUnlimited);
  limits.mutable_max_requests()->set_value(kUnlimited);
  limits.mutable_max_retries()->set_value(kUnlimited);
}

void set_original_destination(cluster::Cluster& made) {
  made.clear_eds_cluster_config();
  made.set_type(cluster::Cluster::ORIGINAL_DST);
  made.set_lb_policy(cluster::Cluster::CLUSTER_PROVIDED);
}

cluster::Cluster make_cluster(std::string name) {
  cluster::Cluster made;
  made.set_name(std::move(name));
  set_duration(*made.mutable_connect_timeout(), kConnectTimeout);
  set_no_limits(made);
  return made;
}

using HttpOptions = envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
constexpr const char* kHttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// An upgrade goes on as an extended CONNECT (RFC 8441) where the other side offers it.
core::Http2ProtocolOptions& speak_http2(HttpOptions& options) {
  auto& http2 = *options.mutable_explicit_http_config()->mutable_http2_protocol_options();
  http2.set_allow_connect(true);
  return http2;
}

core::Http2ProtocolOptions& speak_as_client(HttpOptions& options) {
  auto& both = *options.mutable_use_downstream_protocol_config();
  both.mutable_http_protocol_options();
  both.mutable_http2_protocol_options()->set_allow_connect(true);
  return *both.mutable_http2_protocol_options();
}

/// What endpoints speak: a rule's word goes before the port's, useClientProtocol before h2UpgradePolicy.
/// Null: HTTP/1 only.
core::Http2ProtocolOptions* set_spoken(HttpOptions& options, Protocol protocol, const api::Json& http) {
  if (protocol == Protocol::kSniff || json::boolean(http, "useClientProtocol"))
    return &speak_as_client(options);
  const bool upgraded = protocol == Protocol::kHttp && json::text(http, "h2UpgradePolicy") == "UPGRADE";
  return is_http2(protocol) || upgraded ? &speak_http2(options) : nullptr;
}

/// `http`: what rules say of the pool; an empty object where there are none.
void set_http_options(cluster::Cluster& made, Protocol protocol, const api::Json& http) {
  HttpOptions options;
  core::Http2ProtocolOptions* const http2 = set_spoken(options, protocol, http);
  if (const auto streams = json::number(http, "maxConcurrentStreams"); http2 && streams > 0)
    http2->mutable_max_concurrent_streams()->set_value(static_cast<std::uint32_t>(streams));
  if (auto idle = api::parse_duration(json::text(http, "idleTimeout")); idle)
    set_duration(*options.mutable_common_http_protocol_options()->mutable_idle_timeout(), *idle);
  if (auto max = json::number(http, "maxRequestsPerConnection"); max > 0)
    options.mutable_common_http_protocol_options()->mutable_max_requests_per_connection()->set_value(
        static_cast<std::uint32_t>(max));
  if (!http2 && !options.has_common_http_protocol_options()) return;
  if (!http2) options.mutable_explicit_http_config()->mutable_http_protocol_options();
  (*made.mutable_typed_extension_protocol_options())[kHttpOptions].PackFrom(options);
}

/// A host's HTTP pool, with what its subset says instead, field by field.
api::Json http_pool(const Destination& rule, const Subset* subset) {
  api::Json merged = api::Json::object();
  const auto add = [&merged](const api::Json& policy) {
    for (const auto& [key, value] : json::map(json::map(policy, "connectionPool"), "http").items())
      merged[key] = value;
  };
  add(*rule.policy);
  if (subset) add(*subset->policy);
  return merged;
}

/// All of a pool but what is said of HTTP itself.
void apply_pool(cluster::Cluster& made, const api::Json& pool) {
  const api::Json& tcp = json::map(pool, "tcp");
  const api::Json& http = json::map(pool, "http");
  auto& limits = *made.mutable_circuit_breakers()->mutable_thresholds(0);
  auto number = [](const api::Json& from, std::string_view key) {
    return static_cast<std::uint32_t>(json::number(from, key));
  };
  if (auto n = number(tcp, "maxConnections"); n > 0) limits.mutable_max_connections()->set_value(n);
  if (auto n = number(http, "http1MaxPendingRequests"); n > 0)
    limits.mutable_max_pending_requests()->set_value(n);
  if (auto n = number(http, "http2MaxRequests"); n > 0) limits.mutable_max_requests()->set_value(n);
  if (auto n = number(http, "maxRetries"); n > 0) limits.mutable_max_retries()->set_value(n);
  if (auto timeout = api::parse_duration(json::text(tcp, "connectTimeout")); timeout)
    set_duration(*made.mutable_connect_timeout(), *timeout);
}

/// A DestinationRule's trafficPolicy; what it does not mention stays.
void apply_policy(cluster::Cluster& made, const api::Json& policy) {
  std::string_view simple = json::text(json::map(policy, "loadBalancer"), "simple");
  if (simple == "ROUND_ROBIN") made.set_lb_policy(cluster::Cluster::ROUND_ROBIN);
  if (simple == "RANDOM") made.set_lb_policy(cluster::Cluster::RANDOM);
  if (simple == "LEAST_REQUEST" || simple == "LEAST_CONN")
    made.set_lb_policy(cluster::Cluster::LEAST_REQUEST);
  if (simple == "PASSTHROUGH") set_original_destination(made);
  apply_pool(made, json::map(policy, "connectionPool"));
}

/// What a policy says of TLS for calls to one port; empty: nothing.
std::string_view tls_mode(const api::Json& policy, std::int64_t port) {
  const api::Json* tls = &json::map(policy, "tls");
  for (const api::Json& of_port : json::list(policy, "portLevelSettings"))
    if (json::number(json::map(of_port, "port"), "number") == port) tls = &json::map(of_port, "tls");
  return json::text(*tls, "mode");
}

/// Calls are to speak TLS; a subset's word goes before that for all of the host.
bool wants_tls(const Destination& rule, const Subset* subset, std::int64_t port) {
  std::string_view mode = subset ? tls_mode(*subset->policy, port) : std::string_view();
  if (mode.empty()) mode = tls_mode(*rule.policy, port);
  return mode == "SIMPLE" || mode == "MUTUAL";
}

void add_endpoints(ResourceLists& into, const std::string& name, const std::vector<Endpoint>& endpoints,
                   const Labels& wanted) {
  endpoint::ClusterLoadAssignment assignment;
  assignment.set_cluster_name(name);
  endpoint::LocalityLbEndpoints* locality = nullptr;
  for (const Endpoint& one : receivers(endpoints, wanted)) {
    if (!locality) locality = assignment.add_endpoints();
    auto& made = *locality->add_lb_endpoints();
    set_address(*made.mutable_endpoint()->mutable_address(), one.ip, one.port);
    made.mutable_load_balancing_weight()->set_value(1);
  }
  add(into, Type::kEndpoint, {name, serialize(assignment)});
}

/// What the clusters of one service's port have in common.
struct PortScope {
  ResourceLists& into;
  const Inputs& inputs;
  const Service& service;
  const ServicePort& port;
  bool as_original_destination;
};

void add_service_cluster(const PortScope& scope, const Destination& rule, const Subset* subset) {
  std::string name = outbound_cluster(scope.port.number, subset ? subset->name : "", scope.service.host);
  cluster::Cluster made = make_cluster(name);
  made.set_type(cluster::Cluster::EDS);
  set_ads(*made.mutable_eds_cluster_config()->mutable_eds_config());
  made.mutable_eds_cluster_config()->set_service_name(name);
  made.set_lb_policy(cluster::Cluster::LEAST_REQUEST);
  if (scope.as_original_destination) set_original_destination(made);
  set_http_options(made, scope.port.protocol, http_pool(rule, subset));
  apply_policy(made, *rule.policy);
  if (subset) apply_policy(made, *subset->policy);
  // What is to travel in TLS never travels in the clear instead: no endpoint, and the rule's status says why.
  if (wants_tls(rule, subset, scope.port.number)) {
    made.clear_eds_cluster_config();
    made.set_type(cluster::Cluster::STATIC);
    made.set_lb_policy(cluster::Cluster::LEAST_REQUEST);
  }
  add_cluster(scope.into, made);
  if (made.type() == cluster::Cluster::EDS)
    add_endpoints(scope.into, name, scope.inputs.registry.endpoints(scope.service, scope.port),
                  subset ? subset->labels : Labels());
}

void add_outbound_passthrough(ResourceLists& into) {
  cluster::Cluster made = make_cluster(std::string(kPassthrough));
  set_original_destination(made);
  set_http_options(made, Protocol::kSniff, api::Json::object());
  add_cluster(into, made);
}

void add_inbound(ResourceLists& into, std::string_view name, Protocol protocol, bool ipv6) {
  cluster::Cluster made = make_cluster(std::string(name));
  set_original_destination(made);
  set_http_options(made, protocol, api::Json::object());
  auto& bind = *made.mutable_upstream_bind_config();
  bind.mutable_source_address()->set_address(ipv6 ? kInboundSource6 : kInboundSource);
  bind.mutable_source_address()->set_port_value(0);
  if (ipv6) {
    auto& other = *bind.add_extra_source_addresses()->mutable_address();
    other.set_address(kInboundSource);
    other.set_port_value(0);
  }
  add_cluster(into, made);
}

}  // namespace

void add_black_hole(ResourceLists& into) {
  cluster::Cluster black_hole = make_cluster(std::string(kBlackHole));
  black_hole.set_type(cluster::Cluster::STATIC);
  add_cluster(into, black_hole);
}

void add_service_clusters(ResourceLists& into, const Inputs& inputs, const Service& service,
                          const ProxyIdentity& proxy) {
  const Destination rule = inputs.rules.destination(service.host, proxy.ns);
  for (const ServicePort& port : service.ports) {
    if (port.protocol == Protocol::kUdp) continue;
    bool direct = service.headless && proxy.kind == ProxyIdentity::Kind::kSidecar;
    PortScope scope{into, inputs, service, port, direct};
    add_service_cluster(scope, rule, nullptr);
    for (const Subset& subset : rule.subsets) add_service_cluster(scope, rule, &subset);
  }
}

void add_inbound_clusters(ResourceLists& into, std::span<const InboundPort> ports, bool ipv6) {
  add_outbound_passthrough(into);
  add_inbound(into, kInboundPassthrough, Protocol::kSniff, ipv6);
  for (const InboundPort& port : ports) add_inbound(into, inbound_cluster(port.number), port.protocol, ipv6);
}

}  // namespace weft::control
