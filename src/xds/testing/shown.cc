#include "xds/testing/shown.h"

#include <re2/re2.h>

#include <concepts>
#include <optional>
#include <utility>

namespace weft::xds::testing {
// No unnamed namespace: in it, names would hide those of the header.
static std::string shown(std::string_view text) { return "'" + std::string(text) + "'"; }
static std::string shown(const std::string& text) { return shown(std::string_view(text)); }
static std::string shown(const proxy::Text& text) { return shown(std::string_view(text)); }
static std::string shown(const net::Address& address) { return address.to_string(); }
static std::string shown(const proxy::EndpointAddress& address) { return address.to_string(); }
static std::string shown(Duration time) { return std::to_string(time / 1ms) + "ms"; }
static std::string shown(proxy::Milliseconds time) { return std::to_string(time.count()) + "ms"; }
static std::string shown(const proxy::RegexPtr& regex) {
  return regex ? "'" + regex->pattern() + "'" : "none";
}
static std::string shown(std::same_as<bool> auto value) { return value ? "true" : "false"; }

template <class Number>
  requires(std::is_arithmetic_v<Number> && !std::same_as<Number, bool>)
static std::string shown(Number value) {
  std::string text = std::to_string(value);
  // 12.500000
  if (std::is_floating_point_v<Number>) text.erase(text.find_last_not_of('0') + 1);
  return text;
}

static std::string shown(proxy::StringMatch::Kind kind) {
  constexpr const char* kNames[] = {"exact", "prefix", "suffix", "contains", "regex", "present"};
  return kNames[static_cast<int>(kind)];
}
static std::string shown(proxy::PathMatch::Kind kind) {
  constexpr const char* kNames[] = {"prefix", "exact", "regex", "separated prefix", "connect"};
  return kNames[static_cast<int>(kind)];
}
static std::string shown(proxy::ForwardAction::Connect connect) {
  constexpr const char* kNames[] = {"as listener", "forward", "terminate"};
  return kNames[static_cast<int>(connect)];
}
static std::string shown(proxy::HeaderChange::Action action) {
  constexpr const char* kNames[] = {"append", "add if absent", "overwrite or add", "overwrite if exists"};
  return kNames[static_cast<int>(action)];
}
static std::string shown(proxy::HttpConfig::ServerHeader header) {
  constexpr const char* kNames[] = {"overwrite", "append if absent", "pass through"};
  return kNames[static_cast<int>(header)];
}
static std::string shown(proxy::HttpConfig::EscapedSlashes slashes) {
  constexpr const char* kNames[] = {"keep", "reject", "unescape and redirect", "unescape and forward"};
  return kNames[static_cast<int>(slashes)];
}
static std::string shown(proxy::Direction direction) {
  constexpr const char* kNames[] = {"unspecified", "inbound", "outbound"};
  return kNames[static_cast<int>(direction)];
}
static std::string shown(proxy::Health health) {
  constexpr const char* kNames[] = {"healthy", "degraded", "unhealthy", "draining"};
  return kNames[static_cast<int>(health)];
}
static std::string shown(proxy::ClusterConfig::Discovery discovery) {
  constexpr const char* kNames[] = {"static", "eds", "strict dns", "logical dns", "original destination"};
  return kNames[static_cast<int>(discovery)];
}
static std::string shown(proxy::ClusterConfig::Balance balance) {
  constexpr const char* kNames[] = {"round robin", "least request", "random", "cluster provided"};
  return kNames[static_cast<int>(balance)];
}
static std::string shown(proxy::ClusterConfig::DnsFamily family) {
  constexpr const char* kNames[] = {"any", "v4 only", "v6 only", "v4 preferred"};
  return kNames[static_cast<int>(family)];
}
static std::string shown(proxy::ClusterConfig::Spoken spoken) {
  constexpr const char* kNames[] = {"HTTP/1", "HTTP/2", "as downstream"};
  return kNames[static_cast<int>(spoken)];
}
static std::string shown(http::Protocol protocol) {
  constexpr const char* kNames[] = {"HTTP/1", "HTTP/2", "auto"};
  return kNames[static_cast<int>(protocol)];
}
static std::string shown(const proxy::PortRange& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}
static std::string shown(const proxy::FilterChainMatch::Prefix& prefix) {
  return prefix.address.ip() + "/" + std::to_string(prefix.length);
}
static std::string shown(const proxy::NamedHttpFilter& filter) { return "'" + filter.name + "'"; }

static std::string shown(const http::Http2Limits& limits);

template <class... T>
static std::string shown(const std::variant<T...>& value);
template <class T>
static std::string shown(const std::shared_ptr<const T>& value);
template <class T>
static std::string shown(const std::vector<T>& values);

template <class T>
static std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "none";
}
template <class... T>
static std::string shown(const std::variant<T...>& value) {
  return std::visit([](const auto& held) { return shown(held); }, value);
}
template <class T>
static std::string shown(const proxy::RareOptional<T>& value) {
  return value ? shown(*value) : "none";
}
template <class T>
static std::string shown(const std::shared_ptr<const T>& value) {
  return value ? shown(*value) : "none";
}
template <class T>
static std::string shown(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + shown(value);
  return "[" + text + "]";
}

template <class T>
static std::string shown(const proxy::RareVector<T>& values) {
  return shown(values.all());
}
static std::string shown(const proxy::TextList& texts) {
  return shown(std::vector<std::string>(texts.begin(), texts.end()));
}
static std::string shown(const proxy::VirtualHosts& hosts) { return shown(hosts.shared()); }

template <class Struct, class T>
struct Member {
  std::string_view name;
  T Struct::* at;
};

template <class Struct, class... T>
static std::string members(const Struct& of, Member<Struct, T>... all) {
  const Struct usual{};
  std::string text;
  const auto add = [&](const auto& member) {
    const std::string value = shown(of.*member.at);
    if (value == shown(usual.*member.at)) return;
    text.append(text.empty() ? "" : ", ").append(member.name).append(" ").append(value);
  };
  (add(all), ...);
  return "{" + text + "}";
}

#define WEFT_MEMBER(name) \
  Member { #name, &Shown::name }

static std::string shown(const http::Http2Limits& limits) {
  using Shown = http::Http2Limits;
  return members(limits, WEFT_MEMBER(max_concurrent_streams), WEFT_MEMBER(stream_window),
                 WEFT_MEMBER(connection_window), WEFT_MEMBER(ping_interval), WEFT_MEMBER(ping_timeout),
                 WEFT_MEMBER(extended_connect));
}

std::string shown(const proxy::PathMatch& path) {
  using Shown = proxy::PathMatch;
  return members(path, WEFT_MEMBER(kind), WEFT_MEMBER(text), WEFT_MEMBER(regex), WEFT_MEMBER(ignore_case));
}

std::string shown(const proxy::QueryMatch& match) {
  using Shown = proxy::QueryMatch;
  return members(match, WEFT_MEMBER(name), WEFT_MEMBER(match));
}

std::string shown(const proxy::HeaderChange& change) {
  using Shown = proxy::HeaderChange;
  return members(change, WEFT_MEMBER(name), WEFT_MEMBER(value), WEFT_MEMBER(action), WEFT_MEMBER(keep_empty));
}

std::string shown(const proxy::ClusterConfig::DnsHost& host) {
  using Shown = proxy::ClusterConfig::DnsHost;
  return members(host, WEFT_MEMBER(name), WEFT_MEMBER(port), WEFT_MEMBER(weight), WEFT_MEMBER(priority),
                 WEFT_MEMBER(health), WEFT_MEMBER(locality), WEFT_MEMBER(locality_weight));
}

std::string shown(const proxy::StringMatch& match) {
  using Shown = proxy::StringMatch;
  return members(match, WEFT_MEMBER(kind), WEFT_MEMBER(text), WEFT_MEMBER(regex), WEFT_MEMBER(ignore_case));
}

std::string shown(const proxy::HeaderMatch& match) {
  using Shown = proxy::HeaderMatch;
  return members(match, WEFT_MEMBER(name), WEFT_MEMBER(match), WEFT_MEMBER(invert),
                 WEFT_MEMBER(treat_missing_as_empty));
}

std::string shown(const proxy::RouteMatch& match) {
  using Shown = proxy::RouteMatch;
  return members(match, WEFT_MEMBER(path), WEFT_MEMBER(headers), WEFT_MEMBER(query),
                 WEFT_MEMBER(runtime_fraction_per_million));
}

std::string shown(const proxy::HeaderChanges& changes) {
  using Shown = proxy::HeaderChanges;
  return members(changes, WEFT_MEMBER(add), WEFT_MEMBER(remove));
}

std::string shown(const proxy::RetryPolicy& policy) {
  using Shown = proxy::RetryPolicy;
  return members(policy, WEFT_MEMBER(connect_failure), WEFT_MEMBER(reset), WEFT_MEMBER(reset_before_request),
                 WEFT_MEMBER(refused_stream), WEFT_MEMBER(five_xx), WEFT_MEMBER(gateway_error),
                 WEFT_MEMBER(retriable_4xx), WEFT_MEMBER(retriable_status_codes),
                 WEFT_MEMBER(retriable_headers), WEFT_MEMBER(rate_limited), WEFT_MEMBER(grpc_statuses),
                 WEFT_MEMBER(status_codes), WEFT_MEMBER(response_headers), WEFT_MEMBER(retries),
                 WEFT_MEMBER(per_try_timeout), WEFT_MEMBER(base_interval), WEFT_MEMBER(max_interval));
}

std::string shown(const proxy::WeightedCluster& cluster) {
  using Shown = proxy::WeightedCluster;
  return members(cluster, WEFT_MEMBER(cluster), WEFT_MEMBER(weight), WEFT_MEMBER(request_headers),
                 WEFT_MEMBER(response_headers), WEFT_MEMBER(host_rewrite));
}

std::string shown(const proxy::GrpcTimeout& timeout) {
  using Shown = proxy::GrpcTimeout;
  return members(timeout, WEFT_MEMBER(max), WEFT_MEMBER(offset));
}

std::string shown(const proxy::ForwardAction& action) {
  using Shown = proxy::ForwardAction;
  return "forward " +
         members(action, WEFT_MEMBER(clusters), WEFT_MEMBER(cluster_header),
                 WEFT_MEMBER(cluster_not_found_status), WEFT_MEMBER(timeout), WEFT_MEMBER(max_duration),
                 WEFT_MEMBER(grpc_duration), WEFT_MEMBER(grpc_response), WEFT_MEMBER(idle_timeout),
                 WEFT_MEMBER(retry), WEFT_MEMBER(prefix_rewrite), WEFT_MEMBER(regex_rewrite),
                 WEFT_MEMBER(regex_substitution), WEFT_MEMBER(host_rewrite),
                 WEFT_MEMBER(append_x_forwarded_host), WEFT_MEMBER(upgrades), WEFT_MEMBER(connect));
}

std::string shown(const proxy::RedirectAction& action) {
  using Shown = proxy::RedirectAction;
  return "redirect " + members(action, WEFT_MEMBER(host), WEFT_MEMBER(path), WEFT_MEMBER(prefix_rewrite),
                               WEFT_MEMBER(scheme), WEFT_MEMBER(port), WEFT_MEMBER(status),
                               WEFT_MEMBER(strip_query));
}

std::string shown(const proxy::DirectAction& action) {
  using Shown = proxy::DirectAction;
  return "direct " + members(action, WEFT_MEMBER(status), WEFT_MEMBER(body));
}

std::string shown(const proxy::Route& route) {
  using Shown = proxy::Route;
  return members(route, WEFT_MEMBER(name), WEFT_MEMBER(match), WEFT_MEMBER(filters), WEFT_MEMBER(action),
                 WEFT_MEMBER(request_headers), WEFT_MEMBER(response_headers),
                 WEFT_MEMBER(decorator_operation));
}

std::string shown(const proxy::VirtualHost& host) {
  using Shown = proxy::VirtualHost;
  return members(host, WEFT_MEMBER(name), WEFT_MEMBER(domains), WEFT_MEMBER(routes),
                 WEFT_MEMBER(request_headers), WEFT_MEMBER(response_headers),
                 WEFT_MEMBER(include_attempt_count), WEFT_MEMBER(require_tls));
}

std::string shown(const proxy::RouteTable& table) {
  using Shown = proxy::RouteTable;
  return members(table, WEFT_MEMBER(name), WEFT_MEMBER(hosts), WEFT_MEMBER(request_headers),
                 WEFT_MEMBER(response_headers), WEFT_MEMBER(ignore_port_in_host));
}

std::string shown(const proxy::AccessLogConfig& log) {
  using Shown = proxy::AccessLogConfig;
  return members(log, WEFT_MEMBER(path), WEFT_MEMBER(format), WEFT_MEMBER(only_with_flags),
                 WEFT_MEMBER(filter_by_flags));
}

std::string shown(const proxy::HttpConfig& config) {
  using Shown = proxy::HttpConfig;
  return members(config, WEFT_MEMBER(stat_prefix), WEFT_MEMBER(route_table_name), WEFT_MEMBER(route_table),
                 WEFT_MEMBER(codec), WEFT_MEMBER(http2), WEFT_MEMBER(drain_timeout),
                 WEFT_MEMBER(use_remote_address), WEFT_MEMBER(trusted_hops), WEFT_MEMBER(generate_request_id),
                 WEFT_MEMBER(preserve_external_request_id), WEFT_MEMBER(accept_http10),
                 WEFT_MEMBER(normalize_path), WEFT_MEMBER(merge_slashes), WEFT_MEMBER(escaped_slashes),
                 WEFT_MEMBER(server_name), WEFT_MEMBER(server_header), WEFT_MEMBER(upgrades),
                 WEFT_MEMBER(connect), WEFT_MEMBER(idle_timeout), WEFT_MEMBER(stream_idle_timeout),
                 WEFT_MEMBER(stall_timeout), WEFT_MEMBER(request_timeout),
                 WEFT_MEMBER(request_headers_timeout), WEFT_MEMBER(max_request_headers_bytes),
                 WEFT_MEMBER(max_request_headers_count), WEFT_MEMBER(max_requests_per_connection),
                 WEFT_MEMBER(tracing), WEFT_MEMBER(random_sampling_percent), WEFT_MEMBER(access_logs),
                 WEFT_MEMBER(filters), WEFT_MEMBER(suppress_envoy_headers));
}

std::string shown(const proxy::TcpProxyConfig& config) {
  using Shown = proxy::TcpProxyConfig;
  return "tcp " + members(config, WEFT_MEMBER(stat_prefix), WEFT_MEMBER(clusters), WEFT_MEMBER(idle_timeout),
                          WEFT_MEMBER(access_logs));
}

std::string shown(const proxy::FilterChainMatch& match) {
  using Shown = proxy::FilterChainMatch;
  return members(match, WEFT_MEMBER(destination_port), WEFT_MEMBER(destination_prefixes),
                 WEFT_MEMBER(server_names), WEFT_MEMBER(transport_protocol),
                 WEFT_MEMBER(application_protocols));
}

std::string shown(const proxy::FilterChain& chain) {
  using Shown = proxy::FilterChain;
  return members(chain, WEFT_MEMBER(name), WEFT_MEMBER(match), WEFT_MEMBER(filter));
}

std::string shown(const proxy::ListenerConfig& listener) {
  using Shown = proxy::ListenerConfig;
  return members(listener, WEFT_MEMBER(name), WEFT_MEMBER(address), WEFT_MEMBER(chains),
                 WEFT_MEMBER(additional_addresses), WEFT_MEMBER(ipv4_compatible), WEFT_MEMBER(bind_to_port),
                 WEFT_MEMBER(buffer_limit), WEFT_MEMBER(use_original_destination),
                 WEFT_MEMBER(original_destination_filter), WEFT_MEMBER(sniff_http), WEFT_MEMBER(sniff_tls),
                 WEFT_MEMBER(sniff_http_off), WEFT_MEMBER(sniff_tls_off), WEFT_MEMBER(sniff_timeout),
                 WEFT_MEMBER(continue_on_sniff_timeout), WEFT_MEMBER(transparent), WEFT_MEMBER(direction),
                 WEFT_MEMBER(default_chain), WEFT_MEMBER(access_logs));
}

std::string shown(const proxy::Endpoint& endpoint) {
  using Shown = proxy::Endpoint;
  return members(endpoint, WEFT_MEMBER(address), WEFT_MEMBER(weight), WEFT_MEMBER(health),
                 WEFT_MEMBER(hostname));
}

std::string shown(const proxy::Locality& locality) {
  using Shown = proxy::Locality;
  return members(locality, WEFT_MEMBER(priority), WEFT_MEMBER(weight), WEFT_MEMBER(endpoints));
}

std::string shown(const proxy::Endpoints& endpoints) {
  using Shown = proxy::Endpoints;
  return members(endpoints, WEFT_MEMBER(name), WEFT_MEMBER(localities),
                 WEFT_MEMBER(overprovisioning_percent));
}

std::string shown(const proxy::ClusterConfig& cluster) {
  using Shown = proxy::ClusterConfig;
  return members(cluster, WEFT_MEMBER(name), WEFT_MEMBER(discovery), WEFT_MEMBER(eds_name),
                 WEFT_MEMBER(endpoints), WEFT_MEMBER(alt_stat_name), WEFT_MEMBER(balance),
                 WEFT_MEMBER(least_request_choices), WEFT_MEMBER(connect_timeout), WEFT_MEMBER(idle_timeout),
                 WEFT_MEMBER(max_requests_per_connection), WEFT_MEMBER(bind_sources), WEFT_MEMBER(spoken),
                 WEFT_MEMBER(http2), WEFT_MEMBER(buffer_limit), WEFT_MEMBER(max_connections),
                 WEFT_MEMBER(max_pending_requests), WEFT_MEMBER(max_requests), WEFT_MEMBER(max_retries),
                 WEFT_MEMBER(dns_refresh), WEFT_MEMBER(dns_ttl_decides), WEFT_MEMBER(dns_family),
                 WEFT_MEMBER(dns_hosts), WEFT_MEMBER(panic_threshold_percent), WEFT_MEMBER(locality_weights),
                 WEFT_MEMBER(dns_overprovisioning_percent));
}

#undef WEFT_MEMBER

}  // namespace weft::xds::testing
