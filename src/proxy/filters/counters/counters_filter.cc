#include "proxy/filters/counters/counters_filter.h"

#include "proxy/request/http_stream.h"
#include "proxy/stats/counters.h"

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
  }
};

}  // namespace

std::shared_ptr<const HttpFilter> counters_filter() {
  static const auto kFilter = std::make_shared<const CountersFilter>();
  return kFilter;
}

}  // namespace weft::proxy
