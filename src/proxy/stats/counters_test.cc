#include "proxy/stats/counters.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weft::proxy {
namespace {

using Kind = StatsSnapshot::Kind;

template <class Counters>
struct Row {
  std::string name;
  std::uint64_t Counters::* number;
  Kind kind = Kind::kCounter;
};

/// Every number set to one of its own, beginning with 1 in the order of `rows`.
template <class Counters, std::size_t count>
Counters numbered(const Row<Counters> (&rows)[count]) {
  Counters made;
  std::uint64_t number = 0;
  for (const auto& row : rows) made.*row.number = ++number;
  return made;
}

/// Each number stands under its name and, for Prometheus, with its type; and there are no others.
template <class Counters, std::size_t count>
void expect_all(const StatsSnapshot& sheet, const std::string& prefix, const std::string& group,
                const std::string& label, const Row<Counters> (&rows)[count]) {
  const std::string plain = sheet.plain(), prometheus = sheet.prometheus();
  std::uint64_t number = 0;
  for (const auto& row : rows) {
    const std::string value = std::to_string(++number);
    std::string metric = "envoy_" + group + "_" + row.name;
    std::replace(metric.begin(), metric.end(), '.', '_');
    EXPECT_NE(("\n" + plain).find("\n" + prefix + row.name + ": " + value + "\n"), plain.npos) << row.name;
    const std::string family = "# TYPE " + metric + (row.kind == Kind::kGauge ? " gauge\n" : " counter\n") +
                               metric + "{" + label + "} " + value + "\n";
    EXPECT_NE(prometheus.find(family), prometheus.npos) << family;
  }
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_EQ(lines(plain), static_cast<long>(count)) << plain;
  EXPECT_EQ(lines(prometheus), static_cast<long>(2 * count)) << prometheus;
}

TEST(StatsSnapshot, shows_every_number_of_a_connection_manager) {
  using Http = HttpCounters;
  const Row<Http> rows[] = {
      {"downstream_cx_total", &Http::downstream_cx_total},
      {"downstream_cx_active", &Http::downstream_cx_active, Kind::kGauge},
      {"downstream_cx_protocol_error", &Http::downstream_cx_protocol_error},
      {"downstream_rq_total", &Http::downstream_rq_total},
      {"downstream_rq_active", &Http::downstream_rq_active, Kind::kGauge},
      {"downstream_rq_1xx", &Http::downstream_rq_1xx},
      {"downstream_rq_2xx", &Http::downstream_rq_2xx},
      {"downstream_rq_3xx", &Http::downstream_rq_3xx},
      {"downstream_rq_4xx", &Http::downstream_rq_4xx},
      {"downstream_rq_5xx", &Http::downstream_rq_5xx},
      {"downstream_rq_timeout", &Http::downstream_rq_timeout},
      {"no_route", &Http::no_route},
      {"downstream_rq_rx_bytes_total", &Http::downstream_cx_rx_bytes_total},
      {"downstream_rq_tx_bytes_total", &Http::downstream_cx_tx_bytes_total},
  };
  Http counters = numbered(rows);
  counters.of_filters.clear();
  StatsSnapshot sheet;
  sheet.add_http("in.0", counters);
  expect_all(sheet, "http.in.0.", "http", "envoy_http_conn_manager_prefix=\"in.0\"", rows);
}

TEST(StatsSnapshot, shows_every_number_of_a_cluster) {
  using Cluster = ClusterCounters;
  const Row<Cluster> rows[] = {
      {"upstream_cx_total", &Cluster::upstream_cx_total},
      {"upstream_cx_active", &Cluster::upstream_cx_active, Kind::kGauge},
      {"upstream_cx_connect_fail", &Cluster::upstream_cx_connect_fail},
      {"upstream_cx_connect_timeout", &Cluster::upstream_cx_connect_timeout},
      {"upstream_cx_overflow", &Cluster::upstream_cx_overflow},
      {"upstream_cx_destroy", &Cluster::upstream_cx_destroy},
      {"upstream_cx_none_healthy", &Cluster::upstream_cx_none_healthy},
      {"upstream_rq_total", &Cluster::upstream_rq_total},
      {"upstream_rq_active", &Cluster::upstream_rq_active, Kind::kGauge},
      {"upstream_rq_2xx", &Cluster::upstream_rq_2xx},
      {"upstream_rq_3xx", &Cluster::upstream_rq_3xx},
      {"upstream_rq_4xx", &Cluster::upstream_rq_4xx},
      {"upstream_rq_5xx", &Cluster::upstream_rq_5xx},
      {"upstream_rq_timeout", &Cluster::upstream_rq_timeout},
      {"upstream_rq_per_try_timeout", &Cluster::upstream_rq_per_try_timeout},
      {"upstream_rq_retry", &Cluster::upstream_rq_retry},
      {"upstream_rq_retry_limit_exceeded", &Cluster::upstream_rq_retry_limit_exceeded},
      {"upstream_rq_retry_overflow", &Cluster::upstream_rq_retry_overflow},
      {"upstream_rq_rx_reset", &Cluster::upstream_rq_rx_reset},
      {"upstream_rq_cancelled", &Cluster::upstream_rq_cancelled},
      {"upstream_rq_pending_total", &Cluster::upstream_rq_pending_total},
      {"upstream_rq_pending_active", &Cluster::upstream_rq_pending_active, Kind::kGauge},
      {"upstream_rq_pending_overflow", &Cluster::upstream_rq_pending_overflow},
      {"grpc.total", &Cluster::grpc_total},
      {"grpc.success", &Cluster::grpc_success},
      {"grpc.failure", &Cluster::grpc_failure},
  };
  StatsSnapshot sheet;
  sheet.add_cluster("outbound|80||a.default.svc", numbered(rows));
  expect_all(sheet, "cluster.outbound|80||a.default.svc.", "cluster",
             "envoy_cluster_name=\"outbound|80||a.default.svc\"", rows);
}

TEST(StatsSnapshot, shows_every_number_of_a_listener_whose_address_has_no_colon_there) {
  using Of = ListenerCounters;
  const Row<Of> rows[] = {
      {"downstream_cx_total", &Of::downstream_cx_total},
      {"downstream_cx_active", &Of::downstream_cx_active, Kind::kGauge},
      {"downstream_cx_overflow", &Of::downstream_cx_overflow},
      {"downstream_cx_to_itself", &Of::downstream_cx_to_itself},
      {"downstream_cx_transport_failed", &Of::downstream_cx_transport_failed},
      {"no_filter_chain_match", &Of::no_filter_chain_match},
  };
  StatsSnapshot v4, v6;
  v4.add_listener("0.0.0.0:15006", numbered(rows));
  expect_all(v4, "listener.0.0.0.0_15006.", "listener", "envoy_listener_address=\"0.0.0.0_15006\"", rows);
  v6.add_listener("[::1]:80", numbered(rows));
  expect_all(v6, "listener.[__1]_80.", "listener", "envoy_listener_address=\"[__1]_80\"", rows);
}

TEST(StatsSnapshot, shows_every_number_of_a_tcp_proxy) {
  using Tcp = TcpCounters;
  const Row<Tcp> rows[] = {
      {"downstream_cx_total", &Tcp::downstream_cx_total},
      {"downstream_cx_no_route", &Tcp::downstream_cx_no_route},
      {"downstream_cx_rx_bytes_total", &Tcp::downstream_cx_rx_bytes_total},
      {"downstream_cx_tx_bytes_total", &Tcp::downstream_cx_tx_bytes_total},
  };
  StatsSnapshot sheet;
  sheet.add_tcp("outbound|80||a.b", numbered(rows));
  expect_all(sheet, "tcp.outbound|80||a.b.", "tcp", "envoy_tcp_prefix=\"outbound|80||a.b\"", rows);
}

TEST(StatsSnapshot, sums_what_several_workers_counted) {
  StatsSnapshot a, b, sum;
  a.add("cluster.a.upstream_rq_total", 2);
  a.add("cluster.a.upstream_rq_active", 1, Kind::kGauge);
  b.add("cluster.a.upstream_rq_total", 40);
  b.add("cluster.a.upstream_rq_active", 3, Kind::kGauge);
  b.add("cluster.b.upstream_rq_total", 7);
  sum.merge(a);
  sum.merge(b);
  EXPECT_EQ(sum.plain(),
            "cluster.a.upstream_rq_active: 4\ncluster.a.upstream_rq_total: 42\n"
            "cluster.b.upstream_rq_total: 7\n");
  EXPECT_EQ(sum.prometheus(),
            "# TYPE envoy_cluster_upstream_rq_active gauge\n"
            "envoy_cluster_upstream_rq_active{envoy_cluster_name=\"a\"} 4\n"
            "# TYPE envoy_cluster_upstream_rq_total counter\n"
            "envoy_cluster_upstream_rq_total{envoy_cluster_name=\"a\"} 42\n"
            "envoy_cluster_upstream_rq_total{envoy_cluster_name=\"b\"} 7\n");
}

TEST(StatsSnapshot, holds_numbers_of_64_bits_and_nothing_at_first) {
  StatsSnapshot sheet;
  EXPECT_EQ(sheet.plain() + sheet.prometheus(), "");
  sheet.add("server.uptime", UINT64_MAX);
  EXPECT_EQ(sheet.plain(), "server.uptime: 18446744073709551615\n");
}

TEST(StatsSnapshot, for_prometheus_the_middle_of_a_known_group_is_a_label_and_else_all_is_the_name) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"server.live", "envoy_server_live 1"},
      {"uptime", "envoy_uptime 1"},
      {"cluster.upstream_rq_total", "envoy_cluster_upstream_rq_total 1"},
      {"other.a.b", "envoy_other_a_b 1"},
      {"http.a.b.no_route", "envoy_http_no_route{envoy_http_conn_manager_prefix=\"a.b\"} 1"},
      {"a-b c\xc3\xbc", "envoy_a_b_c__ 1"},
      {"cluster.a\"b\\c\nd.x", "envoy_cluster_x{envoy_cluster_name=\"a\\\"b\\\\c\\nd\"} 1"},
      {"cluster.a.grpc.total", "envoy_cluster_grpc_total{envoy_cluster_name=\"a\"} 1"},
      {"cluster.a.grpc.x", "envoy_cluster_x{envoy_cluster_name=\"a.grpc\"} 1"},
      {"cluster.grpc.total", "envoy_cluster_grpc_total 1"},
      {"cluster.\xc3\xbc.x", "envoy_cluster_x{envoy_cluster_name=\"\xc3\xbc\"} 1"},
  };
  for (const auto& [name, line] : kRows) {
    StatsSnapshot sheet;
    sheet.add(name, 1);
    const std::string all = sheet.prometheus();
    EXPECT_EQ(all.substr(all.find('\n') + 1), std::string(line) + "\n");
  }
}

TEST(CountStatus, counts_each_status_once_in_its_class) {
  const struct {
    int status;
    const char* of_http;  ///< empty: none
    const char* of_cluster;
  } rows[] = {
      {0, "", ""},
      {99, "", ""},
      {100, "downstream_rq_1xx", ""},
      {101, "downstream_rq_1xx", ""},
      {200, "downstream_rq_2xx", "upstream_rq_2xx"},
      {299, "downstream_rq_2xx", "upstream_rq_2xx"},
      {304, "downstream_rq_3xx", "upstream_rq_3xx"},
      {404, "downstream_rq_4xx", "upstream_rq_4xx"},
      {500, "downstream_rq_5xx", "upstream_rq_5xx"},
      {599, "downstream_rq_5xx", "upstream_rq_5xx"},
      {600, "", ""},
  };
  const auto counted = [](const StatsSnapshot& sheet) {
    std::string names;
    const std::string text = sheet.plain();
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
      const std::string line = text.substr(at, end - at);
      if (!line.ends_with(": 0")) names += line + "\n";
    }
    return names;
  };
  for (const auto& [status, of_http, of_cluster] : rows) {
    HttpCounters http;
    ClusterCounters cluster;
    count_status(http, status);
    count_status(cluster, status);
    StatsSnapshot downstream, upstream;
    downstream.add_http("p", http);
    upstream.add_cluster("c", cluster);
    EXPECT_EQ(counted(downstream), *of_http ? "http.p." + std::string(of_http) + ": 1\n" : "") << status;
    EXPECT_EQ(counted(upstream), *of_cluster ? "cluster.c." + std::string(of_cluster) + ": 1\n" : "")
        << status;
  }
}

TEST(CountCall, counts_each_call_once_and_only_status_0_as_a_success) {
  constexpr std::pair<std::optional<int>, std::uint64_t> kRows[] = {
      {0, 1}, {1, 0}, {14, 0}, {99, 0}, {std::nullopt, 0}};
  for (const auto& [status, successes] : kRows) {
    ClusterCounters counters;
    count_call(counters, status);
    EXPECT_EQ(counters.grpc_total, 1u) << status.value_or(-1);
    EXPECT_EQ(counters.grpc_success, successes) << status.value_or(-1);
    EXPECT_EQ(counters.grpc_failure, 1 - successes) << status.value_or(-1);
  }
}

}  // namespace
}  // namespace weft::proxy
