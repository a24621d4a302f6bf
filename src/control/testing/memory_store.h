#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "net/wait_queue.h"
#include "store/store.h"

namespace weft::control::testing {

/// A store in memory for tests on a simulated loop: validation, versions, uids, generations, conflicts,
/// owners' removal and watches as the real ones have them; no disk.
class MemoryStore final : public store::Store {
 public:
  explicit MemoryStore(net::Loop& loop) : loop_(loop), changed_(loop) {}

  net::Task<Result<api::ObjectPtr>> get(api::Key key) override;
  net::Task<Result<store::List>> list(store::Query query) override;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds = -1,
                                           std::string uid = {}) override;
  net::Task<Result<std::unique_ptr<store::Watch>>> watch(store::Query query, std::uint64_t from) override;

  std::optional<store::Progress> progress(const api::KindInfo* kind) const override;

  std::uint64_t version() const { return version_; }
  std::size_t writes() const { return events_.size(); }
  /// Creates or replaces all of it, status included, as a test's shorthand. Returns the version.
  std::uint64_t put(api::Object object);
  std::vector<api::ObjectPtr> all(const api::KindInfo* kind) const;
  std::size_t lists() const { return lists_; }

  /// Faults: what a list or a watch fails with, and the end of every open watch.
  std::function<std::optional<Error>(const store::Query&)> on_list, on_watch;
  /// What a creation fails with.
  std::function<std::optional<Error>(const api::Object&)> on_create;
  void break_watches(Error with);
  Duration create_takes = Duration::zero();  ///< behind on_create
  Duration watch_takes = Duration::zero();   ///< until the response to the request for one
  /// Says how far it has come, as the store of one machine does.
  bool tells_progress = false;
  /// A schema that knows nothing of status drops what is written there.
  bool prunes_status = false;

 private:
  class MemoryWatch;
  Result<api::ObjectPtr> store_object(api::Object object, store::EventType type);
  void erase(const api::Key& key);

  net::Loop& loop_;
  net::WaitQueue changed_;
  std::map<api::Key, api::ObjectPtr> objects_;
  std::vector<store::Event> events_;
  std::uint64_t version_ = 0;
  std::uint64_t uids_ = 0;
  std::uint64_t broken_ = 0;
  Error broken_by_;
  std::size_t lists_ = 0;
};

}  // namespace weft::control::testing
