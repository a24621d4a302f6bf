#include "pod/departure.h"

#include <algorithm>

#include "base/log.h"

namespace weft::pod {
namespace {

constexpr Duration kPeriod = 50ms;

}  // namespace

Departure::Departure(net::Loop& loop, proxy::Server& server, Options options, std::function<void()> gone)
    : loop_(loop), server_(server), options_(options), gone_(std::move(gone)), timer_(loop, [this] {
        look();
      }) {}

void Departure::drain() {
  if (std::exchange(draining_, true)) return;
  WEFT_LOG(kInfo, "departure", "taking leave: not ready from now on, and each response ends its connection");
  server_.take_leave(options_.leaving);
}

void Departure::terminate() {
  if (std::exchange(terminating_, true)) return leave_at_once();
  earliest_ = draining_ ? loop_.now() : loop_.now() + options_.minimum;
  latest_ = loop_.now() + std::max(options_.limit, options_.minimum);
  drain();
  timer_.arm(earliest_);
}

void Departure::leave_at_once() {
  timer_.disarm();
  if (gone_) loop_.defer(std::exchange(gone_, {}));
}

void Departure::look() {
  if (loop_.now() >= latest_) {
    WEFT_LOG(kWarn, "departure", "leaving although something is still open");
    return leave_at_once();
  }
  server_.count_open([this, alive = std::weak_ptr<char>(alive_)](proxy::OpenWork open) {
    if (!alive.expired()) decide(open);
  });
  // Also when no worker answers any more.
  timer_.arm(latest_);
}

void Departure::decide(proxy::OpenWork open) {
  if (!gone_) return;
  const std::uint64_t rest = options_.wait_for_connections ? open.connections : open.requests;
  if (rest == 0) return leave_at_once();
  timer_.arm(std::min(loop_.now() + kPeriod, latest_));
}

}  // namespace weft::pod
