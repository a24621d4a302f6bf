#include <gtest/gtest.h>

#include <functional>

#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;

/// A table of one host with one route, of which the texts say the rest.
route::RouteConfiguration table_of(const std::string& of_route, const std::string& of_host = "",
                                   const std::string& of_table = "") {
  return parsed<route::RouteConfiguration>("name: 't' virtual_hosts { name: 'h' domains: '*' routes { " +
                                           of_route + " } " + of_host + " } " + of_table);
}

/// As a bootstrap's: what is not done is an error, whose text this is then.
Result<proxy::RouteTable> strictly(const route::RouteConfiguration& from) {
  Conversion conversion(true);
  return to_route_table(from, Path(), conversion);
}

std::string made_of(const Result<proxy::RouteTable>& table,
                    const std::function<std::string(const proxy::RouteTable&)>& part) {
  return table ? part(*table) : table.error().text;
}

std::string route_of(const std::string& text) {
  return made_of(strictly(table_of(text)),
                 [](const auto& table) { return shown(table.hosts.at(0).routes.at(0)); });
}

std::string action_of(const std::string& text) {
  return made_of(strictly(table_of("match { prefix: '/' } " + text)), [](const auto& table) {
    return std::visit([](const auto& action) { return shown(action); },
                      table.hosts.at(0).routes.at(0).action);
  });
}

TEST(ConvertRoute, each_field_of_a_forwarding_action_does_its_own_and_nothing_else) {
  const Row rows[] = {
      {"", ""},
      {"cluster_not_found_response_code: SERVICE_UNAVAILABLE", ""},
      {"cluster_not_found_response_code: NOT_FOUND", ", cluster_not_found_status 404"},
      {"cluster_not_found_response_code: INTERNAL_SERVER_ERROR", ", cluster_not_found_status 500"},
      {"timeout {}", ", timeout 0ms"},
      {"timeout { seconds: 3 nanos: 1 }", ", timeout 3001ms"},
      {"idle_timeout { nanos: 500000000 }", ", idle_timeout 500ms"},
      {"retry_policy {}", ", retry {}"},
      {"prefix_rewrite: '/b'", ", prefix_rewrite '/b'"},
      {"regex_rewrite { pattern { regex: '/a(.*)' } substitution: '/b\\\\1' }",
       ", regex_rewrite '/a(.*)', regex_substitution '/b\\1'"},
      {"host_rewrite_literal: 'b.example'", ", host_rewrite 'b.example'"},
      {"append_x_forwarded_host: true", ", append_x_forwarded_host true"},
      {"upgrade_configs { upgrade_type: 'WebSocket' }", ", upgrades ['websocket']"},
      {"upgrade_configs { upgrade_type: 'a' enabled { value: true } } upgrade_configs { upgrade_type: 'b' }",
       ", upgrades ['a', 'b']"},
      {"upgrade_configs { upgrade_type: 'CONNECT' }", ", connect forward"},
      {"upgrade_configs { upgrade_type: 'CONNECT' connect_config {} }", ", connect terminate"},
      {"max_stream_duration {}", ", timeout 0ms"},
      {"timeout { seconds: 3 } max_stream_duration { max_stream_duration { seconds: 1 } }",
       ", timeout 0ms, max_duration 1000ms"},
      {"max_stream_duration { grpc_timeout_header_max {} }", ", timeout 0ms, grpc_duration {}"},
      {"max_stream_duration { grpc_timeout_header_max { seconds: 1 } grpc_timeout_header_offset { seconds: 2 "
       "} }",
       ", timeout 0ms, grpc_duration {max 1000ms, offset 2000ms}"},
      {"max_stream_duration { grpc_timeout_header_offset { seconds: 2 } }", ", timeout 0ms"},
      {"max_grpc_timeout {}", ", grpc_response {}"},
      {"max_grpc_timeout { seconds: 1 } grpc_timeout_offset { seconds: 2 }",
       ", grpc_response {max 1000ms, offset 2000ms}"},
      {"grpc_timeout_offset { seconds: 2 }", ""},
      {"max_grpc_timeout { seconds: 1 } max_stream_duration {}", ", timeout 0ms"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(action_of("route { cluster: 'a' " + text + " }"),
              "forward {clusters [{cluster 'a', weight 1}]" + want + "}");
}

TEST(ConvertRoute, a_destination_is_a_cluster_several_by_weight_or_the_one_that_a_header_names) {
  const Row rows[] = {
      {"cluster_header: 'X-Where'", "cluster_header 'x-where'"},
      {"weighted_clusters { clusters { name: 'a' weight {} } clusters { name: 'b' weight { value: 3 } } }",
       "clusters [{cluster 'a'}, {cluster 'b', weight 3}]"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 4294967295 } } }",
       "clusters [{cluster 'a', weight 4294967295}]"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 2 } } total_weight { value: 2 } }",
       "clusters [{cluster 'a', weight 2}]"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 1 } request_headers_to_add { header { key: "
       "'X-A' value: '1' } } request_headers_to_remove: 'X-B' response_headers_to_add { header { key: 'X-C' "
       "} } response_headers_to_remove: 'X-D' } }",
       "clusters [{cluster 'a', weight 1, request_headers {add [{name 'x-a', value '1'}], remove ['x-b']}, "
       "response_headers {add [{name 'x-c'}], remove ['x-d']}}]"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 1 } host_rewrite_literal: 'a%41.example' } "
       "}",
       "clusters [{cluster 'a', weight 1, host_rewrite 'a%41.example'}]"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(action_of("route { " + text + " }"), "forward {" + want + "}");
}

TEST(ConvertRoute, what_is_wrong_with_a_destination_or_a_rewrite_is_told_by_its_field) {
  const Row rows[] = {
      {"", "route: has to have one of cluster, weighted_clusters, cluster_header"},
      {"cluster: ''", "route.cluster: is empty"},
      {"cluster_header: ''", "route.cluster_header: has to be a header's name, not ''"},
      {"weighted_clusters {}", "route.weighted_clusters.clusters: the weights have to sum up to more than 0"},
      {"weighted_clusters { clusters { name: 'a' weight {} } }",
       "route.weighted_clusters.clusters: the weights have to sum up to more than 0"},
      {"weighted_clusters { clusters { name: 'a' } clusters { name: 'b' weight { value: 3 } } }",
       "route.weighted_clusters.clusters[0].weight: is missing"},
      {"weighted_clusters { clusters { weight { value: 1 } } }",
       "route.weighted_clusters.clusters[0].name: is missing"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 4294967295 } } clusters { name: 'b' weight "
       "{ value: 1 } } }",
       "route.weighted_clusters.clusters: the weights sum up to more than 2^32-1"},
      {"weighted_clusters { clusters { name: 'a' weight { value: 1 } } total_weight {} }",
       "route.weighted_clusters.total_weight: is 0, and the weights sum up to 1"},
      {"cluster: 'a' regex_rewrite { pattern { regex: 'a' } } prefix_rewrite: '/b'",
       "route.regex_rewrite: excludes prefix_rewrite"},
      {"cluster: 'a' regex_rewrite { pattern { regex: '(' } }",
       "route.regex_rewrite.pattern.regex: '(' is no regular expression: missing ): ("},
      {"cluster: 'a' timeout { seconds: -1 }", "route.timeout: a duration cannot be negative"},
      {"cluster: 'a' idle_timeout { nanos: -1 }", "route.idle_timeout: a duration cannot be negative"},
      {"cluster: 'a' upgrade_configs { upgrade_type: 'a' } upgrade_configs { upgrade_type: 'b' enabled {} }",
       "route.upgrade_configs[1].enabled: false is not supported for a route"},
      {"cluster: 'a' upgrade_configs { upgrade_type: 'a' connect_config {} }",
       "route.upgrade_configs[0].connect_config: is only for upgrade_type CONNECT"},
      {"cluster: 'a' max_stream_duration { grpc_timeout_header_max { seconds: -1 } }",
       "route.max_stream_duration.grpc_timeout_header_max: a duration cannot be negative"},
      {"cluster: 'a' max_grpc_timeout { seconds: -1 }",
       "route.max_grpc_timeout: a duration cannot be negative"},
      {"cluster: 'a' max_stream_duration { max_stream_duration { seconds: -1 } }",
       "route.max_stream_duration.max_stream_duration: a duration cannot be negative"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(action_of("route { " + text + " }"), "virtual_hosts[0].routes[0]." + want);
}

/// Of a route's policy, in braces.
std::string retry_of(const std::string& text) {
  const std::string made = action_of("route { cluster: 'a' retry_policy { " + text + " } }");
  const auto at = made.find(", retry ");
  return at == std::string::npos ? made : made.substr(at + 8, made.size() - at - 9);
}

TEST(ConvertRoute, each_field_of_a_retry_policy_does_its_own_and_nothing_else) {
  const Row rows[] = {
      {"retry_on: 'connect-failure'", "connect_failure true"},
      {"retry_on: 'reset'", "reset true"},
      {"retry_on: 'reset-before-request'", "reset_before_request true"},
      {"retry_on: '5xx'", "five_xx true"},
      {"retry_on: 'gateway-error'", "gateway_error true"},
      {"retry_on: 'retriable-4xx'", "retriable_4xx true"},
      {"retry_on: 'retriable-status-codes'", "retriable_status_codes true"},
      {"retry_on: 'retriable-headers'", "retriable_headers true"},
      {"retry_on: 'envoy-ratelimited'", "rate_limited true"},
      {"retry_on: 'cancelled'", "grpc_statuses 2"},
      {"retry_on: 'deadline-exceeded'", "grpc_statuses 16"},
      {"retry_on: 'resource-exhausted'", "grpc_statuses 256"},
      {"retry_on: 'internal'", "grpc_statuses 8192"},
      {"retry_on: 'unavailable'", "grpc_statuses 16384"},
      {"retry_on: 'refused-stream,http3-post-connect-failure'", "refused_stream true"},
      {"retry_on: ' 5xx ,, reset '", "reset true, five_xx true"},
      {"num_retries {}", "retries 0"},
      {"num_retries { value: 7 }", "retries 7"},
      {"per_try_timeout { nanos: 1 }", "per_try_timeout 1ms"},
      {"retriable_status_codes: 409 retriable_status_codes: 502", "status_codes [409, 502]"},
      {"retriable_headers { name: 'X-A' exact_match: '1' }",
       "response_headers [{name 'x-a', match {text '1'}}]"},
      {"retry_back_off { base_interval { nanos: 5000000 } }", "base_interval 5ms, max_interval 50ms"},
      {"retry_back_off { base_interval { seconds: 1 } max_interval { seconds: 1 } }",
       "base_interval 1000ms, max_interval 1000ms"},
      {"host_selection_retry_max_attempts: 3", ""},
      {"retry_host_predicate { name: 'p' typed_config { "
       "[type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate] {} } }",
       ""},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(retry_of(text), "{" + want + "}") << text;
}

TEST(ConvertRoute, what_is_wrong_with_a_retry_policy_is_told_by_its_field) {
  const Row rows[] = {
      {"retry_on: '5xx,teapot'", "retry_on: retry condition 'teapot' is not supported"},
      {"per_try_timeout { seconds: -1 }", "per_try_timeout: a duration cannot be negative"},
      {"retriable_headers { name: 'a' } retriable_headers {}", "retriable_headers[1].name: is missing"},
      {"retry_host_predicate { name: 'p' }",
       "retry_host_predicate[0]: retry host predicate 'p' is not supported"},
      {"retry_back_off {}", "retry_back_off.base_interval: has to be longer than 0"},
      {"retry_back_off { base_interval { seconds: -1 } }",
       "retry_back_off.base_interval: a duration cannot be negative"},
      {"retry_back_off { base_interval { seconds: 2 } max_interval { seconds: 1 } }",
       "retry_back_off.max_interval: has to be at least base_interval"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(retry_of(text), "virtual_hosts[0].routes[0].route.retry_policy." + want);
}

TEST(ConvertRoute, each_field_of_a_redirect_does_its_own_and_nothing_else) {
  const Row rows[] = {
      {"", ""},
      {"https_redirect: true", "scheme 'https'"},
      {"https_redirect: false", ""},
      {"scheme_redirect: 'FTP+s.1-'", "scheme 'ftp+s.1-'"},
      {"host_redirect: 'b.example:81'", "host 'b.example:81'"},
      {"port_redirect: 65535", "port 65535"},
      {"port_redirect: 0", ""},
      {"path_redirect: '/b?c#d'", "path '/b?c#d'"},
      {"prefix_rewrite: '/b'", "prefix_rewrite '/b'"},
      {"response_code: MOVED_PERMANENTLY", ""},
      {"response_code: FOUND", "status 302"},
      {"response_code: SEE_OTHER", "status 303"},
      {"response_code: TEMPORARY_REDIRECT", "status 307"},
      {"response_code: PERMANENT_REDIRECT", "status 308"},
      {"strip_query: true", "strip_query true"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(action_of("redirect { " + text + " }"), "redirect {" + want + "}");
  EXPECT_EQ(action_of("redirect { port_redirect: 65536 }"),
            "virtual_hosts[0].routes[0].redirect.port_redirect: has to be at most 65535");
  EXPECT_EQ(
      action_of("redirect { path_redirect: '/a#b c' }"),
      "virtual_hosts[0].routes[0].redirect.path_redirect: a path may not have the byte 0x20 at position 1; "
      "encode it with '%'");
  for (const std::string scheme : {"1a", "-", "a:"})
    EXPECT_EQ(action_of("redirect { scheme_redirect: '" + scheme + "' }"),
              "virtual_hosts[0].routes[0].redirect.scheme_redirect: '" + scheme + "' is no scheme");
}

TEST(ConvertRoute, a_direct_response_has_a_status_and_a_body_of_limited_size) {
  const auto direct = [](const std::string& text, const std::string& of_table) {
    return made_of(strictly(table_of("match { prefix: '/' } direct_response { " + text + " }", "", of_table)),
                   [](const auto& table) {
                     return shown(std::get<proxy::DirectAction>(table.hosts.at(0).routes.at(0).action));
                   });
  };
  const std::string path = "virtual_hosts[0].routes[0].direct_response.";
  EXPECT_EQ(direct("status: 200", ""), "direct {}");
  EXPECT_EQ(direct("status: 599 body { inline_string: 'a' }", ""), "direct {status 599, body 'a'}");
  EXPECT_EQ(direct("status: 404 body { inline_bytes: 'b' }", ""), "direct {status 404, body 'b'}");
  EXPECT_EQ(direct("status: 199", ""), path + "status: has to be from 200 to 599, not 199");
  EXPECT_EQ(direct("status: 600", ""), path + "status: has to be from 200 to 599, not 600");
  const std::string most(4096, 'x');
  EXPECT_EQ(direct("status: 200 body { inline_string: '" + most + "' }", ""), "direct {body '" + most + "'}");
  EXPECT_EQ(direct("status: 200 body { inline_string: '" + most + "x' }", ""),
            path + "body: is longer than max_direct_response_body_size_bytes, 4096");
  const std::string small = "max_direct_response_body_size_bytes { value: 2 }";
  EXPECT_EQ(direct("status: 200 body { inline_string: 'ab' }", small), "direct {body 'ab'}");
  EXPECT_EQ(direct("status: 200 body { inline_string: 'abc' }", small),
            path + "body: is longer than max_direct_response_body_size_bytes, 2");
}

const std::string kAddsAndRemoves =
    " request_headers_to_add { header { key: 'X-A' value: '1' } } request_headers_to_remove: 'X-B' "
    "response_headers_to_add { header { key: 'X-C' value: '3' } } response_headers_to_remove: 'X-D' ";
const std::string kAddedAndRemoved =
    "request_headers {add [{name 'x-a', value '1'}], remove ['x-b']}, "
    "response_headers {add [{name 'x-c', value '3'}], remove ['x-d']}";

TEST(ConvertRoute, each_field_of_a_route_does_its_own_and_nothing_else) {
  const std::string fault = "[type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault]";
  const Row rows[] = {
      {"", ""},
      {"name: 'n'", "name 'n'"},
      {"metadata { filter_metadata { key: 'a' value {} } }", ""},
      {"decorator { operation: 'o' propagate { value: false } }", "decorator_operation 'o'"},
      {kAddsAndRemoves, kAddedAndRemoved},
      {"typed_per_filter_config { key: 'f' value { " + fault + " {} } }", "filters ['f']"},
  };
  for (const auto& [text, want] : rows) {
    const std::string named = want.starts_with("name") ? want + ", " : "";
    const std::string filters = want.starts_with("filters") ? want + ", " : "";
    const std::string rest = named.empty() && filters.empty() && !want.empty() ? ", " + want : "";
    EXPECT_EQ(route_of("match { path: '/a' } direct_response { status: 204 } " + text),
              "{" + named + "match {path {kind exact, text '/a'}}, " + filters +
                  "action direct {status 204}" + rest + "}")
        << text;
  }
}

TEST(ConvertRoute, what_is_wrong_with_a_route_is_told_by_its_field_and_closes_the_route_when_not_of_a_file) {
  const std::string cors = "[type.googleapis.com/envoy.extensions.filters.http.router.v3.Router]";
  const Row rows[] = {
      {"direct_response { status: 204 }",
       "match: has to have one of prefix, path, safe_regex, path_separated_prefix, connect_matcher"},
      {"match { prefix: '/' }", ": has to have one of route, redirect, direct_response"},
      {"match { prefix: '/' } direct_response { status: 204 } request_headers_to_remove: ':path'",
       "request_headers_to_remove[0]: ':path' may not be changed here; use host_rewrite_literal or a "
       "rewrite"},
  };
  for (const auto& [text, want] : rows) {
    const std::string error = "virtual_hosts[0].routes[0]" + (want[0] == ':' ? want : "." + want);
    EXPECT_EQ(route_of(text), error);
    Conversion conversion(false);
    const auto made = to_route_table(table_of("name: 'n' " + text), Path(), conversion);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(conversion.rejected(), std::vector<std::string>{error});
    const proxy::Route& closed = made->hosts.at(0).routes.at(0);
    EXPECT_EQ(closed.name, "n");
    EXPECT_EQ(std::get<proxy::DirectAction>(closed.action).status, 500);
  }
  EXPECT_EQ(route_of("match { prefix: '/' } direct_response { status: 204 } typed_per_filter_config { key: "
                     "'f' value { " +
                     cors + " {} } }"),
            "virtual_hosts[0].routes[0].typed_per_filter_config.f: settings for "
            "envoy.extensions.filters.http.router.v3.Router are not supported");
}

TEST(ConvertRoute, each_field_of_a_host_and_of_a_table_does_its_own_and_nothing_else) {
  const std::string before = "{name 't', hosts [{name 'h', domains ['*', 'b']", after = "}]";
  const Row hosts[] = {
      {"", ""},
      {"require_tls: NONE", ""},
      {"require_tls: ALL", ", require_tls true"},
      {"include_request_attempt_count: true", ", include_attempt_count true"},
      {kAddsAndRemoves, ", " + kAddedAndRemoved},
  };
  const auto table = [](const std::string& of_host, const std::string& of_table) {
    return made_of(
        strictly(parsed<route::RouteConfiguration>(
            "name: 't' virtual_hosts { name: 'h' domains: '*' domains: 'b' " + of_host + " } " + of_table)),
        [](const auto& made) { return shown(made); });
  };
  for (const auto& [text, want] : hosts) EXPECT_EQ(table(text, ""), before + want + "}]}") << text;
  EXPECT_EQ(table("", kAddsAndRemoves), before + "}], " + kAddedAndRemoved + "}");
  EXPECT_EQ(table("", "ignore_port_in_host_matching: true"), before + "}], ignore_port_in_host true}");
  EXPECT_EQ(table("", "validate_clusters { value: true }"), before + "}]}");
  EXPECT_EQ(table("require_tls: EXTERNAL_ONLY", ""),
            "virtual_hosts[0].require_tls: EXTERNAL_ONLY is not supported; taken as ALL");
  EXPECT_EQ(table("", "virtual_hosts { name: 'none' }"), "virtual_hosts[1].domains: is empty");
  EXPECT_EQ(table("", "virtual_hosts { name: 'c' domains: 'c' domains: 'B' }"),
            "virtual_hosts[1].domains[1]: 'B' is there twice in one route configuration");
}

TEST(ConvertRoute, a_host_s_retry_policy_is_that_of_its_routes_without_one) {
  const auto made = strictly(table_of("match { prefix: '/a' } route { cluster: 'a' retry_policy {} }",
                                      "routes { match { prefix: '/b' } route { cluster: 'b' } } routes { "
                                      "match { prefix: '/c' } direct_response { status: 204 } } "
                                      "retry_policy { num_retries { value: 5 } }"));
  ASSERT_TRUE(made) << made.error().text;
  const auto& routes = made->hosts.at(0).routes;
  EXPECT_EQ(std::get<proxy::ForwardAction>(routes.at(0).action).retry->retries, 1u);
  EXPECT_EQ(std::get<proxy::ForwardAction>(routes.at(1).action).retry->retries, 5u);
  EXPECT_EQ(made_of(strictly(table_of("match { prefix: '/' } route { cluster: 'a' }",
                                      "retry_policy { retry_on: 'teapot' }")),
                    [](const auto&) { return ""; }),
            "virtual_hosts[0].retry_policy.retry_on: retry condition 'teapot' is not supported");
}

TEST(ConvertRoute, of_a_control_plane_what_is_wrong_with_a_host_closes_all_of_it_and_no_other) {
  Conversion conversion(false);
  const auto made = to_route_table(
      table_of("match { prefix: '/a' } route { cluster: 'a' }", "request_headers_to_remove: 'host'",
               "virtual_hosts { name: 'other' domains: 'b' require_tls: EXTERNAL_ONLY }"),
      Path(), conversion);
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_EQ(made->hosts.size(), 2u);
  ASSERT_EQ(made->hosts[0].routes.size(), 1u);
  EXPECT_EQ(made->hosts[0].domains, std::vector<std::string>{"*"});
  EXPECT_EQ(made->hosts[0].routes[0].match.path.text, "/");
  EXPECT_EQ(std::get<proxy::DirectAction>(made->hosts[0].routes[0].action).status, 500);
  EXPECT_TRUE(made->hosts[1].require_tls);
  EXPECT_EQ(
      conversion.rejected(),
      std::vector<std::string>{"virtual_hosts[0].request_headers_to_remove[0]: 'host' may not be changed "
                               "here; use host_rewrite_literal or a rewrite"});
  EXPECT_EQ(
      conversion.left_out(),
      std::vector<std::string>{"virtual_hosts[1].require_tls: EXTERNAL_ONLY is not supported; taken as ALL"});
}

}  // namespace
}  // namespace weft::xds
