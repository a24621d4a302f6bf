#include "pod/drain_manager.h"

#include <algorithm>

#include "base/log.h"

namespace weft::pod {
namespace {

constexpr Duration kPeriod = 50ms;

}  // namespace

DrainManager::DrainManager(net::Loop& loop, proxy::Server& server, Options options,
                           std::function<void()> on_exit)
    : loop_(loop), server_(server), options_(options), on_exit_(std::move(on_exit)), timer_(loop, [this] {
        look();
      }) {}

void DrainManager::drain() {
  if (std::exchange(draining_, true)) return;
  WEFT_LOG(kInfo, "drain", "draining: not ready from now on, and each response ends its connection");
  server_.begin_graceful_drain(options_.drain_scope);
}

void DrainManager::terminate() {
  if (std::exchange(terminating_, true)) return exit_at_once();
  earliest_ = draining_ ? loop_.now() : loop_.now() + options_.minimum;
  latest_ = loop_.now() + std::max(options_.limit, options_.minimum);
  drain();
  timer_.arm(earliest_);
}

void DrainManager::exit_at_once() {
  timer_.disarm();
  if (on_exit_) loop_.defer(std::exchange(on_exit_, {}));
}

void DrainManager::look() {
  if (loop_.now() >= latest_) {
    WEFT_LOG(kWarn, "drain", "exiting although something is still open");
    return exit_at_once();
  }
  server_.count_open([this, alive = std::weak_ptr<char>(alive_)](proxy::OpenWork open) {
    if (!alive.expired()) decide(open);
  });
  // Also when no worker reports any more.
  timer_.arm(latest_);
}

void DrainManager::decide(proxy::OpenWork open) {
  if (!on_exit_) return;
  const std::uint64_t rest = options_.wait_for_connections ? open.connections : open.requests;
  if (rest == 0) return exit_at_once();
  timer_.arm(std::min(loop_.now() + kPeriod, latest_));
}

}  // namespace weft::pod
