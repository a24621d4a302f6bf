#include "proxy/stats/counters.h"

#include <vector>

#include "http/grpc/stream.h"

namespace weft::proxy {
namespace {

using Kind = StatsSnapshot::Kind;

constexpr std::string_view kCallsTotal = "grpc.total", kCallsSucceeded = "grpc.success",
                           kCallsFailed = "grpc.failure";

struct Named {
  std::string_view name;
  std::uint64_t value;
  Kind kind = Kind::kCounter;
};

void add_all(StatsSnapshot& sheet, const std::string& prefix, std::initializer_list<Named> values) {
  for (const Named& named : values) sheet.add(prefix + std::string(named.name), named.value, named.kind);
}

std::string metric_name(std::string_view text) {
  std::string out = "envoy_";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    out.push_back(plain ? c : '_');
  }
  return out;
}

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
  return out;
}

struct Metric {
  std::string name, labels;
};

/// Where the dot before `name` stands; npos: `full` does not end with that name.
std::size_t dot_before(std::string_view full, std::string_view name) {
  if (!full.ends_with(name) || full.size() == name.size()) return full.npos;
  const std::size_t dot = full.size() - name.size() - 1;
  return full[dot] == '.' ? dot : full.npos;
}

/// The dot before a counter's own name: the last, but that those of filters and of calls have names with
/// dots.
std::size_t dot_before_name(std::string_view full) {
  for (const std::string_view name : {kCallsTotal, kCallsSucceeded, kCallsFailed})
    if (const std::size_t dot = dot_before(full, name); dot != full.npos) return dot;
  for (const std::string_view name : FilterCounter::names())
    if (const std::size_t dot = dot_before(full, name); dot != full.npos) return dot;
  return full.rfind('.');
}

/// "cluster.<name>.upstream_rq_total" → envoy_cluster_upstream_rq_total{envoy_cluster_name="<name>"}; the
/// names of clusters hold dots.
Metric metric_of(std::string_view full) {
  const auto first = full.find('.');
  const auto last = dot_before_name(full);
  if (first == std::string_view::npos || first == last) return {metric_name(full), {}};
  const std::string_view group = full.substr(0, first), middle = full.substr(first + 1, last - first - 1);
  const std::string_view label = group == "cluster"    ? "envoy_cluster_name"
                                 : group == "http"     ? "envoy_http_conn_manager_prefix"
                                 : group == "listener" ? "envoy_listener_address"
                                 : group == "tcp"      ? "envoy_tcp_prefix"
                                                       : "";
  if (label.empty()) return {metric_name(full), {}};
  return {metric_name(std::string(group) + "_" + std::string(full.substr(last + 1))),
          "{" + std::string(label) + "=\"" + label_value(middle) + "\"}"};
}

/// Of 200 and above.
template <class Counters, class Total>
void count_class(Counters& counters, int status, Total Counters::* two, Total Counters::* three,
                 Total Counters::* four, Total Counters::* five) {
  switch (status / 100) {
    case 2: ++(counters.*two); break;
    case 3: ++(counters.*three); break;
    case 4: ++(counters.*four); break;
    case 5: ++(counters.*five); break;
    default: break;
  }
}

}  // namespace

void StatsSnapshot::add(std::string_view name, std::uint64_t value, Kind kind) {
  Value& entry = values_.try_emplace(std::string(name)).first->second;
  entry.value += value;
  entry.kind = kind;
}

void StatsSnapshot::add_http(std::string_view prefix, const HttpCounters& c) {
  add_all(*this, "http." + std::string(prefix) + ".",
          {{"downstream_cx_total", c.downstream_cx_total},
           {"downstream_cx_active", c.downstream_cx_active, Kind::kGauge},
           {"downstream_cx_protocol_error", c.downstream_cx_protocol_error},
           {"downstream_rq_total", c.downstream_rq_total},
           {"downstream_rq_active", c.downstream_rq_active, Kind::kGauge},
           {"downstream_rq_1xx", c.downstream_rq_1xx},
           {"downstream_rq_2xx", c.downstream_rq_2xx},
           {"downstream_rq_3xx", c.downstream_rq_3xx},
           {"downstream_rq_4xx", c.downstream_rq_4xx},
           {"downstream_rq_5xx", c.downstream_rq_5xx},
           {"downstream_rq_timeout", c.downstream_rq_timeout},
           {"no_route", c.no_route},
           {"downstream_rq_rx_bytes_total", c.downstream_cx_rx_bytes_total},
           {"downstream_rq_tx_bytes_total", c.downstream_cx_tx_bytes_total}});
  for (std::size_t i = 0; i < c.of_filters.size(); ++i)
    add("http." + std::string(prefix) + "." + std::string(FilterCounter::names()[i]), c.of_filters[i]);
}

void StatsSnapshot::add_tcp(std::string_view prefix, const TcpCounters& c) {
  add_all(*this, "tcp." + std::string(prefix) + ".",
          {{"downstream_cx_total", c.downstream_cx_total},
           {"downstream_cx_no_route", c.downstream_cx_no_route},
           {"downstream_cx_rx_bytes_total", c.downstream_cx_rx_bytes_total},
           {"downstream_cx_tx_bytes_total", c.downstream_cx_tx_bytes_total}});
}

void StatsSnapshot::add_cluster(std::string_view name, const ClusterCounters& c) {
  add_all(*this, "cluster." + std::string(name) + ".",
          {{"upstream_cx_total", c.upstream_cx_total},
           {"upstream_cx_active", c.upstream_cx_active, Kind::kGauge},
           {"upstream_cx_connect_fail", c.upstream_cx_connect_fail},
           {"upstream_cx_connect_timeout", c.upstream_cx_connect_timeout},
           {"upstream_cx_overflow", c.upstream_cx_overflow},
           {"upstream_cx_destroy", c.upstream_cx_destroy},
           {"upstream_cx_none_healthy", c.upstream_cx_none_healthy},
           {"upstream_rq_total", c.upstream_rq_total},
           {"upstream_rq_active", c.upstream_rq_active, Kind::kGauge},
           {"upstream_rq_2xx", c.upstream_rq_2xx},
           {"upstream_rq_3xx", c.upstream_rq_3xx},
           {"upstream_rq_4xx", c.upstream_rq_4xx},
           {"upstream_rq_5xx", c.upstream_rq_5xx},
           {"upstream_rq_timeout", c.upstream_rq_timeout},
           {"upstream_rq_per_try_timeout", c.upstream_rq_per_try_timeout},
           {"upstream_rq_retry", c.upstream_rq_retry},
           {"upstream_rq_retry_limit_exceeded", c.upstream_rq_retry_limit_exceeded},
           {"upstream_rq_retry_overflow", c.upstream_rq_retry_overflow},
           {"upstream_rq_rx_reset", c.upstream_rq_rx_reset},
           {"upstream_rq_cancelled", c.upstream_rq_cancelled},
           {"upstream_rq_pending_total", c.upstream_rq_pending_total},
           {"upstream_rq_pending_active", c.upstream_rq_pending_active, Kind::kGauge},
           {"upstream_rq_pending_overflow", c.upstream_rq_pending_overflow},
           {kCallsTotal, c.grpc_total},
           {kCallsSucceeded, c.grpc_success},
           {kCallsFailed, c.grpc_failure}});
}

void StatsSnapshot::add_listener(std::string_view address, const ListenerCounters& c) {
  std::string name(address);
  for (char& letter : name)
    if (letter == ':') letter = '_';
  add_all(*this, "listener." + name + ".",
          {{"downstream_cx_total", c.downstream_cx_total},
           {"downstream_cx_active", c.downstream_cx_active, Kind::kGauge},
           {"downstream_cx_overflow", c.downstream_cx_overflow},
           {"downstream_cx_to_itself", c.downstream_cx_to_itself},
           {"downstream_cx_transport_failed", c.downstream_cx_transport_failed},
           {"no_filter_chain_match", c.no_filter_chain_match}});
}

void StatsSnapshot::merge(const StatsSnapshot& other) {
  for (const auto& [name, value] : other.values_) add(name, value.value, value.kind);
}

std::string StatsSnapshot::plain() const {
  std::string out;
  for (const auto& [name, value] : values_)
    out.append(name).append(": ").append(std::to_string(value.value)).append("\n");
  return out;
}

std::string StatsSnapshot::prometheus() const {
  struct Family {
    Kind kind = Kind::kCounter;
    std::vector<std::pair<std::string, std::uint64_t>> samples;
  };
  std::map<std::string, Family> families;
  for (const auto& [name, value] : values_) {
    Metric metric = metric_of(name);
    Family& family = families[metric.name];
    family.kind = value.kind;
    family.samples.emplace_back(std::move(metric.labels), value.value);
  }
  std::string out;
  for (const auto& [name, family] : families) {
    out += "# TYPE " + name + (family.kind == Kind::kGauge ? " gauge\n" : " counter\n");
    for (const auto& [labels, value] : family.samples)
      out += name + labels + " " + std::to_string(value) + "\n";
  }
  return out;
}

void count_status(HttpCounters& counters, int status) {
  if (status / 100 == 1) ++counters.downstream_rq_1xx;
  count_class(counters, status, &HttpCounters::downstream_rq_2xx, &HttpCounters::downstream_rq_3xx,
              &HttpCounters::downstream_rq_4xx, &HttpCounters::downstream_rq_5xx);
}

void count_status(ClusterCounters& counters, int status) {
  count_class(counters, status, &ClusterCounters::upstream_rq_2xx, &ClusterCounters::upstream_rq_3xx,
              &ClusterCounters::upstream_rq_4xx, &ClusterCounters::upstream_rq_5xx);
}

void count_call(ClusterCounters& counters, std::optional<int> grpc_status) {
  ++counters.grpc_total;
  ++(grpc_status == http::grpc::kOk ? counters.grpc_success : counters.grpc_failure);
}

}  // namespace weft::proxy
