#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/log/format.h"

namespace weft::proxy {
namespace {

using Use = LogFormat::Use;

/// A request of which everything is known.
struct HeaderId {
  HeaderId() {
    connection.id = 7;
    connection.local = *net::Address::parse_ip_port("10.0.0.9:15006");
    connection.peer_text = "[fd00::8]:4321";
    connection.local_text = "10.0.0.9:15006";
    connection.requested_server_name = "sni.example";
    request.method = "GET";
    request.path = "/a?b=c?d";
    request.scheme = "https";
    request.authority = "a.example";
    request.headers.add("User-Agent", "curl");
    request.headers.add("x-twice", "first");
    request.headers.add("x-twice", "second");
    request.headers.add("x-empty", "");
    request.headers.add("x-path", "/p?q");
    response.headers.add("Server", "envoy");
    response.headers.add("x-b", "of the response");
    cluster->name = "outbound|80||a";
    cluster->alt_stat_name = "a;";
    info.connection = &connection;
    info.request = &request;
    info.response = &response;
    info.cluster = cluster;
    info.started_at = std::chrono::system_clock::time_point(1'785'587'696'007ms);
    info.started = TimePoint(1s);
    info.request_done = TimePoint(1s + 2'999us);
    info.response_begun = TimePoint(1s + 50ms);
    info.ended = TimePoint(3s);
    info.status = 503;
    info.grpc_status = 14;
    info.flags.set(Flag::kUpstreamRetryLimit);
    info.flags.set(Flag::kUpstreamConnectionFailure);
    info.details = "via_upstream";
    info.termination_details = "ended";
    info.upstream_failure = "up";
    info.downstream_failure = "down";
    info.bytes_received = 18'446'744'073'709'551'615u;
    info.bytes_sent = 12;
    info.upstream_host = "[::1]:80";
    info.upstream_local_address = "10.0.0.9:5555";
    info.route_name = std::make_shared<const Text>("r");
    info.attempts = 3;
  }
  ConnectionInfo connection;
  http::RequestHead request;
  http::ResponseHead response;
  std::shared_ptr<ClusterConfig> cluster = std::make_shared<ClusterConfig>();
  RequestInfo info;
};

/// The line; or why the format is none.
std::string written(std::string_view format, const RequestInfo& info, Use use = Use::kLine) {
  const auto compiled = LogFormat::compile(format, use);
  if (!compiled) return compiled.error().text;
  std::string out;
  compiled->append_to(out, info);
  return out;
}

TEST(LogOperators, each_writes_what_is_known_and_a_dash_or_for_a_field_nothing_when_it_is_not) {
  const struct {
    std::string_view format, want;
    std::string_view absent = "-", absent_in_field = "";
  } rows[] = {
      {"%START_TIME%", "2026-08-01T12:34:56.007Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"},
      {"%START_TIME(%s.%3f)%", "1785587696.007", "0.000", "0.000"},
      {"%PROTOCOL%", "HTTP/1.1"},
      {"%RESPONSE_CODE%", "503", "0", "0"},
      {"%GRPC_STATUS%", "Unavailable"},
      {"%GRPC_STATUS_NUMBER%", "14"},
      {"%GRPC_STATUS(NUMBER)%", "14"},
      {"%GRPC_STATUS(CAMEL_STRING)%", "Unavailable"},
      {"%GRPC_STATUS(SNAKE_STRING)%", "UNAVAILABLE"},
      {"%RESPONSE_CODE_DETAILS%", "via_upstream"},
      {"%RESPONSE_FLAGS%", "UF,URX", "-", "-"},
      {"%CONNECTION_TERMINATION_DETAILS%", "ended"},
      {"%UPSTREAM_TRANSPORT_FAILURE_REASON%", "up"},
      {"%DOWNSTREAM_TRANSPORT_FAILURE_REASON%", "down"},
      {"%BYTES_RECEIVED%", "18446744073709551615", "0", "0"},
      {"%BYTES_SENT%", "12", "0", "0"},
      {"%DURATION%", "2000", "0", "0"},
      {"%REQUEST_DURATION%", "2"},
      {"%RESPONSE_DURATION%", "50"},
      {"%RESPONSE_TX_DURATION%", "1950"},
      {"%UPSTREAM_HOST%", "[::1]:80"},
      {"%UPSTREAM_REMOTE_ADDRESS%", "[::1]:80"},
      {"%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "::1"},
      {"%UPSTREAM_CLUSTER%", "a;"},
      {"%UPSTREAM_CLUSTER_RAW%", "outbound|80||a"},
      {"%UPSTREAM_LOCAL_ADDRESS%", "10.0.0.9:5555"},
      {"%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "10.0.0.9"},
      {"%DOWNSTREAM_LOCAL_ADDRESS%", "10.0.0.9:15006"},
      {"%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "10.0.0.9"},
      {"%DOWNSTREAM_LOCAL_PORT%", "15006", "0", "0"},
      {"%DOWNSTREAM_REMOTE_ADDRESS%", "[fd00::8]:4321"},
      {"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "fd00::8"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "[fd00::8]:4321"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", "fd00::8"},
      {"%REQUESTED_SERVER_NAME%", "sni.example"},
      {"%ROUTE_NAME%", "r"},
      {"%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "3", "0", "0"},
      {"%CONNECTION_ID%", "7", "0", "0"},
      {"%REQ(:METHOD)%", "GET"},
      {"%REQ(:PATH)%", "/a?b=c?d"},
      {"%REQ(:SCHEME)%", "https"},
      {"%REQ(:AUTHORITY)%", "a.example"},
      {"%REQ(Host)%", "a.example"},
      {"%REQ(user-agent)%", "curl"},
      {"%REQ_WITHOUT_QUERY(:PATH)%", "/a"},
      {"%REQ_WITHOUT_QUERY(x-path?:PATH)%", "/p"},
      {"%RESP(SERVER)%", "envoy"},
      {"%RESP(x-b)%", "of the response"},
  };
  const HeaderId known;
  const RequestInfo nothing;
  for (const auto& row : rows) {
    EXPECT_EQ(written(row.format, known.info), row.want) << row.format;
    EXPECT_EQ(written(row.format, known.info, Use::kFieldValue), row.want) << row.format;
    EXPECT_EQ(written(row.format, nothing), row.absent) << row.format;
    EXPECT_EQ(written(row.format, nothing, Use::kFieldValue), row.absent_in_field) << row.format;
  }
}

TEST(LogOperators, those_without_a_value_in_this_proxy_are_known) {
  const HeaderId known;
  for (const char* format :
       {"%VIRTUAL_CLUSTER_NAME%", "%DOWNSTREAM_TLS_VERSION%", "%DOWNSTREAM_TLS_CIPHER%",
        "%DOWNSTREAM_PEER_URI_SAN%", "%DOWNSTREAM_PEER_SUBJECT%", "%UPSTREAM_PEER_URI_SAN%", "%TRACE_ID%"}) {
    EXPECT_EQ(written(format, known.info), "-") << format;
    EXPECT_EQ(written(format, known.info, Use::kFieldValue), "") << format;
  }
}

TEST(LogOperators, a_header_is_the_first_of_its_name_or_else_of_the_other_one_up_to_the_length_asked_for) {
  const HeaderId known;
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"%REQ(X-Twice)%", "first"},
      {"%REQ(x-none)%", "-"},
      {"%REQ(x-none?x-twice)%", "first"},
      {"%REQ(x-twice?:PATH)%", "first"},
      {"%REQ(x-none?x-neither)%", "-"},
      {"%REQ(x-none?HOST)%", "a.example"},
      {"%REQ(x-empty)%", ""},
      {"%REQ(x-empty?x-twice)%", ""},
      {"%REQ(x-twice):3%", "fir"},
      {"%REQ(x-twice):5%", "first"},
      {"%REQ(x-twice):500%", "first"},
      {"%REQ(x-twice):0%", ""},
      {"%REQ_WITHOUT_QUERY(:PATH):1%", "/"},
      {"%REQ_WITHOUT_QUERY(x-twice)%", "first"},
      {"%RESP(x-none?x-b):6%", "of the"},
  };
  for (const auto& [format, want] : kRows) EXPECT_EQ(written(format, known.info), want) << format;
}

TEST(LogOperators, addresses_names_and_versions_are_those_that_hold) {
  HeaderId known;
  known.info.remote_address = "192.0.2.1:0";
  const std::string remote = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%";
  EXPECT_EQ(written(remote, known.info), "192.0.2.1 [fd00::8]:4321");
  known.info.remote_address = "192.0.2.1";
  EXPECT_EQ(written("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", known.info), "192.0.2.1");
  known.info.details_text = "http1.rejected{a rule}";
  EXPECT_EQ(written("%RESPONSE_CODE_DETAILS%", known.info), "http1.rejected{a rule}");
  known.cluster->alt_stat_name = {};
  EXPECT_EQ(written("%UPSTREAM_CLUSTER%", known.info), "outbound|80||a");
  known.info.cluster = nullptr;
  known.info.missing_cluster = "gone";
  EXPECT_EQ(written("%UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%", known.info), "gone gone");
  known.request.version = http::Version::k10;
  EXPECT_EQ(written("%PROTOCOL%", known.info), "HTTP/1.0");
  known.request.version = http::Version::k2;
  EXPECT_EQ(written("%PROTOCOL%", known.info), "HTTP/2");
  known.info.ended = known.info.started - 1ns;
  EXPECT_EQ(written("%DURATION%", known.info), "-");
}

TEST(LogOperators, the_machine_says_its_name_and_its_environment) {
  char host[256] = "";
  ASSERT_EQ(gethostname(host, sizeof host - 1), 0);
  const RequestInfo nothing;
  EXPECT_EQ(written("%HOSTNAME%", nothing), host);
  ASSERT_EQ(::setenv("WEFT_FORMAT_TEST", "a\n\"b\"", 1), 0);
  EXPECT_EQ(written("<%ENVIRONMENT(WEFT_FORMAT_TEST)%>", nothing), "<a\\x0a\\x22b\\x22>");
  EXPECT_EQ(written("<%ENVIRONMENT(WEFT_FORMAT_TEST)%>", nothing, Use::kFieldValue), "<a \"b\">");
  EXPECT_EQ(written("<%ENVIRONMENT(WEFT_FORMAT_TEST):2%>", nothing), "<a\\x0a>");
  ::unsetenv("WEFT_FORMAT_TEST");
  EXPECT_EQ(written("<%ENVIRONMENT(WEFT_FORMAT_TEST)%>", nothing), "<->");
}

TEST(LogOperators, what_peers_sent_is_escaped_in_a_line_and_without_control_bytes_in_a_field) {
  HeaderId known;
  const std::string bad = "a\r\n\"\\\t\x80";
  known.request.method = known.request.path = known.request.authority = bad;
  known.response.headers.add("x-bad", bad);
  known.info.upstream_failure = known.info.downstream_failure = bad;
  known.connection.requested_server_name = bad;
  known.info.route_name = std::make_shared<const Text>(bad);
  known.cluster->name = bad;
  known.cluster->alt_stat_name = bad;
  for (const char* format :
       {"%REQ(:METHOD)%", "%REQ(:PATH)%", "%REQ(:AUTHORITY)%", "%REQ_WITHOUT_QUERY(:PATH)%", "%RESP(X-BAD)%",
        "%UPSTREAM_TRANSPORT_FAILURE_REASON%", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
        "%REQUESTED_SERVER_NAME%", "%ROUTE_NAME%", "%UPSTREAM_CLUSTER%", "%UPSTREAM_CLUSTER_RAW%"}) {
    EXPECT_EQ(written(format, known.info), "a\\x0d\\x0a\\x22\\x5c\\x09\\x80") << format;
    EXPECT_EQ(written(format, known.info, Use::kFieldValue), "a  \"\\\t\x80") << format;
  }
  EXPECT_EQ(written("%REQ(:PATH):2%", known.info), "a\\x0d") << "a length is one of what was sent";
}

TEST(LogOperators, text_around_them_stays_and_two_per_cent_signs_are_one) {
  const HeaderId known;
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"", ""},
      {"a\tb\n", "a\tb\n"},
      {"%%", "%"},
      {"%%PROTOCOL%%", "%PROTOCOL%"},
      {"%PROTOCOL%%%", "HTTP/1.1%"},
      {"<%PROTOCOL%%RESPONSE_CODE%>", "<HTTP/1.1503>"},
      {"{\"code\":\"%RESPONSE_CODE%\"}", "{\"code\":\"503\"}"},
      {"[%START_TIME(%d/%b/%Y:%H:%M:%S %z)%]", "[01/Aug/2026:12:34:56 +0000]"},
  };
  for (const auto& [format, want] : kRows) EXPECT_EQ(written(format, known.info), want) << format;
}

TEST(LogOperators, a_text_without_any_is_known_as_a_literal) {
  EXPECT_TRUE(LogFormat::compile("")->is_literal());
  EXPECT_EQ(LogFormat::compile("")->literal(), "");
  EXPECT_TRUE(LogFormat::compile("50%%")->is_literal());
  EXPECT_EQ(LogFormat::compile("50%%")->literal(), "50%");
  EXPECT_FALSE(LogFormat::compile("%PROTOCOL%")->is_literal());
  EXPECT_FALSE(LogFormat::compile("a%PROTOCOL%")->is_literal());
}

TEST(LogOperators, what_is_not_known_or_not_closed_is_named) {
  const RequestInfo nothing;
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"%", "operator at '%' lacks its closing '%'"},
      {"a %PROTOCOL b", "operator at '%PROTOCOL b' lacks its closing '%'"},
      {"%START_TIME(%s", "operator at '%START_TIME(%s' lacks its closing '%'"},
      {"%REQ(a)", "operator at '%REQ(a)' lacks its closing '%'"},
      {"%GRPC_STATUS(snake)%",
       "operator '%GRPC_STATUS(snake)%' must say CAMEL_STRING, SNAKE_STRING or NUMBER"},
      {"%NOSUCH%", "unknown operator '%NOSUCH%'"},
      {"%protocol%", "unknown operator '%protocol%'"},
      {"% PROTOCOL%", "unknown operator '% PROTOCOL%'"},
      {"%REQ%", "operator '%REQ%' names no header"},
      {"%REQ()%", "operator '%REQ()%' names no header"},
      {"%REQ(?a)%", "operator '%REQ(?a)%' names no header"},
      {"%RESP(a?)%", "operator '%RESP(a?)%' names no header"},
      {"%REQ_WITHOUT_QUERY()%", "operator '%REQ_WITHOUT_QUERY()%' names no header"},
      {"%REQ(a)5%", "operator '%REQ(a)5%' ends in something that is not ':length'"},
      {"%REQ(a):%", "operator '%REQ(a):%' ends in something that is not ':length'"},
      {"%REQ(a):x%", "operator '%REQ(a):x%' ends in something that is not ':length'"},
      {"%REQ(a):10junk%", "operator '%REQ(a):10junk%' ends in something that is not ':length'"},
      {"%REQ(a):1:2%", "operator '%REQ(a):1:2%' ends in something that is not ':length'"},
      {"%REQ(a):-1%", "operator '%REQ(a):-1%' ends in something that is not ':length'"},
      {"%REQ(a):99999999999999999999%",
       "operator '%REQ(a):99999999999999999999%' ends in something that is not ':length'"},
      {"%PROTOCOL)(a)%", "unknown operator '%PROTOCOL)(a)%'"},
      {"%CEL(request.host)%", "unknown operator '%CEL(request.host)%'"},
      {"%METADATA(ROUTE:a)%", "unknown operator '%METADATA(ROUTE:a)%'"},
      {"%DYNAMIC_METADATA(a:b)%", "unknown operator '%DYNAMIC_METADATA(a:b)%'"},
      {"%FILTER_STATE(a:PLAIN)%", "unknown operator '%FILTER_STATE(a:PLAIN)%'"},
      {"%TRAILER(a)%", "unknown operator '%TRAILER(a)%'"},
      {"%PROTOCOL:5%", "unknown operator '%PROTOCOL:5%'"},
  };
  for (const auto& [format, want] : kRows) {
    EXPECT_EQ(written(format, nothing), want) << format;
    EXPECT_EQ(written(format, nothing, Use::kFieldValue), want) << format;
  }
}

TEST(LogOperators, what_an_operator_does_not_do_is_named) {
  const RequestInfo nothing;
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"%PROTOCOL(a)%", "takes no argument"},
      {"%REQUESTED_SERVER_NAME(SNI_FIRST)%", "takes no argument"},
      {"%GRPC_STATUS_NUMBER(NUMBER)%", "takes no argument"},
      {"%PROTOCOL():5%", "takes no length"},
      {"%START_TIME(%s):5%", "takes no length"},
      {"%GRPC_STATUS(NUMBER):1%", "takes no length"},
      {"%ENVIRONMENT%", "names no variable"},
      {"%ENVIRONMENT()%", "names no variable"},
      {"%REQ(:no-such)%", "names no header"},
      {"%REQ(a?:no-such)%", "names no header"},
      {"%REQ(a b)%", "names no header"},
      {"%REQ(a?b?c)%", "names no header"},
      {"%RESP(:status)%", "names no header"},
      {"%RESP(a?:path)%", "names no header"},
  };
  for (const auto& [format, want] : kRows)
    EXPECT_EQ(written(format, nothing), "operator '" + std::string(format) + "' " + std::string(want));
  EXPECT_EQ(written("%PROTOCOL()%", nothing), "-") << "no argument";
}

TEST(LogOperators, the_default_line_is_istio_s_and_behind_it_the_status_of_a_call) {
  HeaderId known;
  const std::string istio_s =
      "[2026-08-01T12:34:56.007Z] \"GET /a?b=c?d HTTP/1.1\" 503 UF,URX via_upstream ended \"up\" "
      "18446744073709551615 12 2000 - \"-\" \"curl\" \"-\" \"a.example\" \"[::1]:80\" outbound|80||a "
      "10.0.0.9:5555 10.0.0.9:15006 [fd00::8]:4321 sni.example r";
  EXPECT_EQ(written(kDefaultLogFormat, known.info), istio_s + " grpc_status=14\n");
  known.info.grpc_status.reset();
  EXPECT_EQ(written(kDefaultLogFormat, known.info), istio_s + " grpc_status=-\n");
}

}  // namespace
}  // namespace weft::proxy
