#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;
using Manager = http_manager::HttpConnectionManager;

std::string filter_of(const std::string& name, const std::string& message, const std::string& text = "") {
  return "http_filters { name: '" + name + "' typed_config { [type.googleapis.com/" + message + "] { " +
         text + " } } } ";
}

const std::string kRouter = filter_of("router", "envoy.extensions.filters.http.router.v3.Router");
const std::string kInline = "stat_prefix: 's' route_config { name: 'r' } ";
/// With this said, all that is not in kInline is as in a new struct.
const std::string kPlain = kInline + kRouter + "http_protocol_options { accept_http_10: true } ";

/// As a bootstrap's: what is not done is an error, whose text this is then.
std::string made_of(const std::string& text) {
  Conversion conversion(true);
  const auto made = to_http(parsed<Manager>(text), Path(), conversion);
  return made ? shown(made->config) : made.error().text;
}

TEST(ConvertHttp, each_field_of_a_manager_does_its_own_and_nothing_else) {
  const Row rows[] = {
      {"", ""},
      {"codec_type: AUTO", ""},
      {"codec_type: HTTP1", ", codec HTTP/1"},
      {"codec_type: HTTP2", ", codec HTTP/2"},
      {"route_config { name: '2' }", ""},
      {"use_remote_address { value: true }", ", use_remote_address true"},
      {"xff_num_trusted_hops: 2", ", trusted_hops 2"},
      {"generate_request_id {}", ", generate_request_id false"},
      {"preserve_external_request_id: true", ", preserve_external_request_id true"},
      {"http_protocol_options { accept_http_10: false }", ", accept_http10 false"},
      {"http_protocol_options { allow_absolute_url { value: true } enable_trailers: true }", ""},
      {"http2_protocol_options { max_concurrent_streams { value: 1 } }",
       ", http2 {max_concurrent_streams 1}"},
      {"normalize_path { value: true }", ", normalize_path true"},
      {"merge_slashes: true", ", merge_slashes true"},
      {"server_name: 'edge'", ", server_name 'edge'"},
      {"server_header_transformation: OVERWRITE", ""},
      {"server_header_transformation: APPEND_IF_ABSENT", ", server_header append if absent"},
      {"server_header_transformation: PASS_THROUGH", ", server_header pass through"},
      {"upgrade_configs { upgrade_type: 'WebSocket' } upgrade_configs { upgrade_type: 'b' enabled {} }",
       ", upgrades ['websocket']"},
      {"upgrade_configs { upgrade_type: 'CONNECT' }", ", connect true"},
      {"common_http_protocol_options { idle_timeout { seconds: 5 } }", ", idle_timeout 5000ms"},
      {"common_http_protocol_options { max_headers_count { value: 1 } }", ", max_request_headers_count 1"},
      {"common_http_protocol_options { max_requests_per_connection { value: 2 } }",
       ", max_requests_per_connection 2"},
      {"stream_idle_timeout {}", ", stream_idle_timeout 0ms"},
      {"request_timeout { nanos: 1 }", ", request_timeout 1ms"},
      {"request_headers_timeout { seconds: 1 nanos: 1000000 }", ", request_headers_timeout 1001ms"},
      {"drain_timeout { seconds: 1 } delayed_close_timeout { seconds: 1 }", ", drain_timeout 1000ms"},
      {"max_request_headers_kb { value: 1 }", ", max_request_headers_bytes 1024"},
      {"max_request_headers_kb { value: 8192 }", ", max_request_headers_bytes 8388608"},
      {"tracing {}", ", tracing true"},
      {"tracing { client_sampling { value: 1 } random_sampling { value: 12.5 } }",
       ", tracing true, random_sampling_percent 12.5"},
      {"tracing { random_sampling { value: 50 } overall_sampling { value: 0.25 } }",
       ", tracing true, random_sampling_percent 0.25"},
      {"tracing { random_sampling { value: 0.5 } overall_sampling { value: 50 } }",
       ", tracing true, random_sampling_percent 0.5"},
      {"access_log { typed_config { [type.googleapis.com/"
       "envoy.extensions.access_loggers.stream.v3.StderrAccessLog] {} } }",
       ", access_logs [{path '/dev/stderr'}]"},
  };
  for (const auto& [text, want] : rows) {
    const std::string name = text.starts_with("route_config") ? "2" : "r";
    EXPECT_EQ(made_of(kPlain + text), "{stat_prefix 's', route_table {name '" + name + "'}" + want + "}")
        << text;
  }
}

TEST(ConvertHttp, what_is_wrong_with_a_manager_is_told_by_its_field) {
  const Row rows[] = {
      {"stat_prefix: ''", "stat_prefix: is missing"},
      {"codec_type: HTTP3", "codec_type: only AUTO, HTTP1 and HTTP2 are supported"},
      {"route_config { virtual_hosts { name: 'a' } }", "route_config.virtual_hosts[0].domains: is empty"},
      {"common_http_protocol_options { idle_timeout { seconds: -1 } }",
       "common_http_protocol_options.idle_timeout: a duration cannot be negative"},
      {"common_http_protocol_options { max_headers_count {} }",
       "common_http_protocol_options.max_headers_count: has to be at least 1"},
      {"stream_idle_timeout { seconds: -1 }", "stream_idle_timeout: a duration cannot be negative"},
      {"request_timeout { seconds: -1 }", "request_timeout: a duration cannot be negative"},
      {"request_headers_timeout { seconds: -1 }", "request_headers_timeout: a duration cannot be negative"},
      {"drain_timeout { seconds: -1 }", "drain_timeout: a duration cannot be negative"},
      {"max_request_headers_kb {}", "max_request_headers_kb: has to be from 1 to 8192"},
      {"max_request_headers_kb { value: 8193 }", "max_request_headers_kb: has to be from 1 to 8192"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(made_of(kPlain + text), want);
}

TEST(ConvertHttp, what_is_not_done_is_an_error_in_a_bootstrap_and_listed_when_it_is_a_control_plane_s) {
  const Row rows[] = {
      {"http_protocol_options { allow_absolute_url {} }",
       "http_protocol_options.allow_absolute_url: false is not supported"},
      {"http_protocol_options { default_host_for_http_10: 'a' }",
       "http_protocol_options.default_host_for_http_10: is not supported"},
      {"common_http_protocol_options { max_connection_duration { seconds: 1 } }",
       "common_http_protocol_options.max_connection_duration: is not supported"},
      {"common_http_protocol_options { max_stream_duration { seconds: 1 } }",
       "common_http_protocol_options.max_stream_duration: is not supported"},
      {"access_log { name: 'a' }", "access_log[0].typed_config: access logger '' is not supported"},
  };
  for (const auto& [text, want] : rows) {
    EXPECT_EQ(made_of(kPlain + text), want);
    Conversion conversion(false);
    const auto made = to_http(parsed<Manager>(kPlain + text), Path(), conversion);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(shown(made->config), "{stat_prefix 's', route_table {name 'r'}}") << text;
    EXPECT_EQ(conversion.left_out(), std::vector<std::string>{want});
  }
}

TEST(ConvertHttp, routes_by_name_are_a_need_with_the_time_that_its_source_says) {
  const auto needs = [](const std::string& source) {
    Conversion conversion(true);
    return to_http(parsed<Manager>("stat_prefix: 's' rds { route_config_name: 'r' config_source { " + source +
                                   " } } " + kRouter),
                   Path(), conversion);
  };
  constexpr std::pair<const char*, int> kTimes[] = {
      {"ads {}", 15'000},
      {"ads {} initial_fetch_timeout {}", 0},
      {"ads {} resource_api_version: V3 initial_fetch_timeout { seconds: 2 }", 2'000}};
  for (const auto& [source, milliseconds] : kTimes) {
    const auto made = needs(source);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(shown(made->config), "{stat_prefix 's', route_table_name 'r', accept_http10 false}");
    ASSERT_EQ(made->needs.size(), 1u);
    EXPECT_EQ(made->needs[0].name, "r");
    EXPECT_EQ(made->needs[0].timeout.count(), milliseconds);
  }
  EXPECT_EQ(needs("").error().text,
            "rds.config_source: the only source of configuration supported is ads: {}");
  EXPECT_EQ(needs("ads {} initial_fetch_timeout { seconds: -1 }").error().text,
            "rds.config_source.initial_fetch_timeout: a duration cannot be negative");
  EXPECT_EQ(made_of("stat_prefix: 's' rds { config_source { ads {} } } " + kRouter),
            "rds.route_config_name: is missing");
  EXPECT_EQ(made_of("stat_prefix: 's' " + kRouter), "has to have route_config or rds");
}

TEST(ConvertHttp, filters_stay_in_their_order_and_end_with_the_router) {
  const std::string fault = "envoy.extensions.filters.http.fault.v3.HTTPFault";
  const std::string router = "envoy.extensions.filters.http.router.v3.Router";
  const std::string made = "{stat_prefix 's', route_table {name 'r'}, accept_http10 false";
  const Row rows[] = {
      {kRouter, made + "}"},
      {filter_of("router", router, "dynamic_stats {} start_child_span: true"), made + "}"},
      {filter_of("router", router, "suppress_envoy_headers: true"), made + ", suppress_envoy_headers true}"},
      {filter_of("b", fault) + filter_of("a", fault) + kRouter, made + ", filters ['b', 'a']}"},
      {"", "http_filters: has to end with the router, envoy.extensions.filters.http.router.v3.Router"},
      {filter_of("a", fault),
       "http_filters: has to end with the router, envoy.extensions.filters.http.router.v3.Router"},
      {kRouter + filter_of("a", fault), "http_filters[0]: the router has to be the last filter"},
      {filter_of("a", fault, "abort { http_status: 199 }") + kRouter,
       "http_filters[0].typed_config.abort.http_status: has to be from 200 to 599, not 199"},
      {"http_filters { name: 'a' } " + kRouter, "http_filters[0]: HTTP filter 'a' () is not supported"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(made_of(kInline + text), want);
  Manager broken = parsed<Manager>(kInline + kRouter);
  broken.mutable_http_filters(0)->mutable_typed_config()->set_value("\xff");
  Conversion conversion(false);
  EXPECT_EQ(to_http(broken, Path(), conversion).error().text,
            "http_filters[0].typed_config: the bytes are no envoy.extensions.filters.http.router.v3.Router");
}

/// Of a chain whose first filter holds this.
Result<HttpChain> with_filter(std::string_view type, const std::string& value, bool optional,
                              Conversion& conversion) {
  Manager manager = parsed<Manager>(kInline + "http_filters { name: 'f' typed_config {} } " + kRouter);
  auto& filter = *manager.mutable_http_filters(0);
  filter.set_is_optional(optional);
  filter.mutable_typed_config()->set_type_url("type.googleapis.com/" + std::string(type));
  filter.mutable_typed_config()->set_value(value);
  return to_http(manager, Path(), conversion);
}

TEST(ConvertHttp, a_control_plane_s_filter_is_left_out_where_it_is_optional_or_known_to_guard_nothing) {
  // A wrapper's first field is the type of what it wraps.
  const std::string url = "type.googleapis.com/stats.PluginConfig";
  const std::string wrapped = std::string("\x0a") + static_cast<char>(url.size()) + url;
  const struct {
    std::string_view type;
    std::string value;
    bool optional, left_out;
  } rows[] = {
      {"no.such.Filter", "", false, false},
      {"no.such.Filter", "", true, true},
      {"envoy.extensions.filters.http.rbac.v3.RBAC", "", false, false},
      {"envoy.extensions.filters.http.cors.v3.Cors", "", false, true},
      {"envoy.extensions.filters.http.grpc_stats.v3.FilterConfig", "", false, true},
      {"io.istio.http.peer_metadata.Config", "", false, true},
      {"istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig", "", false, true},
      {"stats.PluginConfig", "", false, true},
      {"udpa.type.v1.TypedStruct", wrapped, false, true},
      {"xds.type.v3.TypedStruct", wrapped, false, true},
      {"xds.type.v3.TypedStruct", "", false, false},
      {"xds.type.v3.TypedStruct", "\xff", false, false},
      {"other.type.v9.TypedStruct", wrapped, false, false},
  };
  for (const auto& row : rows) {
    const std::string text =
        "http_filters[0]: HTTP filter 'f' (" + std::string(row.type) + ") is not supported";
    Conversion dynamic(false), strict(true);
    const auto made = with_filter(row.type, row.value, row.optional, dynamic);
    ASSERT_EQ(made.has_value(), row.left_out) << row.type;
    if (made) EXPECT_TRUE(made->config.filters.empty()) << row.type;
    EXPECT_EQ(made ? dynamic.left_out() : std::vector{made.error().text}, std::vector{text});
    EXPECT_EQ(with_filter(row.type, row.value, row.optional, strict).error().text, text);
  }
}

}  // namespace
}  // namespace weft::xds
