#include "control/translation/messages.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace weft::control {
namespace {

constexpr std::string_view kAccessLogFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% "
    "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" "
    "%BYTES_RECEIVED% "
    "%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
    "%UPSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME% "
    "grpc_status=%GRPC_STATUS_NUMBER%\n";

// What Istio samples without being asked for more.
constexpr double kSampledPercent = 1;
// A server that speaks first says nothing that could be looked at: after this long without a byte from its
// client it is connected to.
constexpr auto kInspectFor = std::chrono::milliseconds(100);

void set_access_log(envoy::config::accesslog::v3::AccessLog& log) {
  envoy::extensions::access_loggers::file::v3::FileAccessLog file;
  file.set_path("/dev/stdout");
  file.mutable_log_format()->mutable_text_format_source()->set_inline_string(std::string(kAccessLogFormat));
  log.set_name("envoy.access_loggers.file");
  log.mutable_typed_config()->PackFrom(file);
}

void match_ports(listener::ListenerFilterChainMatchPredicate& into, std::span<const std::uint16_t> ports) {
  const auto match = [](listener::ListenerFilterChainMatchPredicate& one, std::uint16_t port) {
    one.mutable_destination_port_range()->set_start(port);
    one.mutable_destination_port_range()->set_end(port + 1);
  };
  // "or" has to have two rules at least.
  if (ports.size() == 1) return match(into, ports.front());
  for (const std::uint16_t port : ports) match(*into.mutable_or_match()->add_rules(), port);
}

}  // namespace

std::string outbound_cluster(std::uint16_t port, std::string_view subset, std::string_view host) {
  return "outbound|" + std::to_string(port) + "|" + std::string(subset) + "|" + std::string(host);
}

std::string inbound_cluster(std::uint16_t port) { return "inbound|" + std::to_string(port) + "||"; }

void set_duration(google::protobuf::Duration& into, std::chrono::milliseconds duration) {
  into.set_seconds(duration.count() / 1000);
  into.set_nanos(static_cast<std::int32_t>(duration.count() % 1000 * 1'000'000));
}

void set_timeout(route::RouteAction& into, std::chrono::milliseconds timeout) {
  set_duration(*into.mutable_timeout(), timeout);
  // Beside max_stream_duration, `timeout` would not hold.
  if (timeout.count() > 0) return set_duration(*into.mutable_max_grpc_timeout(), timeout);
  auto& whole = *into.mutable_max_stream_duration();
  set_duration(*whole.mutable_max_stream_duration(), timeout);
  set_duration(*whole.mutable_grpc_timeout_header_max(), timeout);
}

void set_address(core::Address& into, std::string_view ip, std::uint32_t port) {
  into.mutable_socket_address()->set_address(std::string(ip));
  into.mutable_socket_address()->set_port_value(port);
}

void set_all_addresses(listener::Listener& into, std::uint32_t port, bool ipv6) {
  set_address(*into.mutable_address(), ipv6 ? "::" : "0.0.0.0", port);
  if (ipv6) set_address(*into.add_additional_addresses()->mutable_address(), "0.0.0.0", port);
}

void set_ads(core::ConfigSource& into) {
  into.mutable_ads();
  into.set_resource_api_version(core::V3);
  set_duration(*into.mutable_initial_fetch_timeout(), std::chrono::milliseconds(0));
}

std::string serialize(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

hcm::HttpConnectionManager make_http_manager(Side side, std::string_view stat_prefix) {
  hcm::HttpConnectionManager manager;
  manager.set_stat_prefix(std::string(stat_prefix));
  manager.mutable_use_remote_address()->set_value(side == Side::kGateway);
  manager.mutable_generate_request_id()->set_value(true);
  manager.mutable_normalize_path()->set_value(true);
  manager.mutable_http_protocol_options()->set_accept_http_10(true);
  manager.mutable_http2_protocol_options()->set_allow_connect(true);
  set_duration(*manager.mutable_stream_idle_timeout(), std::chrono::milliseconds(0));
  if (side != Side::kOutbound) manager.set_server_name("istio-envoy");
  manager.add_upgrade_configs()->set_upgrade_type("websocket");
  auto& tracing = *manager.mutable_tracing();
  tracing.mutable_client_sampling()->set_value(100);
  tracing.mutable_random_sampling()->set_value(kSampledPercent);
  tracing.mutable_overall_sampling()->set_value(100);
  set_access_log(*manager.add_access_log());
  if (side != Side::kInbound) {
    auto& fault = *manager.add_http_filters();
    fault.set_name(std::string(kFaultFilter));
    fault.mutable_typed_config()->PackFrom(envoy::extensions::filters::http::fault::v3::HTTPFault());
  }
  auto& router = *manager.add_http_filters();
  router.set_name("envoy.filters.http.router");
  router.mutable_typed_config()->PackFrom(envoy::extensions::filters::http::router::v3::Router());
  return manager;
}

void add_grpc_web(hcm::HttpConnectionManager& manager) {
  auto& filter = *manager.add_http_filters();
  filter.set_name("envoy.filters.http.grpc_web");
  filter.mutable_typed_config()->PackFrom(envoy::extensions::filters::http::grpc_web::v3::GrpcWeb());
  auto& filters = *manager.mutable_http_filters();
  for (int i = filters.size() - 1; i > 0; --i) filters.SwapElements(i, i - 1);
}

void set_rds(hcm::HttpConnectionManager& manager, std::string_view name) {
  manager.mutable_rds()->set_route_config_name(std::string(name));
  set_ads(*manager.mutable_rds()->mutable_config_source());
}

void add_http_filter(listener::FilterChain& chain, const hcm::HttpConnectionManager& manager) {
  auto& filter = *chain.add_filters();
  filter.set_name("envoy.filters.network.http_connection_manager");
  filter.mutable_typed_config()->PackFrom(manager);
}

tcp_proxy::TcpProxy make_tcp_proxy(std::string_view stat_prefix) {
  tcp_proxy::TcpProxy proxy;
  proxy.set_stat_prefix(std::string(stat_prefix));
  set_access_log(*proxy.add_access_log());
  return proxy;
}

void add_tcp_filter(listener::FilterChain& chain, std::string_view cluster_name) {
  tcp_proxy::TcpProxy proxy = make_tcp_proxy(cluster_name);
  proxy.set_cluster(std::string(cluster_name));
  add_tcp_filter(chain, proxy);
}

void add_tcp_filter(listener::FilterChain& chain, const tcp_proxy::TcpProxy& proxy) {
  auto& filter = *chain.add_filters();
  filter.set_name("envoy.filters.network.tcp_proxy");
  filter.mutable_typed_config()->PackFrom(proxy);
}

void add_original_destination(listener::Listener& into) {
  auto& filter = *into.add_listener_filters();
  filter.set_name("envoy.filters.listener.original_dst");
  filter.mutable_typed_config()->PackFrom(
      envoy::extensions::filters::listener::original_dst::v3::OriginalDst());
}

void add_http_inspector(listener::Listener& into, std::span<const std::uint16_t> only_ports) {
  auto& filter = *into.add_listener_filters();
  filter.set_name("envoy.filters.listener.http_inspector");
  filter.mutable_typed_config()->PackFrom(
      envoy::extensions::filters::listener::http_inspector::v3::HttpInspector());
  if (!only_ports.empty()) match_ports(*filter.mutable_filter_disabled()->mutable_not_match(), only_ports);
  set_duration(*into.mutable_listener_filters_timeout(), kInspectFor);
  into.set_continue_on_listener_filters_timeout(true);
}

void match_http(listener::FilterChain& chain) {
  auto& match = *chain.mutable_filter_chain_match();
  match.set_transport_protocol("raw_buffer");
  for (const char* protocol : {"http/1.0", "http/1.1", "h2c"}) match.add_application_protocols(protocol);
}

void match_addresses(listener::FilterChain& chain, std::span<const std::string> addresses) {
  for (const std::string& address : addresses) {
    auto& range = *chain.mutable_filter_chain_match()->add_prefix_ranges();
    range.set_address_prefix(address);
    range.mutable_prefix_len()->set_value(address.find(':') == address.npos ? 32 : 128);
  }
}

}  // namespace weft::control
