#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;

/// As a bootstrap's: what is not done is an error, whose text this is then.
std::string made_of(const std::string& text) {
  Conversion conversion(true);
  const auto made = to_cluster(parsed<cluster::Cluster>(text), Path(), conversion);
  return made ? shown(made->config) : made.error().text;
}

std::string address_of(const std::string& ip, int port) {
  return "address { socket_address { address: '" + ip + "' port_value: " + std::to_string(port) + " } }";
}

TEST(ConvertCluster, each_field_of_a_cluster_does_its_own_and_nothing_else) {
  const std::string options =
      "typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' "
      "value "
      "{ [type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions] { ";
  const Row rows[] = {
      {"", ""},
      {"alt_stat_name: 'd'", ", alt_stat_name 'd'"},
      {"lb_policy: ROUND_ROBIN round_robin_lb_config {}", ""},
      {"lb_policy: LEAST_REQUEST", ", balance least request"},
      {"lb_policy: RANDOM", ", balance random"},
      {"least_request_lb_config { choice_count { value: 2 } }", ""},
      {"least_request_lb_config { choice_count { value: 5 } }", ", least_request_choices 5"},
      {"connect_timeout { nanos: 1 }", ", connect_timeout 1ms"},
      {"max_requests_per_connection { value: 3 }", ", max_requests_per_connection 3"},
      {"per_connection_buffer_limit_bytes { value: 16384 }", ", buffer_limit 16384"},
      {"upstream_bind_config { source_address { address: '127.0.0.6' } }", ", bind_sources [127.0.0.6:0]"},
      {"upstream_bind_config { source_address { address: '127.0.0.6' port_value: 7 } freebind {} "
       "extra_source_addresses { address { address: '::6' } } }",
       ", bind_sources [127.0.0.6:7, [::6]:0]"},
      {"circuit_breakers { thresholds { max_connections { value: 1 } } }", ", max_connections 1"},
      {"circuit_breakers { thresholds { max_pending_requests { value: 2 } } }", ", max_pending_requests 2"},
      {"circuit_breakers { thresholds { max_requests { value: 3 } } }", ", max_requests 3"},
      {"circuit_breakers { thresholds { max_retries {} track_remaining: true } }", ", max_retries 0"},
      {options + "explicit_http_config { http_protocol_options {} } } } }", ""},
      {options + "explicit_http_config { http2_protocol_options {} } } } }", ", spoken HTTP/2"},
      {options + "use_downstream_protocol_config { http2_protocol_options {} } } } }",
       ", spoken as downstream"},
      {options + "common_http_protocol_options { idle_timeout {} } } } }", ", idle_timeout 0ms"},
      {options + "common_http_protocol_options { max_requests_per_connection { value: 9 } } } } }",
       ", max_requests_per_connection 9"},
      {"cleanup_interval { seconds: 1 } metadata { filter_metadata { key: 'a' value {} } }", ""},
      {"upstream_connection_options {}", ""},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(made_of("name: 'c' " + text), "{name 'c', endpoints {}" + want + "}") << text;
}

TEST(ConvertCluster, what_is_wrong_with_a_cluster_is_told_by_its_field) {
  const Row rows[] = {
      {"name: ''", "name: is missing"},
      {"type: 9", "type: type 9 is not supported"},
      {"lb_policy: CLUSTER_PROVIDED", "lb_policy: CLUSTER_PROVIDED is for ORIGINAL_DST only"},
      {"least_request_lb_config { choice_count { value: 1 } }",
       "least_request_lb_config.choice_count: has to be at least 2"},
      {"connect_timeout {}", "connect_timeout: has to be longer than 0"},
      {"connect_timeout { seconds: -1 }", "connect_timeout: a duration cannot be negative"},
      {"per_connection_buffer_limit_bytes {}", "per_connection_buffer_limit_bytes: has to be more than 0"},
      {"upstream_bind_config { source_address { address: 'a' } }",
       "upstream_bind_config.source_address.address: has to be a numeric IP address, not 'a'"},
      {"upstream_bind_config { source_address { address: '::' } extra_source_addresses {} }",
       "upstream_bind_config.extra_source_addresses[0].address.address: has to be a numeric IP address, not "
       "''"},
      {"typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' "
       "value { type_url: 'x/y' } }",
       "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"]: 'x/y' "
       "is not supported"},
      {"typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' "
       "value { [type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions] { "
       "common_http_protocol_options { idle_timeout { seconds: -1 } } } } }",
       "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"]."
       "common_http_protocol_options.idle_timeout: a duration cannot be negative"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(made_of("name: 'c' " + text), want);
}

TEST(ConvertCluster, what_is_not_done_is_an_error_in_a_bootstrap_and_listed_when_it_is_a_control_plane_s) {
  const std::string options =
      "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"]";
  const Row rows[] = {
      {"lb_policy: RING_HASH", "lb_policy: RING_HASH is not supported; ROUND_ROBIN is"},
      {"lb_policy: MAGLEV", "lb_policy: MAGLEV is not supported; ROUND_ROBIN is"},
      {"lb_policy: LOAD_BALANCING_POLICY_CONFIG",
       "lb_policy: LOAD_BALANCING_POLICY_CONFIG is not supported; ROUND_ROBIN is"},
      {"per_connection_buffer_limit_bytes { value: 16383 }",
       "per_connection_buffer_limit_bytes: less than 16384 bytes are not supported"},
      {"circuit_breakers { thresholds { priority: HIGH max_requests { value: 1 } } }",
       "circuit_breakers.thresholds[0]: routes of priority HIGH are not supported"},
      {"typed_extension_protocol_options { key: 'a' value {} }",
       "typed_extension_protocol_options[\"a\"]: is not supported"},
      {"typed_extension_protocol_options { key: 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions' "
       "value { [type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions] { "
       "common_http_protocol_options { max_connection_duration {} } } } }",
       options + ".common_http_protocol_options.max_connection_duration: is not supported"},
      {"upstream_connection_options { tcp_keepalive {} }",
       "upstream_connection_options: TCP keepalive is not supported"},
  };
  for (const auto& [text, want] : rows) {
    EXPECT_EQ(made_of("name: 'c' " + text), want);
    Conversion conversion(false);
    const auto made = to_cluster(parsed<cluster::Cluster>("name: 'c' " + text), Path(), conversion);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(shown(made->config), "{name 'c', endpoints {}}") << text;
    EXPECT_EQ(conversion.left_out(), std::vector<std::string>{want});
  }
}

TEST(ConvertCluster, endpoints_of_its_own_are_read_with_their_place_weight_and_health) {
  const Row rows[] = {
      {"", "{address 10.0.0.1:80}"},
      {"load_balancing_weight { value: 4 }", "{address 10.0.0.1:80, weight 4}"},
      {"health_status: HEALTHY", "{address 10.0.0.1:80}"},
      {"health_status: DEGRADED", "{address 10.0.0.1:80, health degraded}"},
      {"health_status: UNHEALTHY", "{address 10.0.0.1:80, health unhealthy}"},
      {"health_status: TIMEOUT", "{address 10.0.0.1:80, health unhealthy}"},
      {"health_status: DRAINING", "{address 10.0.0.1:80, health draining}"},
      {"endpoint { hostname: 'h' }", "{address 10.0.0.1:80, hostname 'h'}"},
      {"metadata { filter_metadata { key: 'a' value {} } }", "{address 10.0.0.1:80}"},
      {"load_balancing_weight {}",
       "load_assignment.endpoints[0].lb_endpoints[0].load_balancing_weight: has to be at least 1"},
      {"endpoint { address { socket_address { port_value: 65536 } } }",
       "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value: has to be "
       "at "
       "most 65535, not 65536"},
  };
  for (const auto& [text, want] : rows) {
    const std::string made = made_of(
        "name: 'c' load_assignment { cluster_name: 'e' endpoints { locality { region: 'r' zone: 'z' "
        "sub_zone: 's' } lb_endpoints { endpoint { " +
        address_of("10.0.0.1", 80) + " } " + text + " } } }");
    EXPECT_EQ(made, want[0] == '{'
                        ? "{name 'c', endpoints {name 'e', localities [{endpoints [" + want + "]}]}}"
                        : want);
  }
  EXPECT_EQ(made_of("name: 'c' load_assignment { endpoints {} endpoints { lb_endpoints {} } }"),
            "load_assignment.endpoints[1].lb_endpoints[0].endpoint: is missing");
}

TEST(ConvertCluster, endpoints_of_eds_are_a_need_with_the_time_that_its_source_says) {
  const auto made = [](const std::string& text) {
    Conversion conversion(true);
    return to_cluster(parsed<cluster::Cluster>("name: 'c' type: EDS " + text), Path(), conversion);
  };
  const struct {
    std::string text, name;
    int milliseconds;
  } rows[] = {
      {"eds_cluster_config { eds_config { ads {} } }", "c", 15'000},
      {"eds_cluster_config { service_name: 's' eds_config { ads {} initial_fetch_timeout {} } }", "s", 0},
      {"eds_cluster_config { eds_config { ads {} initial_fetch_timeout { nanos: 1 } } }", "c", 1},
  };
  for (const auto& [text, name, milliseconds] : rows) {
    const auto cluster = made(text);
    ASSERT_TRUE(cluster) << cluster.error().text;
    EXPECT_EQ(shown(cluster->config),
              "{name 'c', discovery eds" + (name == "c" ? "" : ", eds_name '" + name + "'") + "}");
    ASSERT_EQ(cluster->needs.size(), 1u);
    EXPECT_EQ(cluster->needs[0].name, name == "c" ? "" : name) << "empty: the cluster's own";
    EXPECT_EQ(cluster->needs[0].timeout.count(), milliseconds);
  }
  EXPECT_EQ(made("").error().text,
            "eds_cluster_config.eds_config: the only source of configuration supported is ads: {}");
  EXPECT_EQ(made("load_assignment {}").error().text, "load_assignment: an EDS cluster has none of its own");
  EXPECT_EQ(
      made("eds_cluster_config { eds_config { ads {} initial_fetch_timeout { seconds: -1 } } }").error().text,
      "eds_cluster_config.eds_config.initial_fetch_timeout: a duration cannot be negative");
}

TEST(ConvertCluster, names_are_resolved_for_the_two_kinds_of_dns_clusters) {
  const std::string one = "endpoint { " + address_of("one.example", 80) + " }";
  const std::string two = "endpoint { " + address_of("two.example", 81) +
                          " } load_balancing_weight { value: "
                          "3 } health_status: DRAINING";
  const auto cluster = [](const std::string& rest, std::initializer_list<std::string> hosts) {
    std::string text = "name: 'c' " + rest + " load_assignment { endpoints { ";
    for (const std::string& host : hosts) text += "lb_endpoints { " + host + " } ";
    return made_of(text + "} }");
  };
  const std::string shown_one = "dns_hosts [{name 'one.example', port 80}]}";
  EXPECT_EQ(cluster("type: STRICT_DNS", {one, two}),
            "{name 'c', discovery strict dns, dns_hosts [{name 'one.example', port 80}, {name 'two.example', "
            "port 81, weight 3, health draining}]}");
  EXPECT_EQ(cluster("type: LOGICAL_DNS", {one}), "{name 'c', discovery logical dns, " + shown_one);
  EXPECT_EQ(cluster("type: STRICT_DNS dns_refresh_rate { nanos: 1 }", {one}),
            "{name 'c', discovery strict dns, dns_refresh 1ms, " + shown_one);
  EXPECT_EQ(cluster("type: LOGICAL_DNS", {one, two}),
            "load_assignment.endpoints: a LOGICAL_DNS cluster has exactly one endpoint");
  EXPECT_EQ(cluster("type: STRICT_DNS", {}),
            "load_assignment.endpoints: is empty; a DNS cluster needs a host name");
  EXPECT_EQ(cluster("type: STRICT_DNS dns_refresh_rate {}", {one}),
            "dns_refresh_rate: has to be longer than 0");
  for (const std::string& bad :
       {std::string(), "endpoint { " + address_of("", 80) + " }", "endpoint { " + address_of("a", 0) + " }",
        "endpoint { " + address_of("a", 65536) + " }",
        std::string("endpoint { address { pipe { path: '/a' } } }")})
    EXPECT_EQ(cluster("type: STRICT_DNS", {one, bad}),
              "load_assignment.endpoints[0].lb_endpoints[1]: a DNS cluster's endpoint has to have a "
              "socket_address with a host name and a port")
        << bad;
}

TEST(ConvertCluster, the_original_destination_is_its_own_only_choice_of_an_endpoint) {
  EXPECT_EQ(made_of("name: 'c' type: ORIGINAL_DST lb_policy: CLUSTER_PROVIDED original_dst_lb_config {}"),
            "{name 'c', discovery original destination, balance cluster provided}");
  EXPECT_EQ(made_of("name: 'c' type: ORIGINAL_DST"),
            "lb_policy: has to be CLUSTER_PROVIDED for ORIGINAL_DST");
  EXPECT_EQ(made_of("name: 'c' type: ORIGINAL_DST lb_policy: CLUSTER_PROVIDED load_assignment {}"),
            "load_assignment: an ORIGINAL_DST cluster has none");
}

}  // namespace
}  // namespace weft::xds
