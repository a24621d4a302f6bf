#include "xds/message_reader.h"

#include <gtest/gtest.h>

#include "xds/proto/bootstrap.pb.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using envoy::config::bootstrap::v3::Bootstrap;

struct Row {
  std::string yaml;
  std::string want;
};

/// The message in protobuf's text format, or the error.
std::string read(const std::string& yaml) {
  const auto document = yaml::Document::parse(yaml, "f.yaml");
  if (!document) return document.error().text;
  Bootstrap made;
  const auto done = read_message(*document, made);
  return done ? testing::text_of(made) : done.error().text;
}

std::string of_cluster(const std::string& yaml) {
  const std::string made = read("static_resources: {clusters: [{" + yaml + "}]}");
  const std::string before = "static_resources { clusters { ",
                    path = "f.yaml:1: static_resources.clusters[0].";
  if (made.starts_with(path)) return made.substr(path.size());
  EXPECT_TRUE(made.starts_with(before) && made.ends_with(" } }")) << made;
  return made.substr(before.size(), made.size() - before.size() - 4);
}

TEST(MessageReader, reads_each_kind_of_value) {
  const Row rows[] = {
      {"name: c", "name: \"c\""},
      {"name: \"12\"", "name: \"12\""},
      {"name: 'true'", "name: \"true\""},
      {"name: inf", "name: \"inf\""},
      {"name: 10.0.0.1", "name: \"10.0.0.1\""},
      {"alt_stat_name: a, name: c", "name: \"c\" alt_stat_name: \"a\""},
      {"altStatName: a", "alt_stat_name: \"a\""},
      {"type: EDS", "type: EDS"},
      {"type: 4", "type: ORIGINAL_DST"},
      {"type: \"STATIC\"", "type: STATIC"},
      {"respect_dns_ttl: true", "respect_dns_ttl: true"},
      {"connect_timeout: 1.5s", "connect_timeout { seconds: 1 nanos: 500000000 }"},
      {"connect_timeout: 0.000000001s", "connect_timeout { nanos: 1 }"},
      {"connect_timeout: \"-1s\"", "connect_timeout { seconds: -1 }"},
      {"max_requests_per_connection: 4294967295", "max_requests_per_connection { value: 4294967295 }"},
      {"max_requests_per_connection: \"7\"", "max_requests_per_connection { value: 7 }"},
      {"max_requests_per_connection: 0", "max_requests_per_connection { }"},
      {"upstream_bind_config: {freebind: false}", "upstream_bind_config { freebind { } }"},
      {"circuit_breakers: {thresholds: []}", "circuit_breakers { }"},
      {"circuit_breakers: {thresholds: [{max_retries: 1}, {priority: HIGH}]}",
       "circuit_breakers { thresholds { max_retries { value: 1 } } thresholds { priority: HIGH } }"},
      {"round_robin_lb_config: {}", "round_robin_lb_config { }"},
      {"name: c, type: null, connect_timeout: ~, lb_policy: ", "name: \"c\""},
  };
  for (const auto& [yaml, want] : rows) EXPECT_EQ(of_cluster(yaml), want) << yaml;
  EXPECT_EQ(read("no_field: "), "f.yaml:1: no_field: unknown or unsupported field") << "also without a value";
  EXPECT_EQ(read("node: {client_features: [a, b]}"),
            "node { client_features: \"a\" client_features: \"b\" }");
  EXPECT_EQ(read("{\"node\": {\"id\": \"a\"}}"), "node { id: \"a\" }") << "JSON";
}

TEST(MessageReader, a_value_of_another_kind_is_told_by_its_field) {
  const Row rows[] = {
      {"name: 12", "name: has to be text: \"12\" in quotes"},
      {"name: -1.5", "name: has to be text: \"-1.5\" in quotes"},
      {"name: true", "name: has to be text: \"true\" in quotes"},
      {"name: [a]", "name: has to be one value, not a list"},
      {"name: {a: b}", "name: has to be one value, not a map"},
      {"nam: c", "nam: unknown or unsupported field; did you mean \"name\"?"},
      {"qqqqqqqq: c", "qqqqqqqq: unknown or unsupported field"},
      {"type: NONE", "type: has to be one of STATIC, STRICT_DNS, LOGICAL_DNS, EDS, ORIGINAL_DST, not 'NONE'"},
      {"type: 9", "type: has to be one of STATIC, STRICT_DNS, LOGICAL_DNS, EDS, ORIGINAL_DST, not '9'"},
      {"respect_dns_ttl: yes", "respect_dns_ttl: has to be true or false, not 'yes'"},
      {"respect_dns_ttl: 1", "respect_dns_ttl: has to be true or false, not '1'"},
      {"connect_timeout: 5", "connect_timeout: has to be a duration like \"1.5s\", not '5'"},
      {"connect_timeout: 5ms", "connect_timeout: has to be a duration like \"1.5s\", not '5ms'"},
      {"connect_timeout: {seconds: 5}", "connect_timeout: has to be a duration like \"1.5s\", not a map"},
      {"max_requests_per_connection: -1",
       "max_requests_per_connection: has to be a number (uint32), not '-1'"},
      {"max_requests_per_connection: 4294967296",
       "max_requests_per_connection: has to be a number (uint32), not '4294967296'"},
      {"max_requests_per_connection: 1x",
       "max_requests_per_connection: has to be a number (uint32), not '1x'"},
      {"max_requests_per_connection: [1]", "max_requests_per_connection: has to be one value, not a list"},
      {"circuit_breakers: 1", "circuit_breakers: has to be a map, not '1'"},
      {"circuit_breakers: [1]", "circuit_breakers: has to be a map, not a list"},
      {"circuit_breakers: {thresholds: {}}", "circuit_breakers.thresholds: has to be a list, not a map"},
      {"circuit_breakers: {thresholds: [{}, null]}", "circuit_breakers.thresholds[1]: is empty"},
      {"circuit_breakers: {thresholds: [{priority: LOW}]}",
       "circuit_breakers.thresholds[0].priority: has to be one of DEFAULT, HIGH, not 'LOW'"},
      {"round_robin_lb_config: {}, least_request_lb_config: {}",
       "least_request_lb_config: only one of the fields of 'lb_config' may be set"},
      {"typed_extension_protocol_options: []",
       "typed_extension_protocol_options: has to be a map, not a list"},
  };
  for (const auto& [yaml, want] : rows) EXPECT_EQ(of_cluster(yaml), want) << yaml;
}

TEST(MessageReader, an_extension_is_read_as_the_message_that_it_names) {
  const std::string options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const auto made = [](const std::string& value) {
    return of_cluster("typed_extension_protocol_options: {k: " + value + "}");
  };
  EXPECT_EQ(made("{\"@type\": type.googleapis.com/" + options + ", explicit_http_config: {}}"),
            "typed_extension_protocol_options { key: \"k\" value { [type.googleapis.com/" + options +
                "] { explicit_http_config { } } } }");
  const std::string path = "typed_extension_protocol_options[\"k\"]";
  EXPECT_EQ(made("{}"), path + ".@type: is missing; it names the extension's message");
  EXPECT_EQ(made("a"), path + ": has to be a map, not 'a'");
  EXPECT_EQ(made("{\"@type\": type.googleapis.com/no.Such}"),
            path + ".@type: unknown or unsupported extension 'type.googleapis.com/no.Such'");
  EXPECT_EQ(made("{\"@type\": type.googleapis.com/" + options + ", explicit: {}}"),
            path + ".explicit: unknown or unsupported field");
}

TEST(MessageReader, bytes_are_base64) {
  const std::string before =
      "static_resources: {listeners: [{access_log: [{typed_config: {\"@type\": "
      "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, log_format: "
      "{text_format_source: {inline_bytes: ";
  EXPECT_NE(read(before + "YQo=}}}}]}]}").find("inline_bytes: \"a\\n\""), std::string::npos);
  EXPECT_EQ(read(before + "a}}}}]}]}"),
            "f.yaml:1: static_resources.listeners[0].access_log[0].typed_config.log_format."
            "text_format_source.inline_bytes: has to be base64");
}

TEST(MessageReader, what_is_free_in_form_keeps_the_kinds_of_its_values) {
  const std::string before = "node { metadata { fields { key: \"a\" value { ", after = " } } } }";
  const Row rows[] = {
      {"1.5", "number_value: 1.5"},
      {"-2", "number_value: -2"},
      {"true", "bool_value: true"},
      {"text", "string_value: \"text\""},
      {"\"1\"", "string_value: \"1\""},
      {"null", "null_value: NULL_VALUE"},
      {"[1, b]", "list_value { values { number_value: 1 } values { string_value: \"b\" } }"},
      {"{b: c}", "struct_value { fields { key: \"b\" value { string_value: \"c\" } } }"},
  };
  for (const auto& [yaml, want] : rows)
    EXPECT_EQ(read("node: {metadata: {a: " + yaml + "}}"), before + want + after);
  EXPECT_EQ(read("node: {metadata: [a]}"), "f.yaml:1: node.metadata: has to be a map, not a list");
}

TEST(MessageReader, its_errors_have_the_line_of_the_field) {
  EXPECT_EQ(read("node:\n  id: a\nstatic_resources:\n  clusters:\n  - name: a\n  - name: b\n    type: NO\n"),
            "f.yaml:7: static_resources.clusters[1].type: has to be one of STATIC, STRICT_DNS, LOGICAL_DNS, "
            "EDS, ORIGINAL_DST, not 'NO'");
  EXPECT_EQ(read(""), "f.yaml: is empty");
  EXPECT_EQ(read("[]"), "f.yaml:1: has to be a map, not a list");
  EXPECT_EQ(read("null"), "f.yaml: is empty");
}

TEST(MessageReader, what_is_nested_a_hundred_deep_with_its_aliases_is_rejected) {
  const auto nested = [](int levels, std::string inner) {
    for (int i = 0; i < levels; ++i) inner = "{not_match: " + inner + "}";
    return inner;
  };
  const auto both = [&](int levels) {
    return read("static_resources: {listeners: [{listener_filters: [{filter_disabled: &x " +
                nested(50, "{any_match: true}") + "}, {filter_disabled: " + nested(levels, "*x") + "}]}]}");
  };
  EXPECT_TRUE(both(40).starts_with("static_resources {"));
  const std::string error = both(60);
  EXPECT_TRUE(
      error.starts_with("f.yaml:1: static_resources.listeners[0].listener_filters[1].filter_disabled.") &&
      error.ends_with(".not_match: nested more than 100 deep"))
      << error;
}

}  // namespace
}  // namespace weft::xds
