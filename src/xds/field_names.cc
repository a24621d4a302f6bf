#include "xds/field_names.h"

#include <algorithm>

namespace weft::xds {
namespace {

struct FieldName {
  std::string_view message;
  int number;
  std::string_view name;
};

constexpr std::string_view kAccessLogFilter = "envoy.config.accesslog.v3.AccessLogFilter";
constexpr std::string_view kCircuitBreakers = "envoy.config.cluster.v3.CircuitBreakers";
constexpr std::string_view kCircuitBreakersThresholds = "envoy.config.cluster.v3.CircuitBreakers.Thresholds";
constexpr std::string_view kCluster = "envoy.config.cluster.v3.Cluster";
constexpr std::string_view kClusterCommonLbConfig = "envoy.config.cluster.v3.Cluster.CommonLbConfig";
constexpr std::string_view kClusterLeastRequestLbConfig =
    "envoy.config.cluster.v3.Cluster.LeastRequestLbConfig";
constexpr std::string_view kUpstreamConnectionOptions = "envoy.config.cluster.v3.UpstreamConnectionOptions";
constexpr std::string_view kAddress = "envoy.config.core.v3.Address";
constexpr std::string_view kBindConfig = "envoy.config.core.v3.BindConfig";
constexpr std::string_view kExtraSourceAddress = "envoy.config.core.v3.ExtraSourceAddress";
constexpr std::string_view kHttp1ProtocolOptions = "envoy.config.core.v3.Http1ProtocolOptions";
constexpr std::string_view kHttp2ProtocolOptions = "envoy.config.core.v3.Http2ProtocolOptions";
constexpr std::string_view kKeepaliveSettings = "envoy.config.core.v3.KeepaliveSettings";
constexpr std::string_view kHttpProtocolOptions = "envoy.config.core.v3.HttpProtocolOptions";
constexpr std::string_view kSocketAddress = "envoy.config.core.v3.SocketAddress";
constexpr std::string_view kClusterLoadAssignment = "envoy.config.endpoint.v3.ClusterLoadAssignment";
constexpr std::string_view kClusterLoadAssignmentPolicy =
    "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy";
constexpr std::string_view kEndpoint = "envoy.config.endpoint.v3.Endpoint";
constexpr std::string_view kLbEndpoint = "envoy.config.endpoint.v3.LbEndpoint";
constexpr std::string_view kLocalityLbEndpoints = "envoy.config.endpoint.v3.LocalityLbEndpoints";
constexpr std::string_view kAdditionalAddress = "envoy.config.listener.v3.AdditionalAddress";
constexpr std::string_view kFilter = "envoy.config.listener.v3.Filter";
constexpr std::string_view kFilterChain = "envoy.config.listener.v3.FilterChain";
constexpr std::string_view kFilterChainMatch = "envoy.config.listener.v3.FilterChainMatch";
constexpr std::string_view kListener = "envoy.config.listener.v3.Listener";
constexpr std::string_view kListenerFilter = "envoy.config.listener.v3.ListenerFilter";
constexpr std::string_view kDirectResponseAction = "envoy.config.route.v3.DirectResponseAction";
constexpr std::string_view kHeaderMatcher = "envoy.config.route.v3.HeaderMatcher";
constexpr std::string_view kRedirectAction = "envoy.config.route.v3.RedirectAction";
constexpr std::string_view kRetryPolicy = "envoy.config.route.v3.RetryPolicy";
constexpr std::string_view kRoute = "envoy.config.route.v3.Route";
constexpr std::string_view kRouteAction = "envoy.config.route.v3.RouteAction";
constexpr std::string_view kRouteActionConnectConfig =
    "envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig";
constexpr std::string_view kRouteConfiguration = "envoy.config.route.v3.RouteConfiguration";
constexpr std::string_view kRouteMatch = "envoy.config.route.v3.RouteMatch";
constexpr std::string_view kVirtualHost = "envoy.config.route.v3.VirtualHost";
constexpr std::string_view kWeightedCluster = "envoy.config.route.v3.WeightedCluster";
constexpr std::string_view kWeightedClusterClusterWeight =
    "envoy.config.route.v3.WeightedCluster.ClusterWeight";
constexpr std::string_view kFaultAbort = "envoy.extensions.filters.http.fault.v3.FaultAbort";
constexpr std::string_view kHTTPFault = "envoy.extensions.filters.http.fault.v3.HTTPFault";
constexpr std::string_view kRouter = "envoy.extensions.filters.http.router.v3.Router";
constexpr std::string_view kHttpConnectionManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
constexpr std::string_view kHttpConnectionManagerTracing =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing";
constexpr std::string_view kHttpConnectionManagerUpgradeConfig =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig";
constexpr std::string_view kHttpFilter =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter";
constexpr std::string_view kTcpProxy = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
constexpr std::string_view kTcpProxyWeightedClusterClusterWeight =
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight";
constexpr std::string_view kUpstreamHttpProtocolOptions =
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
constexpr std::string_view kHttpProtocolOptionsExplicitHttpConfig =
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig";
constexpr std::string_view kHttpProtocolOptionsUseDownstreamHttpConfig =
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig";

// Of Envoy's API (envoy/config, envoy/extensions): the fields that our messages of the same name do not have.
constexpr FieldName kNames[] = {
    {kAccessLogFilter, 1, "status_code_filter"},
    {kAccessLogFilter, 2, "duration_filter"},
    {kAccessLogFilter, 3, "not_health_check_filter"},
    {kAccessLogFilter, 4, "traceable_filter"},
    {kAccessLogFilter, 5, "runtime_filter"},
    {kAccessLogFilter, 6, "and_filter"},
    {kAccessLogFilter, 7, "or_filter"},
    {kAccessLogFilter, 8, "header_filter"},
    {kAccessLogFilter, 10, "grpc_status_filter"},
    {kAccessLogFilter, 11, "extension_filter"},
    {kAccessLogFilter, 12, "metadata_filter"},
    {kAccessLogFilter, 13, "log_type_filter"},
    {kCircuitBreakers, 2, "per_host_thresholds"},
    {kCircuitBreakersThresholds, 7, "max_connection_pools"},
    {kCircuitBreakersThresholds, 8, "retry_budget"},
    {kCluster, 8, "health_checks"},
    {kCluster, 13, "http_protocol_options"},
    {kCluster, 14, "http2_protocol_options"},
    {kCluster, 18, "dns_resolvers"},
    {kCluster, 19, "outlier_detection"},
    {kCluster, 22, "lb_subset_config"},
    {kCluster, 23, "ring_hash_lb_config"},
    {kCluster, 24, "transport_socket"},
    {kCluster, 26, "protocol_selection"},
    {kCluster, 29, "common_http_protocol_options"},
    {kCluster, 31, "close_connections_on_host_health_failure"},
    {kCluster, 32, "ignore_health_on_host_removal"},
    {kCluster, 38, "cluster_type"},
    {kCluster, 40, "filters"},
    {kCluster, 41, "load_balancing_policy"},
    {kCluster, 42, "lrs_server"},
    {kCluster, 43, "transport_socket_matches"},
    {kCluster, 44, "dns_failure_refresh_rate"},
    {kCluster, 45, "use_tcp_for_dns_lookups"},
    {kCluster, 46, "upstream_http_protocol_options"},
    {kCluster, 47, "track_timeout_budgets"},
    {kCluster, 48, "upstream_config"},
    {kCluster, 49, "track_cluster_stats"},
    {kCluster, 50, "preconnect_policy"},
    {kCluster, 51, "connection_pool_per_downstream_connection"},
    {kCluster, 52, "maglev_lb_config"},
    {kCluster, 53, "dns_resolution_config"},
    {kCluster, 54, "wait_for_warm_on_init"},
    {kCluster, 55, "typed_dns_resolver_config"},
    {kCluster, 57, "lrs_report_endpoint_metrics"},
    {kCluster, 58, "dns_jitter"},
    {kCluster, 59, "transport_socket_matcher"},
    {kClusterCommonLbConfig, 2, "zone_aware_lb_config"},
    {kClusterCommonLbConfig, 4, "update_merge_window"},
    {kClusterCommonLbConfig, 5, "ignore_new_hosts_until_first_hc"},
    {kClusterCommonLbConfig, 6, "close_connections_on_host_set_change"},
    {kClusterCommonLbConfig, 7, "consistent_hashing_lb_config"},
    {kClusterCommonLbConfig, 8, "override_host_status"},
    {kClusterLeastRequestLbConfig, 2, "active_request_bias"},
    {kClusterLeastRequestLbConfig, 3, "slow_start_config"},
    {kUpstreamConnectionOptions, 2, "set_local_interface_name_on_upstream_connections"},
    {kUpstreamConnectionOptions, 3, "happy_eyeballs_config"},
    {kAddress, 3, "envoy_internal_address"},
    {kBindConfig, 3, "socket_options"},
    {kBindConfig, 4, "additional_source_addresses"},
    {kBindConfig, 6, "local_address_selector"},
    {kExtraSourceAddress, 2, "socket_options"},
    {kHttp1ProtocolOptions, 4, "header_key_format"},
    {kHttp1ProtocolOptions, 6, "allow_chunked_length"},
    {kHttp1ProtocolOptions, 7, "override_stream_error_on_invalid_http_message"},
    {kHttp1ProtocolOptions, 8, "send_fully_qualified_url"},
    {kHttp1ProtocolOptions, 9, "use_balsa_parser"},
    {kHttp1ProtocolOptions, 10, "allow_custom_methods"},
    {kHttp1ProtocolOptions, 11, "ignore_http_11_upgrade"},
    {kHttp2ProtocolOptions, 1, "hpack_table_size"},
    {kHttp2ProtocolOptions, 6, "allow_metadata"},
    {kHttp2ProtocolOptions, 7, "max_outbound_frames"},
    {kHttp2ProtocolOptions, 8, "max_outbound_control_frames"},
    {kHttp2ProtocolOptions, 9, "max_consecutive_inbound_frames_with_empty_payload"},
    {kHttp2ProtocolOptions, 10, "max_inbound_priority_frames_per_stream"},
    {kHttp2ProtocolOptions, 11, "max_inbound_window_update_frames_per_data_frame_sent"},
    {kHttp2ProtocolOptions, 12, "stream_error_on_invalid_http_messaging"},
    {kHttp2ProtocolOptions, 13, "custom_settings_parameters"},
    {kHttp2ProtocolOptions, 14, "override_stream_error_on_invalid_http_message"},
    {kHttp2ProtocolOptions, 16, "use_oghttp2_codec"},
    {kHttp2ProtocolOptions, 17, "max_metadata_size"},
    {kHttp2ProtocolOptions, 18, "enable_huffman_encoding"},
    {kKeepaliveSettings, 3, "interval_jitter"},
    {kKeepaliveSettings, 4, "connection_idle_interval"},
    {kHttpProtocolOptions, 5, "headers_with_underscores_action"},
    {kHttpProtocolOptions, 7, "max_response_headers_kb"},
    {kSocketAddress, 4, "named_port"},
    {kSocketAddress, 5, "resolver_name"},
    {kSocketAddress, 7, "network_namespace_filepath"},
    {kClusterLoadAssignment, 5, "named_endpoints"},
    {kClusterLoadAssignmentPolicy, 1, "disable_overprovisioning"},
    {kClusterLoadAssignmentPolicy, 2, "drop_overloads"},
    {kClusterLoadAssignmentPolicy, 4, "endpoint_stale_after"},
    {kClusterLoadAssignmentPolicy, 5, "disable_overprovisioning"},
    {kClusterLoadAssignmentPolicy, 6, "weighted_priority_health"},
    {kEndpoint, 2, "health_check_config"},
    {kEndpoint, 4, "additional_addresses"},
    {kLbEndpoint, 5, "endpoint_name"},
    {kLocalityLbEndpoints, 6, "proximity"},
    {kLocalityLbEndpoints, 7, "load_balancer_endpoints"},
    {kLocalityLbEndpoints, 8, "leds_cluster_locality_config"},
    {kLocalityLbEndpoints, 9, "metadata"},
    {kAdditionalAddress, 2, "socket_options"},
    {kAdditionalAddress, 3, "tcp_keepalive"},
    {kFilter, 5, "config_discovery"},
    {kFilterChain, 4, "use_proxy_proto"},
    {kFilterChain, 6, "transport_socket"},
    {kFilterChain, 9, "transport_socket_connect_timeout"},
    {kFilterChainMatch, 4, "address_suffix"},
    {kFilterChainMatch, 5, "suffix_len"},
    {kFilterChainMatch, 6, "source_prefix_ranges"},
    {kFilterChainMatch, 7, "source_ports"},
    {kFilterChainMatch, 12, "source_type"},
    {kFilterChainMatch, 13, "direct_source_prefix_ranges"},
    {kListener, 7, "deprecated_v1"},
    {kListener, 8, "drain_type"},
    {kListener, 11, "freebind"},
    {kListener, 12, "tcp_fast_open_queue_length"},
    {kListener, 13, "socket_options"},
    {kListener, 18, "udp_listener_config"},
    {kListener, 19, "api_listener"},
    {kListener, 20, "connection_balance_config"},
    {kListener, 21, "reuse_port"},
    {kListener, 27, "internal_listener"},
    {kListener, 30, "enable_mptcp"},
    {kListener, 31, "ignore_global_conn_limit"},
    {kListener, 32, "filter_chain_matcher"},
    {kListener, 34, "max_connections_to_accept_per_socket_event"},
    {kListener, 35, "bypass_overload_manager"},
    {kListener, 36, "fcds_config"},
    {kListener, 37, "tcp_keepalive"},
    {kListenerFilter, 5, "config_discovery"},
    {kDirectResponseAction, 3, "body_format"},
    {kHeaderMatcher, 6, "range_match"},
    {kRedirectAction, 9, "regex_rewrite"},
    {kRetryPolicy, 4, "retry_priority"},
    {kRetryPolicy, 10, "retriable_request_headers"},
    {kRetryPolicy, 11, "rate_limited_retry_back_off"},
    {kRetryPolicy, 12, "retry_options_predicates"},
    {kRetryPolicy, 13, "per_try_idle_timeout"},
    {kRoute, 15, "tracing"},
    {kRoute, 16, "per_request_buffer_limit_bytes"},
    {kRoute, 17, "filter_action"},
    {kRoute, 18, "non_forwarding_action"},
    {kRoute, 19, "stat_prefix"},
    {kRoute, 20, "request_body_buffer_limit"},
    {kRouteAction, 4, "metadata_match"},
    {kRouteAction, 7, "auto_host_rewrite"},
    {kRouteAction, 11, "priority"},
    {kRouteAction, 13, "rate_limits"},
    {kRouteAction, 14, "include_vh_rate_limits"},
    {kRouteAction, 15, "hash_policy"},
    {kRouteAction, 17, "cors"},
    {kRouteAction, 26, "internal_redirect_action"},
    {kRouteAction, 27, "hedge_policy"},
    {kRouteAction, 29, "host_rewrite_header"},
    {kRouteAction, 30, "request_mirror_policies"},
    {kRouteAction, 31, "max_internal_redirects"},
    {kRouteAction, 33, "retry_policy_typed_config"},
    {kRouteAction, 34, "internal_redirect_policy"},
    {kRouteAction, 35, "host_rewrite_path_regex"},
    {kRouteAction, 37, "cluster_specifier_plugin"},
    {kRouteAction, 39, "inline_cluster_specifier_plugin"},
    {kRouteAction, 40, "early_data_policy"},
    {kRouteAction, 41, "path_rewrite_policy"},
    {kRouteAction, 42, "flush_timeout"},
    {kRouteAction, 44, "host_rewrite"},
    {kRouteAction, 45, "path_rewrite"},
    {kRouteActionConnectConfig, 1, "proxy_protocol_config"},
    {kRouteActionConnectConfig, 2, "allow_post"},
    {kRouteConfiguration, 3, "internal_only_headers"},
    {kRouteConfiguration, 9, "vhds"},
    {kRouteConfiguration, 10, "most_specific_header_mutations_wins"},
    {kRouteConfiguration, 12, "cluster_specifier_plugins"},
    {kRouteConfiguration, 13, "request_mirror_policies"},
    {kRouteConfiguration, 15, "ignore_path_parameters_in_path_matching"},
    {kRouteConfiguration, 16, "typed_per_filter_config"},
    {kRouteConfiguration, 17, "metadata"},
    {kRouteConfiguration, 18, "vhost_header"},
    {kRouteMatch, 8, "grpc"},
    {kRouteMatch, 11, "tls_context"},
    {kRouteMatch, 13, "dynamic_metadata"},
    {kRouteMatch, 15, "path_match_policy"},
    {kRouteMatch, 16, "filter_state"},
    {kRouteMatch, 17, "cookies"},
    {kVirtualHost, 5, "virtual_clusters"},
    {kVirtualHost, 6, "rate_limits"},
    {kVirtualHost, 8, "cors"},
    {kVirtualHost, 15, "typed_per_filter_config"},
    {kVirtualHost, 17, "hedge_policy"},
    {kVirtualHost, 18, "per_request_buffer_limit_bytes"},
    {kVirtualHost, 19, "include_attempt_count_in_response"},
    {kVirtualHost, 20, "retry_policy_typed_config"},
    {kVirtualHost, 21, "matcher"},
    {kVirtualHost, 22, "request_mirror_policies"},
    {kVirtualHost, 23, "include_is_timeout_retry_header"},
    {kVirtualHost, 24, "metadata"},
    {kVirtualHost, 25, "request_body_buffer_limit"},
    {kWeightedCluster, 2, "runtime_key_prefix"},
    {kWeightedCluster, 4, "header_name"},
    {kWeightedCluster, 5, "use_hash_policy"},
    {kWeightedClusterClusterWeight, 3, "metadata_match"},
    {kWeightedClusterClusterWeight, 10, "typed_per_filter_config"},
    {kWeightedClusterClusterWeight, 12, "cluster_header"},
    {kFaultAbort, 4, "header_abort"},
    {kHTTPFault, 3, "upstream_cluster"},
    {kHTTPFault, 4, "headers"},
    {kHTTPFault, 5, "downstream_nodes"},
    {kHTTPFault, 6, "max_active_faults"},
    {kHTTPFault, 7, "response_rate_limit"},
    {kHTTPFault, 8, "delay_percent_runtime"},
    {kHTTPFault, 9, "abort_percent_runtime"},
    {kHTTPFault, 10, "delay_duration_runtime"},
    {kHTTPFault, 11, "abort_http_status_runtime"},
    {kHTTPFault, 12, "max_active_faults_runtime"},
    {kHTTPFault, 13, "response_rate_limit_percent_runtime"},
    {kHTTPFault, 14, "abort_grpc_status_runtime"},
    {kHTTPFault, 15, "disable_downstream_cluster_stats"},
    {kHTTPFault, 16, "filter_metadata"},
    {kRouter, 3, "upstream_log"},
    {kRouter, 5, "strict_check_headers"},
    {kRouter, 6, "respect_expected_rq_timeout"},
    {kRouter, 7, "suppress_grpc_request_failure_code_stats"},
    {kRouter, 8, "upstream_http_filters"},
    {kRouter, 9, "upstream_log_options"},
    {kRouter, 10, "reject_connect_request_early_data"},
    {kHttpConnectionManager, 6, "add_user_agent"},
    {kHttpConnectionManager, 16, "forward_client_cert_details"},
    {kHttpConnectionManager, 17, "set_current_client_cert_details"},
    {kHttpConnectionManager, 18, "proxy_100_continue"},
    {kHttpConnectionManager, 20, "represent_ipv4_remote_address_as_ipv4_mapped_ipv6"},
    {kHttpConnectionManager, 21, "skip_xff_append"},
    {kHttpConnectionManager, 22, "via"},
    {kHttpConnectionManager, 25, "internal_address_config"},
    {kHttpConnectionManager, 31, "scoped_routes"},
    {kHttpConnectionManager, 36, "request_id_extension"},
    {kHttpConnectionManager, 37, "always_set_request_id_in_response"},
    {kHttpConnectionManager, 38, "local_reply_config"},
    {kHttpConnectionManager, 39, "strip_matching_host_port"},
    {kHttpConnectionManager, 40, "stream_error_on_invalid_http_message"},
    {kHttpConnectionManager, 42, "strip_any_host_port"},
    {kHttpConnectionManager, 43, "path_normalization_options"},
    {kHttpConnectionManager, 44, "http3_protocol_options"},
    {kHttpConnectionManager, 46, "original_ip_detection_extensions"},
    {kHttpConnectionManager, 47, "strip_trailing_host_dot"},
    {kHttpConnectionManager, 48, "scheme_header_transformation"},
    {kHttpConnectionManager, 49, "proxy_status_config"},
    {kHttpConnectionManager, 50, "typed_header_validation_config"},
    {kHttpConnectionManager, 51, "append_x_forwarded_port"},
    {kHttpConnectionManager, 52, "early_header_mutation_extensions"},
    {kHttpConnectionManager, 53, "add_proxy_protocol_connection_state"},
    {kHttpConnectionManager, 54, "access_log_flush_interval"},
    {kHttpConnectionManager, 55, "flush_access_log_on_new_request"},
    {kHttpConnectionManager, 56, "access_log_options"},
    {kHttpConnectionManager, 57, "append_local_overload"},
    {kHttpConnectionManager, 58, "http1_safe_max_connection_duration"},
    {kHttpConnectionManager, 59, "stream_flush_timeout"},
    {kHttpConnectionManager, 60, "forward_client_cert_matcher"},
    {kHttpConnectionManager, 61, "forward_proto_config"},
    {kHttpConnectionManagerTracing, 6, "verbose"},
    {kHttpConnectionManagerTracing, 7, "max_path_tag_length"},
    {kHttpConnectionManagerTracing, 8, "custom_tags"},
    {kHttpConnectionManagerTracing, 9, "provider"},
    {kHttpConnectionManagerTracing, 10, "spawn_upstream_span"},
    {kHttpConnectionManagerTracing, 11, "operation"},
    {kHttpConnectionManagerTracing, 12, "upstream_operation"},
    {kHttpConnectionManagerUpgradeConfig, 2, "filters"},
    {kHttpFilter, 5, "config_discovery"},
    {kHttpFilter, 7, "disabled"},
    {kTcpProxy, 3, "downstream_idle_timeout"},
    {kTcpProxy, 4, "upstream_idle_timeout"},
    {kTcpProxy, 9, "metadata_match"},
    {kTcpProxy, 11, "hash_policy"},
    {kTcpProxy, 12, "tunneling_config"},
    {kTcpProxy, 13, "max_downstream_connection_duration"},
    {kTcpProxy, 14, "on_demand"},
    {kTcpProxy, 15, "access_log_flush_interval"},
    {kTcpProxy, 16, "flush_access_log_on_connected"},
    {kTcpProxy, 17, "access_log_options"},
    {kTcpProxy, 18, "backoff_options"},
    {kTcpProxy, 19, "proxy_protocol_tlvs"},
    {kTcpProxy, 20, "max_downstream_connection_duration_jitter_percentage"},
    {kTcpProxy, 21, "upstream_connect_mode"},
    {kTcpProxy, 22, "max_early_data_bytes"},
    {kTcpProxyWeightedClusterClusterWeight, 3, "metadata_match"},
    {kUpstreamHttpProtocolOptions, 2, "upstream_http_protocol_options"},
    {kUpstreamHttpProtocolOptions, 5, "auto_config"},
    {kUpstreamHttpProtocolOptions, 6, "http_filters"},
    {kUpstreamHttpProtocolOptions, 7, "header_validation_config"},
    {kUpstreamHttpProtocolOptions, 8, "outlier_detection"},
    {kUpstreamHttpProtocolOptions, 9, "request_mirror_policies"},
    {kUpstreamHttpProtocolOptions, 10, "hash_policy"},
    {kUpstreamHttpProtocolOptions, 11, "retry_policy"},
    {kHttpProtocolOptionsExplicitHttpConfig, 3, "http3_protocol_options"},
    {kHttpProtocolOptionsUseDownstreamHttpConfig, 3, "http3_protocol_options"},
};

}  // namespace

std::string name_of_field(std::string_view message, int number) {
  const auto* found = std::ranges::find_if(
      kNames, [&](const FieldName& one) { return one.message == message && one.number == number; });
  return found == std::end(kNames) ? "field #" + std::to_string(number) : std::string(found->name);
}

}  // namespace weft::xds
