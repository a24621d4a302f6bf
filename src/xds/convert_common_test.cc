#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::Row;
using testing::shown;

TEST(ConvertCommon, an_address_is_a_numeric_one_of_tcp_or_a_path) {
  const std::string path(107, 'a');
  const Row rows[] = {
      {"socket_address { address: '10.0.0.1' port_value: 80 }", "10.0.0.1:80"},
      {"socket_address { address: '10.0.0.1' }", "10.0.0.1:0"},
      {"socket_address { protocol: TCP address: '::1' port_value: 65535 }", "[::1]:65535"},
      {"pipe { path: '" + path + "' }", path},
      {"", "a: has to have socket_address or pipe"},
      {"socket_address { protocol: UDP address: '10.0.0.1' }",
       "a.socket_address.protocol: only TCP is supported"},
      {"socket_address { address: '10.0.0.1' port_value: 65536 }",
       "a.socket_address.port_value: has to be at most 65535, not 65536"},
      {"socket_address { port_value: 80 }",
       "a.socket_address.address: has to be a numeric IP address, not ''"},
      {"socket_address { address: 'a.example' }",
       "a.socket_address.address: has to be a numeric IP address, not 'a.example'"},
      {"socket_address { address: '[::1]' }",
       "a.socket_address.address: has to be a numeric IP address, not '[::1]'"},
      {"pipe { path: '/a' mode: 384 }", "a.pipe.mode: is not supported"},
  };
  const Path at("a");
  for (const auto& [text, want] : rows) {
    const auto made = to_address(parsed<core::Address>(text), at);
    EXPECT_EQ(made ? made->to_string() : made.error().text, want);
  }
  for (const std::string& bad : {std::string(), path + "a"}) {
    const auto made = to_address(parsed<core::Address>("pipe { path: '" + bad + "' }"), at);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().text.starts_with("a.pipe.path: ")) << made.error().text;
  }
}

std::string changes_of(const std::string& text) {
  const auto from = parsed<route::Route>(text);
  const auto made =
      to_header_changes(from.request_headers_to_add(), from.request_headers_to_remove(), "request", Path());
  return made ? shown(*made) : made.error().text;
}

TEST(ConvertCommon, a_header_is_added_in_one_of_four_ways_and_the_older_field_for_it_wins) {
  const Row rows[] = {
      {"", ""},
      {"append_action: APPEND_IF_EXISTS_OR_ADD", ""},
      {"append_action: ADD_IF_ABSENT", ", action add if absent"},
      {"append_action: OVERWRITE_IF_EXISTS_OR_ADD", ", action overwrite or add"},
      {"append_action: OVERWRITE_IF_EXISTS", ", action overwrite if exists"},
      {"append { value: true }", ""},
      {"append {}", ", action overwrite or add"},
      {"append { value: true } append_action: ADD_IF_ABSENT", ""},
      {"keep_empty_value: true", ", keep_empty true"},
  };
  for (const auto& [text, want] : rows)
    EXPECT_EQ(changes_of("request_headers_to_add { header { key: 'X-A' value: '%PROTOCOL%' } " + text + " }"),
              "{add [{name 'x-a', value '%PROTOCOL%'" + want + "}]}");
  EXPECT_EQ(changes_of("request_headers_to_remove: 'X-B' request_headers_to_remove: 'a'"),
            "{remove ['x-b', 'a']}");
  EXPECT_EQ(changes_of(""), "{}");
}

TEST(ConvertCommon, a_header_that_may_not_be_changed_is_named_where_it_is_added_or_removed) {
  const std::string connection =
      "' may not be changed: each proxy writes its own for the connection it is on";
  const std::string target = "' may not be changed here; use host_rewrite_literal or a rewrite";
  const Row rows[] = {
      {"", "' is no header name"},
      {"a b", "' is no header name"},
      {"x:", "' is no header name"},
      {":path", target},
      {":anything", target},
      {"Host", target},
      {"Content-Length", connection},
      {"Transfer-Encoding", connection},
      {"connection", connection},
      {"Keep-Alive", connection},
      {"Proxy-Connection", connection},
      {"TE", connection},
      {"Trailer", connection},
      {"Upgrade", connection},
  };
  for (const auto& [name, want] : rows) {
    EXPECT_EQ(changes_of("request_headers_to_add { header { key: '" + name + "' } }"),
              "request_headers_to_add[0]: '" + name + want);
    EXPECT_EQ(changes_of("request_headers_to_remove: 'a' request_headers_to_remove: '" + name + "'"),
              "request_headers_to_remove[1]: '" + name + want);
  }
}

/// What logs are made of one, or the error.
std::string log_of(const std::string& message, const std::string& text, Conversion& conversion,
                   const std::string& rest = "") {
  google::protobuf::RepeatedPtrField<accesslog::AccessLog> logs;
  testing::merge("typed_config { [type.googleapis.com/envoy.extensions.access_loggers." + message + "] { " +
                     text + " } } " + rest,
                 *logs.Add());
  const Path path("access_log");
  const auto made = to_access_logs(logs, path, conversion);
  if (!made) return made.error().text;
  return made->empty() ? "none" : shown(made->front());
}

TEST(ConvertCommon, an_access_log_goes_to_a_file_or_a_stream_in_a_text_format) {
  const struct {
    std::string message, text, want;
  } rows[] = {
      {"file.v3.FileAccessLog", "path: '/log'", "{path '/log'}"},
      {"file.v3.FileAccessLog", "path: '/log' format: '%PROTOCOL%'", "{path '/log', format '%PROTOCOL%'}"},
      {"file.v3.FileAccessLog", "path: '/log' log_format { text_format: 'a' }", "{path '/log', format 'a'}"},
      {"file.v3.FileAccessLog", "path: '/log' log_format { text_format_source { inline_string: 'b' } }",
       "{path '/log', format 'b'}"},
      {"file.v3.FileAccessLog", "path: '/log' log_format { text_format_source { inline_bytes: 'c' } }",
       "{path '/log', format 'c'}"},
      {"stream.v3.StdoutAccessLog", "", "{path '/dev/stdout'}"},
      {"stream.v3.StdoutAccessLog", "log_format { text_format: 'a' }", "{path '/dev/stdout', format 'a'}"},
      {"stream.v3.StderrAccessLog", "", "{path '/dev/stderr'}"},
      {"stream.v3.StderrAccessLog", "log_format { text_format: 'a' }", "{path '/dev/stderr', format 'a'}"},
      {"file.v3.FileAccessLog", "", "access_log[0].typed_config.path: is missing"},
      {"file.v3.FileAccessLog", "path: '/log' format: '%NO%'", "access_log[0]: unknown operator '%NO%'"},
      {"file.v3.FileAccessLog", "path: '/log' log_format {}",
       "access_log[0].typed_config.log_format: only text_format and text_format_source are supported"},
      {"stream.v3.StdoutAccessLog", "log_format { text_format: 'a' omit_empty_values: true }",
       "access_log[0].typed_config.log_format.omit_empty_values: is not supported"},
  };
  for (const auto& row : rows) {
    Conversion conversion(true);
    EXPECT_EQ(log_of(row.message, row.text, conversion), row.want);
  }
}

TEST(ConvertCommon, an_access_log_s_filter_names_response_flags) {
  const Row rows[] = {
      {"", "{path '/dev/stdout'}"},
      {"filter {}", "{path '/dev/stdout'}"},
      {"filter { response_flag_filter {} }", "{path '/dev/stdout', filter_by_flags true}"},
      {"filter { response_flag_filter { flags: 'NR' flags: 'UF' } }",
       "{path '/dev/stdout', only_with_flags ['NR', 'UF'], filter_by_flags true}"},
      {"filter { response_flag_filter { flags: 'NR' flags: 'XX' } }",
       "access_log[0]: access log filter: there is no response flag 'XX'"},
  };
  for (const auto& [rest, want] : rows) {
    Conversion conversion(true);
    EXPECT_EQ(log_of("stream.v3.StdoutAccessLog", "", conversion, rest), want);
  }
}

TEST(ConvertCommon, a_control_plane_s_access_log_that_cannot_be_written_is_left_out_and_its_reason_listed) {
  const struct {
    std::string message, text, made, left_out;
  } rows[] = {
      {"file.v3.FileAccessLog", "", "none", "access_log[0].typed_config.path: is missing"},
      {"stream.v3.StdoutAccessLog", "log_format { text_format: '%' }", "none",
       "access_log[0]: operator at '%' lacks its closing '%'"},
      {"stream.v3.StdoutAccessLog", "log_format { text_format: 'a' omit_empty_values: true }",
       "{path '/dev/stdout', format 'a'}",
       "access_log[0].typed_config.log_format.omit_empty_values: is not supported"},
  };
  for (const auto& row : rows) {
    Conversion conversion(false);
    EXPECT_EQ(log_of(row.message, row.text, conversion), row.made);
    EXPECT_EQ(conversion.left_out(), std::vector<std::string>{row.left_out});
  }
}

TEST(ConvertCommon, a_limit_of_a_connection_s_buffer_is_one_block_at_least) {
  const Path path("limit");
  for (const bool strict : {true, false}) {
    Conversion conversion(strict);
    std::uint32_t limit = 7;
    EXPECT_EQ(read_buffer_limit(0, limit, path, conversion).error().text, "limit: has to be more than 0");
    EXPECT_EQ(read_buffer_limit(16383, limit, path, conversion).has_value(), !strict);
    EXPECT_EQ(limit, 7u) << "what is not kept is not taken";
    EXPECT_TRUE(read_buffer_limit(16384, limit, path, conversion));
    EXPECT_TRUE(read_buffer_limit(4294967295, limit, path, conversion));
    EXPECT_EQ(conversion.left_out().size(), strict ? 0u : 1u);
  }
}

}  // namespace
}  // namespace weft::xds
