#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;

std::string any(const std::string& message, const std::string& text = "") {
  return "typed_config { [type.googleapis.com/envoy.extensions.filters." + message + "] { " + text + " } }";
}

std::string tcp(const std::string& text = "cluster: 'c'") {
  return "filters { name: 'tcp' " + any("network.tcp_proxy.v3.TcpProxy", "stat_prefix: 's' " + text) + " } ";
}

const std::string kAddress = "address { socket_address { address: '10.0.0.1' port_value: 80 } } ";
const std::string kTcp = "tcp {stat_prefix 's', clusters [{cluster 'c', weight 1}]}";

/// As a bootstrap's: what is not done is an error, whose text this is then.
std::string made_of(const std::string& text) {
  Conversion conversion(true);
  const auto made = to_listener(parsed<listener::Listener>(text), Path(), conversion);
  return made ? shown(made->config) : made.error().text;
}

TEST(ConvertListenerFields, each_does_its_own_and_nothing_else) {
  const std::string inspector = "listener_filters { name: 'f' ";
  const Row rows[] = {
      {"", ""},
      {"additional_addresses { address { socket_address { address: '::1' port_value: 80 } } }",
       ", additional_addresses [[::1]:80]"},
      {"address { socket_address { ipv4_compat: true } }", ", ipv4_compatible true"},
      {"bind_to_port {}", ", bind_to_port false"},
      {"use_original_dst { value: true }", ", use_original_destination true"},
      {"transparent { value: true }", ", transparent true"},
      {"traffic_direction: INBOUND", ", direction inbound"},
      {"traffic_direction: OUTBOUND", ", direction outbound"},
      {"per_connection_buffer_limit_bytes { value: 16384 }", ", buffer_limit 16384"},
      {inspector + any("listener.http_inspector.v3.HttpInspector") + " }", ", sniff_http true"},
      {inspector + any("listener.tls_inspector.v3.TlsInspector") + " }", ", sniff_tls true"},
      {inspector + any("listener.tls_inspector.v3.TlsInspector") +
           " filter_disabled { destination_port_range { start: 1 end: 3 } } }",
       ", sniff_tls true, sniff_tls_off [1-2]"},
      {inspector + any("listener.original_dst.v3.OriginalDst") + " }", ", original_destination_filter true"},
      {"listener_filters_timeout {}", ", sniff_timeout 0ms"},
      {"listener_filters_timeout { seconds: 1 } continue_on_listener_filters_timeout: true",
       ", sniff_timeout 1000ms, continue_on_sniff_timeout true"},
      {"default_filter_chain { name: 'd' " + tcp() + " }", ", default_chain {name 'd', filter " + kTcp + "}"},
      {"access_log { typed_config { [type.googleapis.com/"
       "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog] {} } }",
       ", access_logs [{path '/dev/stdout'}]"},
      {"stat_prefix: 'p' metadata {} enable_reuse_port {}", ""},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(made_of("name: 'l' filter_chains { " + tcp() + " } " + kAddress + text),
              "{name 'l', address 10.0.0.1:80, chains [{filter " + kTcp + "}]" + want + "}")
        << text;
  EXPECT_EQ(made_of(kAddress + "filter_chains { " + tcp() + " }"),
            "{name '10.0.0.1:80', address 10.0.0.1:80, chains [{filter " + kTcp + "}]}");
}

TEST(ConvertListenerFields, what_is_wrong_with_a_listener_is_told_by_its_field) {
  const std::string chain = "filter_chains { " + tcp() + " } ", good = kAddress + chain;
  const Row rows[] = {
      {chain, "address: is missing"},
      {"address {} " + chain, "address: has to have socket_address or pipe"},
      {kAddress, "filter_chains: is empty"},
      {good + "additional_addresses {}",
       "additional_addresses[0].address: has to have socket_address or pipe"},
      {good + "additional_addresses { address { socket_address { address: '::' ipv4_compat: true } } }",
       "additional_addresses[0]: ipv4_compat has to be the same for all addresses of a listener"},
      {good + "per_connection_buffer_limit_bytes {}",
       "per_connection_buffer_limit_bytes: has to be more than 0"},
      {good + "listener_filters_timeout { seconds: -1 }",
       "listener_filters_timeout: a duration cannot be negative"},
      {good + "listener_filters { name: 'f' }",
       "listener_filters[0]: listener filter 'f' () is not supported"},
      {good + "listener_filters { name: 'f' " + any("listener.original_dst.v3.OriginalDst") +
           " filter_disabled { any_match: true } }",
       "listener_filters[0].filter_disabled: is supported for inspectors only"},
      {good + "listener_filters { " + any("listener.http_inspector.v3.HttpInspector") +
           " filter_disabled { any_match: false } }",
       "listener_filters[0].filter_disabled.any_match: has to be true"},
      {kAddress + "filter_chains {}", "filter_chains[0].filters: is empty"},
      {kAddress + "filter_chains { filters { name: 'f' } }",
       "filter_chains[0].filters[0]: network filter 'f' () is not supported; a chain ends with an "
       "HttpConnectionManager or a TcpProxy"},
      {kAddress + "filter_chains { " + tcp() + tcp() + " }",
       "filter_chains[0].filters[0]: network filter 'tcp' is not supported before the last one"},
      {good + chain, "filter_chains[1].filter_chain_match: is the same as that of a chain before"},
      {good + "default_filter_chain {}", "default_filter_chain.filters: is empty"},
  };
  for (const auto& [text, want] : rows) EXPECT_EQ(made_of(text), want);
}

TEST(ConvertListenerFields, a_chain_matches_what_is_known_of_a_connection_when_it_begins) {
  const Row rows[] = {
      {"", ""},
      {"destination_port { value: 65535 }", ", match {destination_port 65535}"},
      {"prefix_ranges { address_prefix: '10.0.0.0' prefix_len { value: 32 } }",
       ", match {destination_prefixes [10.0.0.0/32]}"},
      {"prefix_ranges { address_prefix: '0.0.0.0' } prefix_ranges { address_prefix: '::1' prefix_len { "
       "value: "
       "128 } }",
       ", match {destination_prefixes [0.0.0.0/0, ::1/128]}"},
      {"server_names: 'A.example'", ", match {server_names ['a.example']}"},
      {"transport_protocol: 'raw_buffer'", ", match {transport_protocol 'raw_buffer'}"},
      {"transport_protocol: 'tls'", ", match {transport_protocol 'tls'}"},
      {"application_protocols: 'http/1.1' application_protocols: 'h2c'",
       ", match {application_protocols ['http/1.1', 'h2c']}"},
  };
  const auto made = [](const std::string& match) {
    return made_of("name: 'l' " + kAddress + "filter_chains { name: 'n' " + tcp() + " filter_chain_match { " +
                   match + " } metadata {} }");
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(made(text),
              "{name 'l', address 10.0.0.1:80, chains [{name 'n'" + want + ", filter " + kTcp + "}]}");
  const std::string path = "filter_chains[0].filter_chain_match.";
  EXPECT_EQ(made("destination_port {}"), path + "destination_port: has to be from 1 to 65535");
  EXPECT_EQ(made("destination_port { value: 65536 }"), path + "destination_port: has to be from 1 to 65535");
  EXPECT_EQ(made("prefix_ranges { address_prefix: 'a' }"),
            path + "prefix_ranges[0].address_prefix: has to be an IP address, not 'a'");
  EXPECT_EQ(made("prefix_ranges { address_prefix: '10.0.0.0' prefix_len { value: 33 } }"),
            path + "prefix_ranges[0].prefix_len: has to be at most 32");
  EXPECT_EQ(made("prefix_ranges { address_prefix: '::' prefix_len { value: 129 } }"),
            path + "prefix_ranges[0].prefix_len: has to be at most 128");
  EXPECT_EQ(made("transport_protocol: 'quic'"),
            path + "transport_protocol: has to be raw_buffer or tls, not 'quic'");
}

TEST(ConvertListenerFields, a_tcp_proxy_goes_to_one_cluster_or_to_several_by_weight) {
  const Row rows[] = {
      {"cluster: 'c'", kTcp},
      {"weighted_clusters { clusters { name: 'a' weight: 1 } clusters { name: 'b' weight: 3 } }",
       "tcp {stat_prefix 's', clusters [{cluster 'a', weight 1}, {cluster 'b', weight 3}]}"},
      {"cluster: 'c' idle_timeout {}",
       "tcp {stat_prefix 's', clusters [{cluster 'c', weight 1}], idle_timeout 0ms}"},
      {"cluster: 'c' max_connect_attempts { value: 1 }", kTcp},
      {"cluster: 'c' access_log { typed_config { [type.googleapis.com/"
       "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog] {} } }",
       "tcp {stat_prefix 's', clusters [{cluster 'c', weight 1}], access_logs [{path '/dev/stdout'}]}"},
  };
  const auto made = [](const std::string& text) {
    return made_of("name: 'l' " + kAddress + "filter_chains { " + tcp(text) + " }");
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(made(text), "{name 'l', address 10.0.0.1:80, chains [{filter " + want + "}]}");
  const std::string path = "filter_chains[0].filters[0].typed_config";
  EXPECT_EQ(made("stat_prefix: ''"), path + ".stat_prefix: is missing");
  EXPECT_EQ(made(""),
            path + ": has to have cluster, or weighted_clusters whose weights sum up to more than 0");
  EXPECT_EQ(made("weighted_clusters { clusters { name: 'a' } }"),
            path + ": has to have cluster, or weighted_clusters whose weights sum up to more than 0");
  EXPECT_EQ(made("cluster: ''"), path + ".cluster: is empty");
  EXPECT_EQ(made("weighted_clusters { clusters { name: 'a' weight: 1 } clusters { weight: 1 } }"),
            path + ".weighted_clusters.clusters[1].name: is missing");
  EXPECT_EQ(made("cluster: 'c' idle_timeout { seconds: -1 }"),
            path + ".idle_timeout: a duration cannot be negative");
  EXPECT_EQ(made("cluster: 'c' max_connect_attempts { value: 2 }"),
            path + ".max_connect_attempts: only 1 is supported");
}

TEST(ConvertListenerFields, a_chain_s_routes_by_name_are_a_need_of_its_listener) {
  const auto http = [](const std::string& routes) {
    return "filters { " +
           any("network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix: 's' rds { route_config_name: '" + routes +
                   "' config_source { ads {} } } http_filters { " + any("http.router.v3.Router") + " }") +
           " } ";
  };
  Conversion conversion(true);
  const auto made = to_listener(parsed<listener::Listener>(kAddress + "filter_chains { " + http("a") +
                                                           " } default_filter_chain { " + http("b") + " }"),
                                Path(), conversion);
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_EQ(made->needs.size(), 2u);
  EXPECT_EQ(made->needs[0].name + made->needs[1].name, "ab");
}

TEST(ConvertListenerFields, a_backlog_of_its_own_is_an_error_in_a_bootstrap_and_listed_for_a_control_plane) {
  const std::string text = kAddress + "filter_chains { " + tcp() + " } tcp_backlog_size { value: 1 }";
  const std::string want = "tcp_backlog_size: the kernel's limit is asked for";
  EXPECT_EQ(made_of(text), want);
  Conversion dynamic(false);
  EXPECT_TRUE(to_listener(parsed<listener::Listener>(text), Path(), dynamic));
  EXPECT_EQ(dynamic.left_out(), std::vector{want});
}

TEST(ConvertListenerFields, a_control_plane_s_filter_that_only_observes_is_left_out) {
  auto from = parsed<listener::Listener>(kAddress + "filter_chains { filters { name: 'f' typed_config {} } " +
                                         tcp() + " }");
  for (const auto& [type, left_out] : {std::pair{"envoy.tcp.metadataexchange.config.MetadataExchange", true},
                                       {"stats.PluginConfig", true},
                                       {"envoy.extensions.filters.network.rbac.v3.RBAC", false}}) {
    from.mutable_filter_chains(0)->mutable_filters(0)->mutable_typed_config()->set_type_url(
        std::string("type.googleapis.com/") + type);
    const std::string text =
        "filter_chains[0].filters[0]: network filter 'f' is not supported before the last one";
    Conversion dynamic(false), strict(true);
    const auto made = to_listener(from, Path(), dynamic);
    ASSERT_EQ(made.has_value(), left_out) << type;
    EXPECT_EQ(made ? dynamic.left_out() : std::vector{made.error().text}, std::vector{text});
    EXPECT_EQ(to_listener(from, Path(), strict).error().text, text);
  }
}

}  // namespace
}  // namespace weft::xds
