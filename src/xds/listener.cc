#include "xds/proto/listener.pb.h"

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/proto/extensions.h"
#include "xds/resources.h"

namespace weft::xds {
namespace {

namespace accesslog = envoy::config::accesslog::v3;
namespace core = envoy::config::core::v3;
namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
namespace listener = envoy::config::listener::v3;
namespace loggers = envoy::extensions::access_loggers;
namespace tcp = envoy::extensions::filters::network::tcp_proxy::v3;
using proxy::HttpConfig;

std::string format_of(const core::SubstitutionFormatString& format) {
  if (!format.text_format().empty()) return format.text_format();
  return format.text_format_source().inline_string();
}

Result<proxy::AccessLogConfig> to_access_log(const accesslog::AccessLog& from, const Path& path) {
  proxy::AccessLogConfig config;
  const std::string type = type_of(from.typed_config());
  if (type == loggers::file::v3::FileAccessLog::descriptor()->full_name()) {
    loggers::file::v3::FileAccessLog file;
    WEFT_CHECK(unpack(from.typed_config(), file, path / "typed_config"));
    config.path = file.path();
    config.format = file.has_log_format() ? format_of(file.log_format()) : file.format();
  } else if (type == loggers::stream::v3::StdoutAccessLog::descriptor()->full_name()) {
    loggers::stream::v3::StdoutAccessLog stream;
    WEFT_CHECK(unpack(from.typed_config(), stream, path / "typed_config"));
    config.path = "/dev/stdout";
    config.format = format_of(stream.log_format());
  } else if (type == loggers::stream::v3::StderrAccessLog::descriptor()->full_name()) {
    loggers::stream::v3::StderrAccessLog stream;
    WEFT_CHECK(unpack(from.typed_config(), stream, path / "typed_config"));
    config.path = "/dev/stderr";
    config.format = format_of(stream.log_format());
  } else {
    return unsupported(path / "typed_config", "the access logger '" + type + "'");
  }
  if (config.path.empty()) return invalid(path / "typed_config.path", "a file access log has a path");
  if (from.has_filter()) {
    config.filter_by_flags = true;
    config.only_with_flags.assign(from.filter().response_flag_filter().flags().begin(), from.filter().response_flag_filter().flags().end());
  }
  return config;
}

template <class Logs>
Result<std::vector<proxy::AccessLogConfig>> to_access_logs(const Logs& logs, const Path& path) {
  std::vector<proxy::AccessLogConfig> configs;
  for (int i = 0; i < logs.size(); ++i) {
    WEFT_TRY(auto config, to_access_log(logs.Get(i), path[i]));
    configs.push_back(std::move(config));
  }
  return configs;
}

Result<void> read_timeouts(const hcm::HttpConnectionManager& from, HttpConfig& into, const Path& path) {
  const core::HttpProtocolOptions& common = from.common_http_protocol_options();
  if (common.has_idle_timeout()) into.idle_timeout = to_milliseconds(common.idle_timeout());
  if (common.has_max_headers_count()) into.max_request_headers_count = common.max_headers_count().value();
  if (common.has_max_requests_per_connection()) into.max_requests_per_connection = common.max_requests_per_connection().value();
  if (from.has_stream_idle_timeout()) into.stream_idle_timeout = to_milliseconds(from.stream_idle_timeout());
  if (from.has_request_timeout()) into.request_timeout = to_milliseconds(from.request_timeout());
  if (from.has_request_headers_timeout()) into.request_headers_timeout = to_milliseconds(from.request_headers_timeout());
  if (from.has_drain_timeout()) into.drain_timeout = to_milliseconds(from.drain_timeout());
  if (from.has_max_request_headers_kb()) {
    if (from.max_request_headers_kb().value() == 0 || from.max_request_headers_kb().value() > 8192)
      return invalid(path / "max_request_headers_kb", "is 1 to 8192");
    into.max_request_headers_bytes = from.max_request_headers_kb().value() * 1024;
  }
  return {};
}

Result<void> read_http_filters(const hcm::HttpConnectionManager& from, HttpConfig& into, const Path& path) {
  namespace router = envoy::extensions::filters::http::router::v3;
  for (int i = 0; i < from.http_filters_size(); ++i) {
    const auto& filter = from.http_filters(i);
    const Path at = (path / "http_filters")[i];
    if (type_of(filter.typed_config()) != router::Router::descriptor()->full_name()) {
      if (filter.is_optional()) continue;
      return unsupported(at, "the filter '" + filter.name() + "'");
    }
    router::Router config;
    WEFT_CHECK(unpack(filter.typed_config(), config, at / "typed_config"));
    into.suppress_envoy_headers = config.suppress_envoy_headers();
    if (i + 1 != from.http_filters_size()) return invalid(at, "the router is the last filter");
  }
  if (from.http_filters_size() == 0) return invalid(path / "http_filters", "there is no router");
  return {};
}

void read_edges(const hcm::HttpConnectionManager& from, HttpConfig& into) {
  using Header = HttpConfig::ServerHeader;
  into.use_remote_address = from.use_remote_address().value();
  into.trusted_hops = from.xff_num_trusted_hops();
  into.generate_request_id = !from.has_generate_request_id() || from.generate_request_id().value();
  into.preserve_external_request_id = from.preserve_external_request_id();
  into.accept_http10 = from.http_protocol_options().accept_http_10();
  into.normalize_path = from.normalize_path().value();
  into.merge_slashes = from.merge_slashes();
  if (!from.server_name().empty()) into.server_name = from.server_name();
  switch (from.server_header_transformation()) {
    case hcm::HttpConnectionManager::APPEND_IF_ABSENT: into.server_header = Header::kAppendIfAbsent; break;
    case hcm::HttpConnectionManager::PASS_THROUGH: into.server_header = Header::kPassThrough; break;
    default: into.server_header = Header::kOverwrite; break;
  }
  for (const auto& upgrade : from.upgrade_configs())
    if (!upgrade.has_enabled() || upgrade.enabled().value()) into.upgrades.push_back(to_lower(upgrade.upgrade_type()));
  into.tracing = from.has_tracing();
  if (from.tracing().has_random_sampling()) into.random_sampling_percent = from.tracing().random_sampling().value();
}

Result<HttpConfig> to_http(const hcm::HttpConnectionManager& from, const Path& path) {
  HttpConfig config;
  config.stat_prefix = from.stat_prefix();
  if (from.codec_type() == hcm::HttpConnectionManager::HTTP2 || from.codec_type() == hcm::HttpConnectionManager::HTTP3)
    return unsupported(path / "codec_type", hcm::HttpConnectionManager::CodecType_Name(from.codec_type()));
  if (from.has_route_config()) {
    WEFT_TRY(config.route_table, to_route_table(from.route_config(), (path / "route_config").text()));
  } else if (from.has_rds()) {
    config.route_table_name = from.rds().route_config_name();
  } else {
    return invalid(path, "there is neither route_config nor rds");
  }
  read_edges(from, config);
  WEFT_CHECK(read_timeouts(from, config, path));
  WEFT_CHECK(read_http_filters(from, config, path));
  WEFT_TRY(config.access_logs, to_access_logs(from.access_log(), path / "access_log"));
  return config;
}

Result<proxy::TcpProxyConfig> to_tcp(const tcp::TcpProxy& from, const Path& path) {
  proxy::TcpProxyConfig config;
  config.stat_prefix = from.stat_prefix();
  if (!from.cluster().empty())
    config.clusters.push_back({.cluster = from.cluster(), .weight = 1, .request_headers = {}, .response_headers = {}});
  std::uint64_t total = config.clusters.size();
  for (const auto& one : from.weighted_clusters().clusters()) {
    config.clusters.push_back({.cluster = one.name(), .weight = one.weight(), .request_headers = {}, .response_headers = {}});
    total += one.weight();
  }
  if (total == 0) return invalid(path, "there is neither a cluster nor a weighted one");
  if (from.has_idle_timeout()) config.idle_timeout = to_milliseconds(from.idle_timeout());
  WEFT_TRY(config.access_logs, to_access_logs(from.access_log(), path / "access_log"));
  return config;
}

Result<proxy::FilterChainMatch> to_chain_match(const listener::FilterChainMatch& from, const Path& path) {
  proxy::FilterChainMatch match;
  if (from.has_destination_port()) match.destination_port = static_cast<std::uint16_t>(from.destination_port().value());
  for (int i = 0; i < from.prefix_ranges_size(); ++i) {
    const auto& range = from.prefix_ranges(i);
    auto address = net::Address::parse_ip(range.address_prefix(), 0);
    if (!address) return invalid((path / "prefix_ranges")[i], "'" + range.address_prefix() + "' is not an IP address");
    match.destination_prefixes.push_back({*address, range.prefix_len().value()});
  }
  match.server_names.assign(from.server_names().begin(), from.server_names().end());
  match.transport_protocol = from.transport_protocol();
  match.application_protocols.assign(from.application_protocols().begin(), from.application_protocols().end());
  return match;
}

Result<proxy::FilterChain> to_chain(const listener::FilterChain& from, const Path& path) {
  proxy::FilterChain chain;
  chain.name = from.name();
  WEFT_TRY(chain.match, to_chain_match(from.filter_chain_match(), path / "filter_chain_match"));
  if (from.filters_size() != 1) return unsupported(path / "filters", "a chain of " + std::to_string(from.filters_size()) + " filters instead of one");
  const listener::Filter& filter = from.filters(0);
  const Path at = (path / "filters")[0] / "typed_config";
  const std::string type = type_of(filter.typed_config());
  if (type == hcm::HttpConnectionManager::descriptor()->full_name()) {
    hcm::HttpConnectionManager manager;
    WEFT_CHECK(unpack(filter.typed_config(), manager, at));
    WEFT_TRY(chain.filter, to_http(manager, at));
  } else if (type == tcp::TcpProxy::descriptor()->full_name()) {
    tcp::TcpProxy tcp_proxy;
    WEFT_CHECK(unpack(filter.typed_config(), tcp_proxy, at));
    WEFT_TRY(chain.filter, to_tcp(tcp_proxy, at));
  } else {
    return unsupported(at, "the filter '" + filter.name() + "'");
  }
  return chain;
}

Result<void> read_listener_filters(const listener::Listener& from, proxy::ListenerConfig& into, const Path& path) {
  namespace filters = envoy::extensions::filters::listener;
  for (int i = 0; i < from.listener_filters_size(); ++i) {
    const std::string type = type_of(from.listener_filters(i).typed_config());
    if (type == filters::original_dst::v3::OriginalDst::descriptor()->full_name()) into.original_destination_filter = true;
    else if (type == filters::http_inspector::v3::HttpInspector::descriptor()->full_name()) into.sniff_http = true;
    else if (type == filters::tls_inspector::v3::TlsInspector::descriptor()->full_name()) into.sniff_tls = true;
    else return unsupported((path / "listener_filters")[i], "the listener filter '" + from.listener_filters(i).name() + "'");
  }
  return {};
}

void read_flags(const listener::Listener& from, proxy::ListenerConfig& into) {
  into.bind_to_port = !from.has_bind_to_port() || from.bind_to_port().value();
  into.use_original_destination = from.use_original_dst().value();
  into.transparent = from.transparent().value();
  if (from.has_listener_filters_timeout()) into.sniff_timeout = to_milliseconds(from.listener_filters_timeout());
  into.continue_on_sniff_timeout = from.continue_on_listener_filters_timeout();
  if (from.traffic_direction() == core::INBOUND) into.direction = proxy::Direction::kInbound;
  if (from.traffic_direction() == core::OUTBOUND) into.direction = proxy::Direction::kOutbound;
  if (from.has_per_connection_buffer_limit_bytes()) into.buffer_limit = from.per_connection_buffer_limit_bytes().value();
}

}  // namespace

Result<std::shared_ptr<const proxy::ListenerConfig>> to_listener(const listener::Listener& from, std::string where) {
  const Path path(std::move(where));
  auto config = std::make_shared<proxy::ListenerConfig>();
  WEFT_TRY(config->address, to_address(from.address(), path / "address"));
  config->name = from.name().empty() ? config->address.to_string() : from.name();
  for (int i = 0; i < from.additional_addresses_size(); ++i) {
    WEFT_TRY(auto address, to_address(from.additional_addresses(i).address(), (path / "additional_addresses")[i]));
    config->additional_addresses.push_back(address);
  }
  read_flags(from, *config);
  WEFT_CHECK(read_listener_filters(from, *config, path));
  for (int i = 0; i < from.filter_chains_size(); ++i) {
    WEFT_TRY(auto chain, to_chain(from.filter_chains(i), (path / "filter_chains")[i]));
    config->chains.push_back(std::move(chain));
  }
  if (from.has_default_filter_chain()) {
    WEFT_TRY(config->default_chain, to_chain(from.default_filter_chain(), path / "default_filter_chain"));
  }
  if (config->chains.empty() && !config->default_chain) return invalid(path / "filter_chains", "a listener has at least one filter chain");
  WEFT_TRY(config->access_logs, to_access_logs(from.access_log(), path / "access_log"));
  return std::shared_ptr<const proxy::ListenerConfig>(std::move(config));
}

}  // namespace weft::xds
