#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/controllers/attention.h"
#include "control/controllers/plan.h"
#include "control/object_cache.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::control {

/// Runs each controller when something that it reads has changed, and does what its plan says. A run looks at
/// what the changes since the one before can concern; at everything the first time, when this replica begins
/// to lead, and at the latest with the first change after ten minutes (decision 0086).
///
/// Owner: ControlPlane. Thread: the loop's. How it ends: the destructor, between two writes.
class ControllerManager {
 public:
  /// `on_idle` is called when nothing is left to do for now.
  /// `cpu_time` is what this thread has used so far: a controller whose run was costly rests before its next.
  /// `random` gives the names of what controllers make.
  ControllerManager(net::Loop& loop, store::Store& store, ObjectCache& cache,
                    std::vector<Controller> controllers, std::function<void()> on_idle,
                    std::function<Duration()> cpu_time, Random random = {});

  /// Something may have changed; cheap when nothing has.
  void notice();
  /// The same for a caller that waits for idle(): no controller rests any longer.
  void notice_at_once();
  /// Every controller has seen the cache's present snapshot and wants nothing written.
  /// Where another replica leads there is nothing to do here.
  bool idle() const { return !leads() || (!running_ && !stale()); }
  /// A write that did not succeed and is tried again.
  struct Failure {
    std::string text;         ///< the object, and what the store said
    bool for_good = false;    ///< trying again does not help: the store rejects it as it is
    std::uint64_t since = 0;  ///< the highest version that the cache had seen when it failed first
  };
  /// Those that began when `version` was there, which may come of it; what failed before does not.
  std::vector<Failure> failures_since(std::uint64_t version) const;
  /// Of several replicas only the one that leads writes: `leads` is asked before every write. Call
  /// leadership_changed() when its answer has.
  void follow(std::function<bool()> leads) { leads_ = std::move(leads); }
  void leadership_changed();
  bool leads() const { return !leads_ || leads_(); }
  /// What proxies rejected, for the objects' statuses.
  void set_rejections(std::map<api::Key, std::string> rejections);
  /// What pods that a controller makes are made by; it must outlive this. It may change; what was made by it
  /// before follows when its object is looked at again.
  void set_injection(const inject::Settings* settings) { injection_ = settings; }
  /// How a snapshot is read for controllers, which compare its objects with those that come back: of that
  /// snapshot and no other. By default it is carried on from the snapshot before, where a controller asks for
  /// it.
  using ReadPushContext = std::function<std::shared_ptr<const PushContext>(const ObjectSnapshotPtr&)>;
  void set_read_push_context(ReadPushContext read) { read_push_context_ = std::move(read); }

 private:
  using Failures = std::map<std::string, Failure>;
  struct Entry {
    Controller controller;
    std::uint64_t seen =
        0;  ///< sum of the changes of what it reads, at its last run; 0: never or to be repeated
    /// Of its last run, by what was written; of what is made again under another name by its kind and owner.
    Failures failures = {};
    TimePoint rests_until = {};
    Attention attention = {};
    TimePoint looked_at_everything = {};
  };
  net::Task<void> run();
  net::Task<void> run_one(Entry& entry);
  Plan plan_for(Entry& entry);
  const PushContext& push_context_of(const ObjectSnapshotPtr& snapshot);
  /// Nothing: the write is done, or no longer wanted because another writer was first.
  net::Task<void> carry_out_one(Change change, const Entry& entry, Failures& failures);
  net::Task<std::optional<Error>> carry_out(Change change);
  net::Task<Result<api::ObjectPtr>> write(Change change);
  void note_kept(const api::Key& key, const api::Json& wanted, const api::Object& written);
  std::uint64_t changes_for(const Controller& controller) const;
  bool is_stale(const Entry& entry) const { return entry.seen != changes_for(entry.controller); }
  bool is_due(const Entry& entry) const { return is_stale(entry) && entry.rests_until <= loop_.now(); }
  bool stale() const;
  bool due() const;
  void wake_after_rest();
  void retry();

  net::Loop& loop_;
  store::Store& store_;
  ObjectCache& cache_;
  std::function<void()> on_idle_;
  std::function<Duration()> cpu_time_;
  Random random_;
  std::vector<Entry> entries_;
  std::map<api::Key, std::string> rejections_;
  const inject::Settings* injection_ = nullptr;
  ReadPushContext read_push_context_;
  std::shared_ptr<const PushContext> push_;  ///< of the snapshot that was read last
  LinkIndex links_;
  /// Versions of objects whose status the store does not keep as we wrote it: writing it again would go on
  /// forever.
  std::map<api::Key, std::uint64_t> unkept_;
  bool running_ = false;
  int rounds_ = 0;                     ///< since nothing was left to do
  std::optional<Duration> run_began_;  ///< in CPU time
  std::function<bool()> leads_;
  net::Timer retry_, rest_;
  net::TaskScope tasks_;
};

}  // namespace weft::control
