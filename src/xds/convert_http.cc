#include <algorithm>

#include "base/strings.h"
#include "xds/convert.h"
#include "xds/filters/http_filters.h"

namespace weft::xds {
namespace {

using Manager = http_manager::HttpConnectionManager;

/// HTTP filters that only observe, or do nothing without TLS or a route's own settings: left out when a
/// control plane sends them.
constexpr std::string_view kHarmless[] = {
    "envoy.extensions.filters.http.cors.v3.Cors",
    "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
    "io.istio.http.peer_metadata.Config",
    "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
    "stats.PluginConfig",
};

bool harmless(const google::protobuf::Any& any) {
  return std::ranges::count(kHarmless, message_name(any)) +
             std::ranges::count(kHarmless, std::string_view(wrapped_name(any))) >
         0;
}

Result<void> read_filters(const Manager& from, proxy::HttpConfig& into, const Path& path,
                          Conversion& conversion) {
  Path list = path.field("http_filters");
  for (int i = 0; i < from.http_filters_size(); ++i) {
    const auto& filter = from.http_filters(i);
    Path here = list.item(i), config = here.field("typed_config");
    bool last = i + 1 == from.http_filters_size();
    if (holds<envoy::extensions::filters::http::router::v3::Router>(filter.typed_config())) {
      if (!last) return fail(here.invalid("the router has to be the last filter"));
      envoy::extensions::filters::http::router::v3::Router router;
      WEFT_CHECK(unpack(filter.typed_config(), router, config, conversion));
      into.suppress_envoy_headers = router.suppress_envoy_headers();
      return {};
    }
    if (const HttpFilterConverter* const converter = http_filter_converter(filter.typed_config())) {
      WEFT_TRY(proxy::HttpFilterFactory make, converter->convert(filter.typed_config(), config, conversion));
      into.filters.push_back({filter.name(), std::move(make)});
      continue;
    }
    std::string text = "HTTP filter '" + filter.name() + "' (" +
                       std::string(message_name(filter.typed_config())) + ") is not supported";
    if (!filter.is_optional() && !harmless(filter.typed_config())) return fail(here.unsupported(text));
    WEFT_CHECK(conversion.unsupported(here, text));
  }
  return fail(list.invalid("has to end with the router, envoy.extensions.filters.http.router.v3.Router"));
}

Result<void> read_connection_options(const core::HttpProtocolOptions& from, proxy::HttpConfig& into,
                                     const Path& path, Conversion& conversion) {
  if (from.has_idle_timeout()) {
    WEFT_TRY(into.idle_timeout, to_milliseconds(from.idle_timeout(), path.field("idle_timeout")));
  }
  if (from.has_max_headers_count()) {
    if (from.max_headers_count().value() == 0)
      return fail(path.field("max_headers_count").invalid("has to be at least 1"));
    into.max_request_headers_count = from.max_headers_count().value();
  }
  if (from.has_max_requests_per_connection())
    into.max_requests_per_connection = from.max_requests_per_connection().value();
  if (from.has_max_connection_duration())
    WEFT_CHECK(conversion.unsupported(path.field("max_connection_duration"), "is not supported"));
  if (from.has_max_stream_duration())
    WEFT_CHECK(conversion.unsupported(path.field("max_stream_duration"), "is not supported"));
  return {};
}

Result<void> read_timeouts(const Manager& from, proxy::HttpConfig& into, const Path& path) {
  if (from.has_stream_idle_timeout()) {
    WEFT_TRY(into.stream_idle_timeout,
             to_milliseconds(from.stream_idle_timeout(), path.field("stream_idle_timeout")));
  }
  if (from.has_request_timeout()) {
    WEFT_TRY(into.request_timeout, to_milliseconds(from.request_timeout(), path.field("request_timeout")));
  }
  if (from.has_request_headers_timeout()) {
    WEFT_TRY(into.request_headers_timeout,
             to_milliseconds(from.request_headers_timeout(), path.field("request_headers_timeout")));
  }
  if (from.has_drain_timeout()) {
    WEFT_TRY(into.drain_timeout, to_milliseconds(from.drain_timeout(), path.field("drain_timeout")));
  }
  return {};
}

void read_tracing(const Manager& from, proxy::HttpConfig& into) {
  into.tracing = from.has_tracing();
  if (!into.tracing) return;
  const auto& tracing = from.tracing();
  if (tracing.has_random_sampling()) into.random_sampling_percent = tracing.random_sampling().value();
  if (tracing.has_overall_sampling())
    into.random_sampling_percent = std::min(into.random_sampling_percent, tracing.overall_sampling().value());
}

Result<void> read_protocols(const Manager& from, proxy::HttpConfig& into, const Path& path,
                            Conversion& conversion) {
  if (from.codec_type() == Manager::HTTP3)
    return fail(path.field("codec_type").unsupported("only AUTO, HTTP1 and HTTP2 are supported"));
  if (from.codec_type() == Manager::HTTP1) into.codec = http::Protocol::kHttp1;
  if (from.codec_type() == Manager::HTTP2) into.codec = http::Protocol::kHttp2;
  WEFT_CHECK(
      read_http2_options(from.http2_protocol_options(), into.http2, path.field("http2_protocol_options")));
  const auto& http1 = from.http_protocol_options();
  into.accept_http10 = http1.accept_http_10();
  Path options = path.field("http_protocol_options");
  if (http1.has_allow_absolute_url() && !http1.allow_absolute_url().value())
    WEFT_CHECK(conversion.unsupported(options.field("allow_absolute_url"), "false is not supported"));
  if (!http1.default_host_for_http_10().empty()) {
    WEFT_CHECK(conversion.unsupported(options.field("default_host_for_http_10"), "is not supported"));
  }
  for (const auto& upgrade : from.upgrade_configs()) {
    if (upgrade.has_enabled() && !upgrade.enabled().value()) continue;
    std::string type = to_lower(upgrade.upgrade_type());
    if (type == kConnectUpgrade)
      into.connect = true;
    else
      into.upgrades.push_back(std::move(type));
  }
  return {};
}

void read_identity(const Manager& from, proxy::HttpConfig& into) {
  if (!from.server_name().empty()) into.server_name = from.server_name();
  using Header = proxy::HttpConfig::ServerHeader;
  if (from.server_header_transformation() == Manager::APPEND_IF_ABSENT)
    into.server_header = Header::kAppendIfAbsent;
  if (from.server_header_transformation() == Manager::PASS_THROUGH) into.server_header = Header::kPassThrough;
  into.use_remote_address = from.use_remote_address().value();
  into.trusted_hops = from.xff_num_trusted_hops();
  if (from.has_generate_request_id()) into.generate_request_id = from.generate_request_id().value();
  into.preserve_external_request_id = from.preserve_external_request_id();
}

void read_path_options(const Manager& from, proxy::HttpConfig& into) {
  using Slashes = proxy::HttpConfig::EscapedSlashes;
  into.normalize_path = from.normalize_path().value();
  into.merge_slashes = from.merge_slashes();
  switch (from.path_with_escaped_slashes_action()) {
    case Manager::REJECT_REQUEST: into.escaped_slashes = Slashes::kReject; break;
    case Manager::UNESCAPE_AND_REDIRECT: into.escaped_slashes = Slashes::kUnescapeAndRedirect; break;
    case Manager::UNESCAPE_AND_FORWARD: into.escaped_slashes = Slashes::kUnescapeAndForward; break;
    default: into.escaped_slashes = Slashes::kKeep;
  }
}

Result<void> read_routes(const Manager& from, HttpChain& into, const Path& path, Conversion& conversion) {
  if (from.has_route_config()) {
    WEFT_TRY(auto table, to_route_table(from.route_config(), path.field("route_config"), conversion));
    into.config.route_table = std::make_shared<const proxy::RouteTable>(std::move(table));
    return {};
  }
  if (!from.has_rds()) return fail(path.unsupported("has to have route_config or rds"));
  Path rds = path.field("rds"), source = rds.field("config_source");
  WEFT_CHECK(expect_ads(from.rds().config_source(), source));
  if (from.rds().route_config_name().empty())
    return fail(rds.field("route_config_name").invalid("is missing"));
  into.config.route_table_name = from.rds().route_config_name();
  Need need{.type = Type::kRoute, .name = into.config.route_table_name};
  WEFT_TRY(need.timeout, fetch_timeout(from.rds().config_source(), source));
  into.needs.push_back(std::move(need));
  return {};
}

}  // namespace

Result<HttpChain> to_http(const Manager& from, const Path& path, Conversion& conversion) {
  HttpChain made;
  proxy::HttpConfig& config = made.config;
  config.stat_prefix = from.stat_prefix();
  if (config.stat_prefix.empty()) return fail(path.field("stat_prefix").invalid("is missing"));
  WEFT_CHECK(read_routes(from, made, path, conversion));
  WEFT_CHECK(read_filters(from, config, path, conversion));
  WEFT_CHECK(read_protocols(from, config, path, conversion));
  WEFT_CHECK(read_connection_options(from.common_http_protocol_options(), config,
                                     path.field("common_http_protocol_options"), conversion));
  WEFT_CHECK(read_timeouts(from, config, path));
  WEFT_CHECK(expect_field_value(from.server_name(), path.field("server_name")));
  read_identity(from, config);
  read_path_options(from, config);
  read_tracing(from, config);
  if (from.has_max_request_headers_kb()) {
    if (from.max_request_headers_kb().value() == 0 || from.max_request_headers_kb().value() > 8192)
      return fail(path.field("max_request_headers_kb").invalid("has to be from 1 to 8192"));
    config.max_request_headers_bytes = from.max_request_headers_kb().value() * 1024;
  }
  WEFT_TRY(config.access_logs, to_access_logs(from.access_log(), path.field("access_log"), conversion));
  return made;
}

}  // namespace weft::xds
