#pragma once

#include <functional>
#include <string>

#include "base/random.h"
#include "net/loop.h"
#include "store/kubernetes/raw_api.h"

namespace weft::store {

struct LeaseOptions {
  std::string ns, name;
  std::string identity;     ///< differs for every process, restarts included: pod name and something random
  Duration duration = 15s;  ///< others wait so long after the last renewal that they saw
  Duration renew_deadline = 10s;  ///< without a renewal for so long we lead no more
  Duration retry = 2s;
  /// What time it is, also in the middle of a turn after the process was stopped; tests give their own.
  std::function<TimePoint()> clock = SteadyClock::now;
};

/// One leader among several processes, by a Lease (coordination.k8s.io/v1) and the rules of client-go's
/// leader election: each candidate measures by its own clock how long the record has not changed, so clocks
/// may differ as long as they run equally fast. A leader counts from before it asked for a renewal and stops
/// `duration - renew_deadline` before another may follow.
///
/// Owner: the control plane; `api` must outlive it. Thread: the loop's. How it ends: release(), or the
/// destructor, after which others wait `duration`.
class Lease {
 public:
  /// `on_change(leads)` is called from the loop at each gain and loss, never inside start().
  Lease(net::Loop& loop, RawApi& api, LeaseOptions options, std::function<void(bool leads)> on_change = {});

  void start();
  /// Whether we lead at this very moment: ask before every write.
  bool leads() const;
  /// Who does, as far as is known; empty: none.
  const std::string& holder() const { return holder_; }
  /// Leads no more and lets others follow at once. Bounded by the API's own timeout; one that exits may give
  /// it up earlier. Does not start again.
  net::Task<void> release();

 private:
  net::Task<void> run();
  net::Task<Result<void>> attempt();
  net::Task<Result<void>> take(const api::Json& present, TimePoint asked);
  void observe(const api::Json& lease);
  api::Json spec_of(const api::Json& present) const;
  void announce();
  std::string path(bool named) const;

  net::Loop& loop_;
  RawApi& api_;
  LeaseOptions options_;
  std::function<void(bool)> on_change_;
  std::string holder_;
  api::Json seen_;            ///< the spec as it was read last
  TimePoint seen_at_;         ///< when it had last changed, by our clock
  Duration seen_duration_{};  ///< how long its holder asks others to wait
  TimePoint leads_until_ = TimePoint::min();
  bool announced_ = false;
  Random random_;
  net::Timer expiry_;
  net::TaskScope tasks_;
};

}  // namespace weft::store
