#include "proxy/filters/fault/fault_filter.h"

#include "proxy/filters/http_filter.h"
#include "proxy/request/http_stream.h"
#include "proxy/stats/filter_counter.h"

namespace weft::proxy {
namespace {

const FilterCounter kDelaysInjected("fault.delays_injected");
const FilterCounter kAbortsInjected("fault.aborts_injected");

class FaultFilter final : public HttpFilter {
 public:
  explicit FaultFilter(const Fault& fault)
      : HttpFilter({.request = fault.delays_per_million || fault.aborts_per_million}), fault_(fault) {}

  net::Task<FilterStatus> on_request(HttpStream& stream) const override {
    if (drawn(stream, fault_.delays_per_million)) {
      stream.info().flags.set(Flag::kDelayInjected);
      stream.counters().count(kDelaysInjected);
      const bool cancelled = co_await delay(stream);
      if (cancelled) co_return FilterStatus::kStop;
    }
    if (drawn(stream, fault_.aborts_per_million)) {
      stream.counters().count(kAbortsInjected);
      LocalReply abort = local_reply(LocalReplyKind::kFaultAbort);
      abort.status = fault_.abort_status;
      abort.grpc_status = fault_.abort_grpc_status;
      co_await stream.reply(abort);
      co_return FilterStatus::kStop;
    }
    co_return FilterStatus::kContinue;
  }

 private:
  static bool drawn(HttpStream& stream, std::uint32_t per_million) {
    return per_million && stream.random().below(1'000'000) < per_million;
  }

  /// True: the client disconnected meanwhile.
  net::Task<bool> delay(HttpStream& stream) const {
    net::Loop& loop = stream.loop();
    net::Loop::SleepAwaiter sleep = loop.sleep(fault_.delay);
    {
      const Cancellation::Wait wait(stream.cancellation(), [&] { sleep.timer.arm(loop.now()); });
      co_await sleep;
    }
    if (stream.cancellation().requested()) stream.client_disconnected();
    co_return stream.cancellation().requested();
  }

  Fault fault_;
};

}  // namespace

HttpFilterFactory fault_filter(const Fault& fault) {
  return [fault] { return std::make_shared<const FaultFilter>(fault); };
}

}  // namespace weft::proxy
