#include <algorithm>
#include <bitset>
#include <set>

#include "base/strings.h"
#include "xds/convert.h"

namespace weft::xds {
namespace {

namespace listener_filters = envoy::extensions::filters::listener;

/// Network filters that only observe: left out when a control plane sends them.
constexpr std::string_view kHarmless[] = {"envoy.tcp.metadataexchange.config.MetadataExchange",
                                          "stats.PluginConfig"};

bool harmless(const google::protobuf::Any& any) {
  return std::ranges::count(kHarmless, message_name(any)) +
             std::ranges::count(kHarmless, std::string_view(wrapped_name(any))) >
         0;
}

Result<proxy::FilterChainMatch> to_chain_match(const listener::FilterChainMatch& from, const Path& path) {
  proxy::FilterChainMatch made;
  if (from.has_destination_port()) {
    if (from.destination_port().value() == 0 || from.destination_port().value() > 65535)
      return fail(path.field("destination_port").invalid("has to be from 1 to 65535"));
    made.destination_port = static_cast<std::uint16_t>(from.destination_port().value());
  }
  Path ranges = path.field("prefix_ranges");
  for (int i = 0; i < from.prefix_ranges_size(); ++i) {
    const auto& range = from.prefix_ranges(i);
    Path here = ranges.item(i);
    auto address = net::Address::parse_ip(range.address_prefix(), 0);
    if (!address)
      return fail(here.field("address_prefix")
                      .invalid("has to be an IP address, not '" + range.address_prefix() + "'"));
    std::uint32_t length = range.prefix_len().value(), most = address->is_v4() ? 32 : 128;
    if (length > most)
      return fail(here.field("prefix_len").invalid("has to be at most " + std::to_string(most)));
    made.destination_prefixes.push_back({*address, length});
  }
  for (const auto& name : from.server_names()) made.server_names.push_back(to_lower(name));
  made.transport_protocol = from.transport_protocol();
  if (!made.transport_protocol.empty() && made.transport_protocol != "raw_buffer" &&
      made.transport_protocol != "tls")
    return fail(path.field("transport_protocol")
                    .unsupported("has to be raw_buffer or tls, not '" + made.transport_protocol + "'"));
  made.application_protocols.assign(from.application_protocols().begin(), from.application_protocols().end());
  return made;
}

Result<void> read_tcp_clusters(const tcp_proxy::TcpProxy& from, proxy::TcpProxyConfig& into,
                               const Path& path) {
  auto add = [&](const std::string& cluster, std::uint32_t weight) {
    proxy::WeightedCluster to;
    to.cluster = cluster;
    to.weight = weight;
    into.clusters.push_back(std::move(to));
  };
  if (from.has_cluster()) {
    if (from.cluster().empty()) return fail(path.field("cluster").invalid("is empty"));
    add(from.cluster(), 1);
  }
  std::uint64_t total = from.has_cluster() ? 1 : 0;
  const Path weighted = path.field("weighted_clusters"), list = weighted.field("clusters");
  for (int i = 0; i < from.weighted_clusters().clusters_size(); ++i) {
    const Path here = list.item(i);
    const auto& one = from.weighted_clusters().clusters(i);
    if (one.name().empty()) return fail(here.field("name").invalid("is missing"));
    add(one.name(), one.weight());
    total += one.weight();
  }
  if (total == 0)
    return fail(
        path.invalid("has to have cluster, or weighted_clusters whose weights sum up to more than 0"));
  return {};
}

Result<proxy::TcpProxyConfig> to_tcp_proxy(const tcp_proxy::TcpProxy& from, const Path& path,
                                           Conversion& conversion) {
  proxy::TcpProxyConfig made;
  made.stat_prefix = from.stat_prefix();
  if (made.stat_prefix.empty()) return fail(path.field("stat_prefix").invalid("is missing"));
  WEFT_CHECK(read_tcp_clusters(from, made, path));
  if (from.has_idle_timeout()) {
    WEFT_TRY(made.idle_timeout, to_milliseconds(from.idle_timeout(), path.field("idle_timeout")));
  }
  if (from.has_max_connect_attempts() && from.max_connect_attempts().value() > 1)
    WEFT_CHECK(conversion.unsupported(path.field("max_connect_attempts"), "only 1 is supported"));
  WEFT_TRY(made.access_logs, to_access_logs(from.access_log(), path.field("access_log"), conversion));
  return made;
}

/// The filter that ends a chain; `needs` receives its route table's name.
Result<void> read_terminal(const listener::Filter& from, proxy::FilterChain& into, std::vector<Need>& needs,
                           const Path& path, Conversion& conversion) {
  Path config = path.field("typed_config");
  if (holds<http_manager::HttpConnectionManager>(from.typed_config())) {
    http_manager::HttpConnectionManager manager;
    WEFT_CHECK(unpack(from.typed_config(), manager, config, conversion));
    WEFT_TRY(auto http, to_http(manager, config, conversion));
    needs.insert(needs.end(), http.needs.begin(), http.needs.end());
    into.filter = std::move(http.config);
    return {};
  }
  if (holds<tcp_proxy::TcpProxy>(from.typed_config())) {
    tcp_proxy::TcpProxy proxy;
    WEFT_CHECK(unpack(from.typed_config(), proxy, config, conversion));
    WEFT_TRY(into.filter, to_tcp_proxy(proxy, config, conversion));
    return {};
  }
  return fail(path.unsupported(
      "network filter '" + from.name() + "' (" + std::string(message_name(from.typed_config())) +
      ") is not supported; a chain ends with an HttpConnectionManager or a TcpProxy"));
}

Result<proxy::FilterChain> to_chain(const listener::FilterChain& from, std::vector<Need>& needs,
                                    const Path& path, Conversion& conversion) {
  proxy::FilterChain made;
  made.name = from.name();
  WEFT_TRY(made.match, to_chain_match(from.filter_chain_match(), path.field("filter_chain_match")));
  Path filters = path.field("filters");
  if (from.filters().empty()) return fail(filters.invalid("is empty"));
  int last = from.filters_size() - 1;
  for (int i = 0; i < last; ++i) {
    Path here = filters.item(i);
    std::string text = "network filter '" + from.filters(i).name() + "' is not supported before the last one";
    if (!harmless(from.filters(i).typed_config())) return fail(here.unsupported(text));
    WEFT_CHECK(conversion.unsupported(here, text));
  }
  WEFT_CHECK(read_terminal(from.filters(last), made, needs, filters.item(last), conversion));
  return made;
}

using Predicate = listener::ListenerFilterChainMatchPredicate;
using Ports = std::bitset<65536>;

Result<Ports> to_ports(const Predicate& from, const Path& path);

Result<Ports> to_ports(const Predicate::MatchSet& from, bool all, const Path& path) {
  Ports ports;
  if (all) ports.set();
  Path rules = path.field("rules");
  if (from.rules_size() < 2) return fail(rules.invalid("has to have 2 items at least"));
  for (int i = 0; i < from.rules_size(); ++i) {
    WEFT_TRY(const Ports one, to_ports(from.rules(i), rules.item(i)));
    if (all)
      ports &= one;
    else
      ports |= one;
  }
  return ports;
}

Result<Ports> to_ports(const envoy::type::v3::Int32Range& from, const Path& path) {
  if (from.start() < 0 || from.start() > 65535)
    return fail(
        path.field("start").invalid("has to be from 0 to 65535, not " + std::to_string(from.start())));
  if (from.end() <= from.start() || from.end() > 65536)
    return fail(path.field("end").invalid("is not included, and has to be from " +
                                          std::to_string(from.start() + 1) + " to 65536, not " +
                                          std::to_string(from.end())));
  Ports ports;
  for (int port = from.start(); port < from.end(); ++port) ports.set(static_cast<std::size_t>(port));
  return ports;
}

/// The destination ports for which a predicate holds.
Result<Ports> to_ports(const Predicate& from, const Path& path) {
  switch (from.rule_case()) {
    case Predicate::kOrMatch: return to_ports(from.or_match(), false, path.field("or_match"));
    case Predicate::kAndMatch: return to_ports(from.and_match(), true, path.field("and_match"));
    case Predicate::kNotMatch: {
      WEFT_TRY(Ports ports, to_ports(from.not_match(), path.field("not_match")));
      return ports.flip();
    }
    case Predicate::kAnyMatch: {
      if (!from.any_match()) return fail(path.field("any_match").invalid("has to be true"));
      return Ports().set();
    }
    case Predicate::kDestinationPortRange:
      return to_ports(from.destination_port_range(), path.field("destination_port_range"));
    case Predicate::RULE_NOT_SET: break;
  }
  return fail(
      path.unsupported("has to have or_match, and_match, not_match, any_match or destination_port_range"));
}

/// Where an inspector is switched off.
Result<std::vector<proxy::PortRange>> to_off(const listener::ListenerFilter& from, const Path& path) {
  std::vector<proxy::PortRange> ranges;
  if (!from.has_filter_disabled()) return ranges;
  WEFT_TRY(const Ports ports, to_ports(from.filter_disabled(), path.field("filter_disabled")));
  for (std::size_t port = 0; port < ports.size(); ++port) {
    if (!ports[port]) continue;
    const auto number = static_cast<std::uint16_t>(port);
    if (!ranges.empty() && ranges.back().last + 1 == number)
      ranges.back().last = number;
    else
      ranges.push_back({number, number});
  }
  return ranges;
}

Result<void> read_listener_filter(const listener::ListenerFilter& from, proxy::ListenerConfig& into,
                                  const Path& path) {
  const auto& any = from.typed_config();
  if (holds<listener_filters::http_inspector::v3::HttpInspector>(any)) {
    into.sniff_http = true;
    WEFT_TRY(into.sniff_http_off, to_off(from, path));
    return {};
  }
  if (holds<listener_filters::tls_inspector::v3::TlsInspector>(any)) {
    into.sniff_tls = true;
    WEFT_TRY(into.sniff_tls_off, to_off(from, path));
    return {};
  }
  if (!holds<listener_filters::original_dst::v3::OriginalDst>(any))
    return fail(path.unsupported("listener filter '" + from.name() + "' (" + std::string(message_name(any)) +
                                 ") is not supported"));
  if (from.has_filter_disabled())
    return fail(path.field("filter_disabled").unsupported("is supported for inspectors only"));
  into.original_destination_filter = true;
  return {};
}

Result<void> read_listener_filters(const listener::Listener& from, proxy::ListenerConfig& into,
                                   const Path& path) {
  Path list = path.field("listener_filters");
  for (int i = 0; i < from.listener_filters_size(); ++i)
    WEFT_CHECK(read_listener_filter(from.listener_filters(i), into, list.item(i)));
  if (from.has_listener_filters_timeout()) {
    WEFT_TRY(into.sniff_timeout,
             to_milliseconds(from.listener_filters_timeout(), path.field("listener_filters_timeout")));
  }
  into.continue_on_sniff_timeout = from.continue_on_listener_filters_timeout();
  return {};
}

Result<void> read_addresses(const listener::Listener& from, proxy::ListenerConfig& into, const Path& path) {
  if (!from.has_address()) return fail(path.field("address").invalid("is missing"));
  WEFT_TRY(into.address, to_address(from.address(), path.field("address")));
  into.ipv4_compatible = from.address().socket_address().ipv4_compat();
  Path more = path.field("additional_addresses");
  for (int i = 0; i < from.additional_addresses_size(); ++i) {
    Path here = more.item(i);
    WEFT_TRY(auto address, to_address(from.additional_addresses(i).address(), here.field("address")));
    const bool compatible = from.additional_addresses(i).address().socket_address().ipv4_compat();
    if (compatible != into.ipv4_compatible)
      return fail(here.unsupported("ipv4_compat has to be the same for all addresses of a listener"));
    into.additional_addresses.push_back(address);
  }
  return {};
}

Result<void> read_chains(const listener::Listener& from, MadeListener& into, const Path& path,
                         Conversion& conversion) {
  Path chains = path.field("filter_chains");
  std::set<std::string> matches;
  for (int i = 0; i < from.filter_chains_size(); ++i) {
    Path here = chains.item(i);
    WEFT_TRY(auto chain, to_chain(from.filter_chains(i), into.needs, here, conversion));
    if (!matches.insert(from.filter_chains(i).filter_chain_match().SerializeAsString()).second)
      return fail(here.field("filter_chain_match").invalid("is the same as that of a chain before"));
    into.config.chains.push_back(std::move(chain));
  }
  if (from.has_default_filter_chain()) {
    WEFT_TRY(into.config.default_chain, to_chain(from.default_filter_chain(), into.needs,
                                                 path.field("default_filter_chain"), conversion));
  }
  if (into.config.chains.empty() && !into.config.default_chain) return fail(chains.invalid("is empty"));
  return {};
}

proxy::Direction to_direction(core::TrafficDirection from) {
  if (from == core::INBOUND) return proxy::Direction::kInbound;
  return from == core::OUTBOUND ? proxy::Direction::kOutbound : proxy::Direction::kUnspecified;
}

}  // namespace

Result<MadeListener> to_listener(const listener::Listener& from, const Path& path, Conversion& conversion) {
  MadeListener made;
  proxy::ListenerConfig& config = made.config;
  WEFT_CHECK(read_addresses(from, config, path));
  config.name = from.name().empty() ? config.address.to_string() : from.name();
  if (from.has_bind_to_port()) config.bind_to_port = from.bind_to_port().value();
  config.use_original_destination = from.use_original_dst().value();
  config.transparent = from.transparent().value();
  config.direction = to_direction(from.traffic_direction());
  if (from.has_per_connection_buffer_limit_bytes())
    WEFT_CHECK(read_buffer_limit(from.per_connection_buffer_limit_bytes().value(), config.buffer_limit,
                                 path.field("per_connection_buffer_limit_bytes"), conversion));
  if (from.has_tcp_backlog_size())
    WEFT_CHECK(conversion.unsupported(path.field("tcp_backlog_size"), "the kernel's limit is asked for"));
  WEFT_CHECK(read_listener_filters(from, config, path));
  WEFT_CHECK(read_chains(from, made, path, conversion));
  WEFT_TRY(config.access_logs, to_access_logs(from.access_log(), path.field("access_log"), conversion));
  return made;
}

}  // namespace weft::xds
