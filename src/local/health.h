#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/object.h"
#include "base/time.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::local {

/// One try: nothing, or why not.
using Check = std::function<net::Task<Result<void>>()>;

/// A probe as Kubernetes has it: how often, and how many in a row count.
struct Repeated {
  Check check;
  Duration initial_delay{};
  Duration period = 10s;
  int successes = 1, failures = 3;
};

/// What is asked of a running container.
struct HealthPlan {
  std::optional<Repeated> startup;    ///< until it succeeds, nothing else is asked
  std::optional<Repeated> readiness;  ///< absent: ready as soon as it has started
  std::optional<Repeated> liveness;
  /// Without a readiness probe: it counts as ready when its ports accept, but not later than after some
  /// seconds.
  Check listening;
};

/// Asks one running container how it is, from its start to its end. Until it is ready for the first time it
/// is asked again within milliseconds, whatever its period: people wait for it.
///
/// Owner: the container. Thread: the loop's. How it ends: the destructor; nothing is called afterwards.
class Health {
 public:
  struct Listener {
    std::function<void(bool ready, const std::string& why)> on_ready;
    /// It has to be killed: a startup or liveness probe has failed too often. May not destroy the Health.
    std::function<void(const std::string& why)> on_dead;
  };
  Health(net::Loop& loop, HealthPlan plan, Listener listener);

 private:
  net::Task<void> run();
  net::Task<bool> start_up();
  net::Task<void> wait_for_ports();
  net::Task<void> watch_readiness();
  net::Task<void> watch_liveness();

  net::Loop& loop_;
  HealthPlan plan_;
  Listener listener_;
  net::TaskScope tasks_;
};

/// The timing of a probe as written in a pod, with Kubernetes' defaults.
Repeated repeated(const api::Json& probe, Check check);

}  // namespace weft::local
