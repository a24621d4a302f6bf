#pragma once

#include <functional>
#include <map>
#include <string>

#include "control/monitoring/metrics.h"
#include "install/foreign_kinds.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::control {

/// Looks each minute for objects of kinds that weft does not do (another Istio's AuthorizationPolicies and
/// the like), so that none of them is silent: each is named in the log once, those that guard something as
/// errors, counted in /metrics, and told in its status where the kind is Istio's.
///
/// Owner: the program; `api` and `metrics` must outlive it. Thread: the loop's. How it ends: the destructor.
/// Errors: what cannot be read is named in the log, counted, and looked for again a minute later; a status
/// that is not kept is written five times.
class ForeignObjects {
 public:
  ForeignObjects(net::Loop& loop, store::RawApi& api, Metrics& metrics)
      : loop_(loop), api_(api), reader_(api), metrics_(metrics) {}
  void start() { tasks_.spawn(run()); }
  /// Of several replicas the one that leads writes statuses.
  void follow(std::function<bool()> leads) { leads_ = std::move(leads); }

 private:
  net::Task<void> run();
  net::Task<void> look();
  net::Task<void> say(install::ForeignObject object);
  net::Task<void> write_status(install::ForeignObject object);

  net::Loop& loop_;
  store::RawApi& api_;
  install::ClusterReader reader_;
  Metrics& metrics_;
  std::function<bool()> leads_;
  struct Known {
    bool logged = false;
    int writes = 0;  ///< of its status, since it was last as we want it
  };
  void tell_unread(const std::map<std::string, Error>& unread);

  std::map<std::string, Known> known_;         ///< by uid
  std::map<std::string, std::string> unread_;  ///< what the log has said cannot be read
  net::TaskScope tasks_;
};

}  // namespace weft::control
