#include <limits>

#include "base/time.h"
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
core::Http2ProtocolOptions* set_spoken(HttpOptions& options, Protocol protocol,
                                       const api::istio::HttpPool& pool) {
  if (protocol == Protocol::kSniff || pool.use_client_protocol.value_or(false))
    return &speak_as_client(options);
  const bool upgraded =
      protocol == Protocol::kHttp && pool.h2_upgrade_policy == api::istio::UpgradePolicy::kUpgrade;
  return is_http2(protocol) || upgraded ? &speak_http2(options) : nullptr;
}

void set_http_options(cluster::Cluster& made, Protocol protocol, const api::istio::HttpPool& pool) {
  HttpOptions options;
  core::Http2ProtocolOptions* const http2 = set_spoken(options, protocol, pool);
  if (const auto streams = pool.max_concurrent_streams.value_or(0); http2 && streams > 0)
    http2->mutable_max_concurrent_streams()->set_value(streams);
  if (pool.idle_timeout)
    set_duration(*options.mutable_common_http_protocol_options()->mutable_idle_timeout(), *pool.idle_timeout);
  if (const auto max = pool.max_requests_per_connection.value_or(0); max > 0)
    options.mutable_common_http_protocol_options()->mutable_max_requests_per_connection()->set_value(max);
  if (!http2 && !options.has_common_http_protocol_options()) return;
  if (!http2) options.mutable_explicit_http_config()->mutable_http_protocol_options();
  (*made.mutable_typed_extension_protocol_options())[kHttpOptions].PackFrom(options);
}

/// What rules say of one cluster. Each block is the subset's, where it has one, else the host's.
struct Policy {
  api::istio::Balancer balancer = api::istio::Balancer::kUnspecified;
  api::istio::ConnectionPool pool;
  std::optional<api::istio::ClientTls> tls;
};

Policy policy_of(const Destination& rule, const api::istio::Subset* subset, std::uint16_t port) {
  Policy made;
  for (const api::istio::TrafficPolicy* each :
       {rule.policy, subset && subset->policy ? &*subset->policy : nullptr}) {
    if (!each) continue;
    if (each->balancer) made.balancer = *each->balancer;
    if (each->pool) made.pool = *each->pool;
    if (const auto tls = each->tls_at(port)) made.tls = tls;
  }
  return made;
}

/// All of a pool but what is said of HTTP itself.
void apply_pool(cluster::Cluster& made, const api::istio::ConnectionPool& pool) {
  const auto& [tcp, http] = pool;
  auto& limits = *made.mutable_circuit_breakers()->mutable_thresholds(0);
  if (const auto n = tcp.max_connections.value_or(0); n > 0) limits.mutable_max_connections()->set_value(n);
  if (const auto n = http.http1_max_pending_requests.value_or(0); n > 0)
    limits.mutable_max_pending_requests()->set_value(n);
  if (const auto n = http.http2_max_requests.value_or(0); n > 0) limits.mutable_max_requests()->set_value(n);
  if (const auto n = http.max_retries.value_or(0); n > 0) limits.mutable_max_retries()->set_value(n);
  if (tcp.connect_timeout) set_duration(*made.mutable_connect_timeout(), *tcp.connect_timeout);
}

cluster::Cluster::LbPolicy lb_policy(api::istio::Balancer balancer) {
  using api::istio::Balancer;
  switch (balancer) {
    case Balancer::kRoundRobin: return cluster::Cluster::ROUND_ROBIN;
    case Balancer::kRandom: return cluster::Cluster::RANDOM;
    case Balancer::kPassthrough: return cluster::Cluster::CLUSTER_PROVIDED;
    case Balancer::kUnspecified:
    case Balancer::kLeastRequest: break;
  }
  return cluster::Cluster::LEAST_REQUEST;
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
  const PushContext& push;
  const Service& service;
  const ServicePort& port;
  Protocol protocol;
  bool as_original_destination;
};

/// Whom its connections go to. A cluster that balances nothing has no balancer, or every proxy rejects it.
void set_discovery(cluster::Cluster& made, const Policy& policy, bool as_original_destination) {
  using api::istio::ClientTls;
  // What is to travel in TLS never travels in the clear instead: no endpoint, and the rule's status says why.
  if (policy.tls == ClientTls::kSimple || policy.tls == ClientTls::kMutual) {
    made.set_type(cluster::Cluster::STATIC);
    made.set_lb_policy(cluster::Cluster::LEAST_REQUEST);
    return;
  }
  if (as_original_destination || policy.balancer == api::istio::Balancer::kPassthrough)
    return set_original_destination(made);
  made.set_type(cluster::Cluster::EDS);
  set_ads(*made.mutable_eds_cluster_config()->mutable_eds_config());
  made.mutable_eds_cluster_config()->set_service_name(made.name());
  made.set_lb_policy(lb_policy(policy.balancer));
}

void add_service_cluster(const PortScope& scope, const Destination& rule, const api::istio::Subset* subset) {
  const std::string name =
      outbound_cluster(scope.port.number, subset ? subset->name : "", scope.service.host);
  const Policy policy = policy_of(rule, subset, scope.port.number);
  cluster::Cluster made = make_cluster(name);
  set_discovery(made, policy, scope.as_original_destination);
  set_http_options(made, scope.protocol, policy.pool.http);
  apply_pool(made, policy.pool);
  add_cluster(scope.into, made);
  if (made.type() == cluster::Cluster::EDS)
    add_endpoints(scope.into, name, scope.push.registry.endpoints(scope.service, scope.port),
                  subset ? subset->labels : Labels());
}

void add_outbound_passthrough(ResourceLists& into) {
  cluster::Cluster made = make_cluster(std::string(kPassthrough));
  set_original_destination(made);
  set_http_options(made, Protocol::kSniff, {});
  add_cluster(into, made);
}

void add_inbound(ResourceLists& into, std::string_view name, Protocol protocol, bool ipv6) {
  cluster::Cluster made = make_cluster(std::string(name));
  set_original_destination(made);
  set_http_options(made, protocol, {});
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

void add_service_clusters(ResourceLists& into, const PushContext& push, const Service& service,
                          const ProxyIdentity& proxy) {
  add_service_clusters(into, push, service, push.rules.destination(service.host, proxy.ns), proxy.kind);
}

void add_service_clusters(ResourceLists& into, const PushContext& push, const Service& service,
                          const Destination& rule, ProxyIdentity::Kind kind) {
  for (const ServicePort& port : service.ports) {
    if (port.protocol == Protocol::kUdp) continue;
    bool direct = service.headless && kind == ProxyIdentity::Kind::kSidecar;
    // A sidecar knows by the client what its peers speak. What a browser speaks says nothing of an
    // application.
    const bool guessed = port.protocol == Protocol::kSniff && kind == ProxyIdentity::Kind::kGateway;
    PortScope scope{into, push, service, port, guessed ? Protocol::kHttp : port.protocol, direct};
    add_service_cluster(scope, rule, nullptr);
    for (const api::istio::Subset* subset : rule.subsets) add_service_cluster(scope, rule, subset);
  }
}

void add_inbound_clusters(ResourceLists& into, std::span<const InboundPort> ports, bool ipv6) {
  add_outbound_passthrough(into);
  add_inbound(into, kInboundPassthrough, Protocol::kSniff, ipv6);
  for (const InboundPort& port : ports) add_inbound(into, inbound_cluster(port.number), port.protocol, ipv6);
}

}  // namespace weft::control
