#include "proxy/request/request_headers.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::proxy {
namespace {

constexpr std::string_view kOutside = "203.0.113.7", kInside = "10.244.0.9";

struct Arrival {
  explicit Arrival(std::string_view peer) {
    connection.peer = *net::Address::parse_ip(peer, 40000);
    info.connection = &connection;
    head.scheme = "http";
    config.use_remote_address = true;
  }
  void prepare() { prepare_request(head, config, info, random); }
  [[nodiscard]] std::string get(std::string_view name) const {
    return std::string(head.headers.get(name).value_or("(none)"));
  }

  ConnectionInfo connection;
  RequestInfo info;
  http::RequestHead head;
  HttpConfig config;
  Random random{1};
};

TEST(RequestHeaders, an_edge_appends_the_clients_address_to_x_forwarded_for) {
  Arrival first(kOutside);
  first.prepare();
  EXPECT_EQ(first.get("x-forwarded-for"), kOutside);
  EXPECT_EQ(first.get("x-forwarded-proto"), "http");
  Arrival later(kOutside);
  later.head.headers.add("x-forwarded-for", "198.51.100.1");
  later.prepare();
  EXPECT_EQ(later.get("x-forwarded-for"), "198.51.100.1,203.0.113.7");
}

TEST(RequestHeaders, x_forwarded_for_written_on_several_lines_loses_none_of_them) {
  Arrival arrival(kOutside);
  arrival.head.headers.add("x-forwarded-for", "198.51.100.1");
  arrival.head.headers.add("x-forwarded-for", "198.51.100.2");
  arrival.prepare();
  EXPECT_EQ(arrival.get("x-forwarded-for"), "198.51.100.1,198.51.100.2,203.0.113.7");
}

TEST(RequestHeaders, a_sidecar_leaves_x_forwarded_for_as_it_is) {
  Arrival arrival(kInside);
  arrival.config.use_remote_address = false;
  arrival.head.headers.add("x-forwarded-for", "198.51.100.1");
  arrival.prepare();
  EXPECT_EQ(arrival.get("x-forwarded-for"), "198.51.100.1");
  EXPECT_EQ(arrival.get("x-forwarded-proto"), "http");
}

TEST(RequestHeaders, x_forwarded_proto_is_how_the_request_came_whatever_its_target_says) {
  for (const bool edge : {true, false}) {
    Arrival arrival(kOutside);
    arrival.config.use_remote_address = edge;
    arrival.head.scheme = "https";
    arrival.prepare();
    EXPECT_EQ(arrival.get("x-forwarded-proto"), "http") << edge;
  }
}

TEST(RequestHeaders, the_clients_address_is_that_many_trusted_hops_from_the_end) {
  const auto address = [](std::uint32_t hops, std::string_view list) {
    Arrival arrival(kInside);
    arrival.config.trusted_hops = hops;
    arrival.head.headers.add("x-forwarded-for", list);
    arrival.prepare();
    return arrival.info.remote_address;
  };
  EXPECT_EQ(address(1, "198.51.100.1, 198.51.100.2"), "198.51.100.2:0");
  EXPECT_EQ(address(2, "198.51.100.1, 198.51.100.2"), "198.51.100.1:0");
  EXPECT_EQ(address(3, "198.51.100.1, 198.51.100.2"), "") << "not as many hops as are trusted";
  EXPECT_EQ(address(1, "rubbish"), "");
}

TEST(RequestHeaders, what_only_the_mesh_may_say_is_taken_from_clients_at_an_edge) {
  for (const std::string_view name :
       {"x-envoy-internal", "x-envoy-retry-on", "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-decorator-operation", "x-envoy-max-retries", "x-envoy-original-path",
        "X-Envoy-Original-Path", "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node",
        "x-envoy-external-address", "x-envoy-original-host", "x-envoy-of-tomorrow"}) {
    Arrival outside(kOutside);
    outside.head.headers.add(name, "true");
    outside.prepare();
    EXPECT_EQ(outside.get(name), "(none)") << name;
  }
  Arrival outside(kOutside);
  for (const std::string_view name : {"x-envoy-a", "x-other", "x-envoy-a", "x-envoy", "x-envoy-"})
    outside.head.headers.add(name, "1");
  outside.prepare();
  EXPECT_EQ(outside.get("x-envoy-a"), "(none)");
  EXPECT_EQ(outside.get("x-other"), "1");
  EXPECT_EQ(outside.get("x-envoy"), "1");
}

TEST(RequestHeaders, nobody_says_whose_certificate_was_seen_at_an_edge_or_inside) {
  for (const bool edge : {true, false}) {
    for (const std::string_view peer : {kOutside, kInside}) {
      Arrival arrival(peer);
      arrival.config.use_remote_address = edge;
      arrival.head.headers.add("X-Forwarded-Client-Cert", "By=spiffe://a;URI=spiffe://admin");
      arrival.head.headers.add("x-forwarded-client-cert", "URI=spiffe://admin");
      arrival.prepare();
      EXPECT_EQ(arrival.get("x-forwarded-client-cert"), "(none)") << edge << " " << peer;
    }
  }
}

TEST(RequestHeaders, a_request_id_is_kept_inside_and_made_anew_for_clients_outside) {
  Arrival inside(kInside);
  inside.head.headers.add("x-request-id", "mine");
  inside.prepare();
  EXPECT_EQ(inside.get("x-request-id"), "mine");
  Arrival outside(kOutside);
  outside.head.headers.add("x-request-id", "mine");
  outside.prepare();
  EXPECT_EQ(outside.get("x-request-id").size(), 36u);
  Arrival trusted(kOutside);
  trusted.config.preserve_external_request_id = true;
  trusted.head.headers.add("x-request-id", "mine");
  trusted.prepare();
  EXPECT_EQ(trusted.get("x-request-id"), "mine");
}

TEST(RequestHeaders, a_b3_trace_goes_on_with_a_span_of_its_own) {
  http::Headers headers;
  Random random{1};
  headers.add("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124");
  headers.add("x-b3-spanid", "a2fb4a1d1a96d312");
  headers.add("x-b3-sampled", "0");
  continue_trace(headers, 100, random);
  EXPECT_EQ(headers.get("x-b3-traceid"), "463ac35c9f6413ad48485a3953bb6124");
  EXPECT_EQ(headers.get("x-b3-parentspanid"), "a2fb4a1d1a96d312");
  EXPECT_EQ(headers.get("x-b3-sampled"), "0") << "the caller said no";
  const std::string span(headers.get("x-b3-spanid").value_or(""));
  EXPECT_EQ(span.size(), 16u);
  EXPECT_NE(span, "a2fb4a1d1a96d312");
  EXPECT_EQ(headers.get("traceparent"), "00-463ac35c9f6413ad48485a3953bb6124-" + span + "-00");
}

TEST(RequestHeaders, a_w3c_trace_goes_on_as_b3_too) {
  http::Headers headers;
  Random random{1};
  headers.add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  continue_trace(headers, 0, random);
  EXPECT_EQ(headers.get("x-b3-traceid"), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(headers.get("x-b3-parentspanid"), "00f067aa0ba902b7");
  EXPECT_EQ(headers.get("x-b3-sampled"), "1");
}

TEST(RequestHeaders, a_traceparent_that_the_standard_forbids_begins_a_new_trace) {
  // W3C Trace Context §3.2.2: version ff and identifiers of zeros only are invalid.
  for (const std::string_view bad :
       {"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-1-2-01", ""}) {
    http::Headers headers;
    Random random{1};
    headers.add("traceparent", bad);
    continue_trace(headers, 0, random);
    EXPECT_FALSE(headers.get("x-b3-parentspanid")) << bad;
    EXPECT_EQ(headers.get("traceparent")->substr(53), "00") << bad << " (sampled at 0 %)";
    EXPECT_NE(headers.get("x-b3-traceid"), "4bf92f3577b34da6a3ce929d0e0e4736") << bad;
    EXPECT_NE(headers.get("x-b3-traceid"), "00000000000000000000000000000000") << bad;
  }
}

TEST(RequestHeaders, the_server_s_name_is_written_over_added_or_left_as_configured) {
  using Header = HttpConfig::ServerHeader;
  const auto server = [](Header rule, bool present) {
    http::ResponseHead head;
    if (present) head.headers.add("server", "app");
    HttpConfig config;
    config.server_name = "istio-envoy";
    config.server_header = rule;
    finish_response(head, config);
    EXPECT_TRUE(head.headers.get("date"));
    return std::string(head.headers.get("server").value_or("(none)"));
  };
  EXPECT_EQ(server(Header::kOverwrite, true), "istio-envoy");
  EXPECT_EQ(server(Header::kAppendIfAbsent, true), "app");
  EXPECT_EQ(server(Header::kAppendIfAbsent, false), "istio-envoy");
  EXPECT_EQ(server(Header::kPassThrough, true), "app");
  EXPECT_EQ(server(Header::kPassThrough, false), "(none)");
}

}  // namespace
}  // namespace weft::proxy
