#include "local/health.h"

#include <algorithm>

#include "base/backoff.h"
#include "local/json.h"

namespace weft::local {
namespace {

constexpr Duration kInitialBackoff = 5ms;
constexpr Duration kMaxHurried = 250ms;
constexpr Duration kPortsTimeout = 5s;

}  // namespace

Repeated repeated(const api::Json& probe, Check check) {
  Repeated made;
  made.check = std::move(check);
  made.initial_delay = std::chrono::seconds(json::number(probe, "initialDelaySeconds", 0));
  made.period = std::chrono::seconds(json::number(probe, "periodSeconds", 10));
  made.successes = static_cast<int>(json::number(probe, "successThreshold", 1));
  made.failures = static_cast<int>(json::number(probe, "failureThreshold", 3));
  return made;
}

Health::Health(net::Loop& loop, HealthPlan plan, Listener listener)
    : loop_(loop), plan_(std::move(plan)), listener_(std::move(listener)) {
  tasks_.spawn(run());
}

net::Task<void> Health::run() {
  co_await loop_.yield();
  if (plan_.startup && !co_await start_up()) co_return;
  if (plan_.liveness) tasks_.spawn(watch_liveness());
  if (plan_.readiness) {
    co_await watch_readiness();
    co_return;
  }
  if (plan_.listening) co_await wait_for_ports();
  listener_.on_ready(true, "");
}

net::Task<bool> Health::start_up() {
  const Repeated& probe = *plan_.startup;
  co_await loop_.sleep(probe.initial_delay);
  // The tries between are free: only those of the written period count as failures.
  Backoff backoff({kInitialBackoff, std::min(kMaxHurried, probe.period)});
  TimePoint counted = loop_.now() + probe.period;
  for (int failures = 0;;) {
    const Result<void> result = co_await probe.check();
    if (result) co_return true;
    if (loop_.now() >= counted) {
      counted = loop_.now() + probe.period;
      if (++failures >= probe.failures) {
        listener_.on_dead("Startup probe failed: " + result.error().text);
        co_return false;
      }
    }
    co_await loop_.sleep(backoff.next());
  }
}

net::Task<void> Health::wait_for_ports() {
  const TimePoint limit = loop_.now() + kPortsTimeout;
  Backoff backoff({kInitialBackoff, kMaxHurried});
  while (!co_await plan_.listening()) {
    if (loop_.now() >= limit) co_return;
    co_await loop_.sleep(backoff.next());
  }
}

net::Task<void> Health::watch_readiness() {
  const Repeated& probe = *plan_.readiness;
  co_await loop_.sleep(probe.initial_delay);
  Backoff backoff({kInitialBackoff, probe.period});
  bool ready = false;
  for (int successes = 0, failures = 0;;) {
    const Result<void> result = co_await probe.check();
    successes = result ? successes + 1 : 0;
    failures = result ? 0 : failures + 1;
    if (!ready && successes >= probe.successes) {
      ready = true;
      listener_.on_ready(true, "");
    } else if (!result && (!ready || failures >= probe.failures)) {
      ready = false;
      listener_.on_ready(false, "Readiness probe failed: " + result.error().text);
    }
    co_await loop_.sleep(ready ? probe.period : backoff.next());
  }
}

net::Task<void> Health::watch_liveness() {
  const Repeated& probe = *plan_.liveness;
  co_await loop_.sleep(probe.initial_delay);
  for (int failures = 0;;) {
    const Result<void> result = co_await probe.check();
    failures = result ? 0 : failures + 1;
    if (failures >= probe.failures) {
      listener_.on_dead("Liveness probe failed: " + result.error().text);
      co_return;
    }
    co_await loop_.sleep(probe.period);
  }
}

}  // namespace weft::local
