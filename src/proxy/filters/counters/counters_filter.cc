#include "proxy/filters/counters/counters_filter.h"

#include "proxy/listener/downstream_connection.h"
#include "proxy/request/grpc.h"
#include "proxy/request/http_stream.h"
#include "proxy/stats/counters.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

class CountersFilter final : public HttpFilter {
 public:
  CountersFilter() : HttpFilter({.end = true}) {}
  void on_end(HttpStream& stream) const override {
    HttpCounters& counters = stream.counters();
    counters.downstream_cx_rx_bytes_total += stream.info().bytes_received;
    counters.downstream_cx_tx_bytes_total += stream.info().bytes_sent;
    count_status(counters, stream.info().status);
    if (stream.info().cluster && is_grpc(stream.request()) && has_ended(stream.info())) count_call_of(stream);
  }

 private:
  /// That its client has cancelled it says nothing about the cluster: a watch has no other end.
  static bool has_ended(const RequestInfo& info) {
    return info.grpc_status || !info.flags.has(Flag::kDownstreamTerminated);
  }
  static void count_call_of(HttpStream& stream) {
    ClusterSet& clusters = stream.connection().facts().clusters;
    // It may have been removed while the call went on.
    if (const auto cluster = clusters.find(stream.info().cluster->name))
      count_call(cluster->counters(), stream.info().grpc_status);
  }
};

}  // namespace

std::shared_ptr<const HttpFilter> counters_filter() {
  static const auto kFilter = std::make_shared<const CountersFilter>();
  return kFilter;
}

}  // namespace weft::proxy
