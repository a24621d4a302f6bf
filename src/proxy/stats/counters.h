#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/stats/filter_counter.h"

namespace weft::proxy {

/// Counts of one worker. Plain numbers: each belongs to one thread and is copied out by a message to it.

/// Of one HTTP connection manager, by its stat_prefix; Envoy's `http.<prefix>.`.
struct HttpCounters {
  std::uint64_t downstream_cx_total = 0, downstream_cx_active = 0;
  std::uint64_t downstream_rq_total = 0, downstream_rq_active = 0;
  std::uint64_t downstream_rq_1xx = 0, downstream_rq_2xx = 0, downstream_rq_3xx = 0, downstream_rq_4xx = 0,
                downstream_rq_5xx = 0;
  std::uint64_t downstream_cx_protocol_error = 0, downstream_rq_timeout = 0, no_route = 0;
  std::uint64_t downstream_cx_rx_bytes_total = 0, downstream_cx_tx_bytes_total = 0;
  std::vector<std::uint64_t> of_filters = std::vector<std::uint64_t>(FilterCounter::names().size());
  void count(const FilterCounter& counter) { ++of_filters[counter.index()]; }
};

/// Of one cluster; Envoy's `cluster.<name>.`.
struct ClusterCounters {
  std::uint64_t upstream_cx_total = 0, upstream_cx_active = 0, upstream_cx_connect_fail = 0,
                upstream_cx_connect_timeout = 0, upstream_cx_overflow = 0, upstream_cx_destroy = 0;
  std::uint64_t upstream_rq_total = 0, upstream_rq_active = 0, upstream_rq_2xx = 0, upstream_rq_3xx = 0,
                upstream_rq_4xx = 0, upstream_rq_5xx = 0;
  std::uint64_t upstream_rq_timeout = 0, upstream_rq_per_try_timeout = 0, upstream_rq_retry = 0,
                upstream_rq_retry_limit_exceeded = 0, upstream_rq_retry_overflow = 0,
                upstream_rq_rx_reset = 0, upstream_rq_cancelled = 0, upstream_cx_none_healthy = 0;
  std::uint64_t upstream_rq_pending_total = 0, upstream_rq_pending_active = 0,
                upstream_rq_pending_overflow = 0;
  /// Calls of gRPC, as Envoy's grpc_stats filter names them without methods: `grpc.total` and so on. A call
  /// that ends without a status has failed; one that its client cancels is not counted.
  std::uint64_t grpc_total = 0, grpc_success = 0, grpc_failure = 0;
};

/// Of TCP proxies by their stat_prefix; Envoy's `tcp.<prefix>.`.
struct TcpCounters {
  std::uint64_t downstream_cx_total = 0, downstream_cx_no_route = 0;
  std::uint64_t downstream_cx_rx_bytes_total = 0, downstream_cx_tx_bytes_total = 0;
};

/// Of one listener; Envoy's `listener.<address>.`.
struct ListenerCounters {
  std::uint64_t downstream_cx_total = 0, downstream_cx_active = 0, downstream_cx_overflow = 0,
                no_filter_chain_match = 0, downstream_cx_to_itself = 0, downstream_cx_transport_failed = 0;
};

/// Sums by full name, ready to be printed.
class StatsSnapshot {
 public:
  enum class Kind : std::uint8_t { kCounter, kGauge };
  void add(std::string_view name, std::uint64_t value, Kind kind = Kind::kCounter);
  void add_http(std::string_view prefix, const HttpCounters& counters);
  void add_tcp(std::string_view prefix, const TcpCounters& counters);
  void add_cluster(std::string_view name, const ClusterCounters& counters);
  void add_listener(std::string_view address, const ListenerCounters& counters);
  void merge(const StatsSnapshot& other);
  /// Envoy's "/stats": "name: value" lines, sorted.
  std::string plain() const;
  /// Prometheus text exposition; cluster and prefix become labels.
  std::string prometheus() const;

 private:
  struct Value {
    std::uint64_t value = 0;
    Kind kind = Kind::kCounter;
  };
  std::map<std::string, Value, std::less<>> values_;
};

/// Adds one to the class of `status` ("2xx").
void count_status(HttpCounters& counters, int status);
void count_status(ClusterCounters& counters, int status);
/// Adds a call that is over; nullopt: no status was said of it.
void count_call(ClusterCounters& counters, std::optional<int> grpc_status);

}  // namespace weft::proxy
