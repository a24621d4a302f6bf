#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "api/object_check.h"
#include "base/random.h"
#include "net/loop.h"
#include "store/dependents.h"
#include "store/history.h"
#include "store/journal.h"
#include "store/store.h"

namespace weft::store {

/// The store on one machine: every object in memory, every change on disk before it is acknowledged or can be
/// seen.
///
/// What one request changes becomes true as a whole or not at all: when the disk does not take it, the
/// request fails and nothing has changed. Writes that arrive in one turn of the loop are one write to the
/// disk at its end (docs/decisions/0083). Owner: the control plane's process. Thread: its loop. How it ends:
/// the destructor; open watches, and writes that wait, then fail.
class EmbeddedStore final : public Store {
 public:
  /// Reads what is in `directory`, or begins it with the namespaces "default" and "istio-system".
  static Result<std::unique_ptr<EmbeddedStore>> open(net::Loop& loop, std::string directory,
                                                     Disk& disk = real_disk());
  ~EmbeddedStore() override;

  net::Task<Result<api::ObjectPtr>> get(api::Key key) override;
  net::Task<Result<List>> list(Query query) override;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds, std::string uid) override;
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override;
  std::uint64_t resource_version() const { return version_; }
  std::optional<Progress> progress(const api::KindInfo* kind) const override;
  /// The same objects, for questions: a write is checked and has the same result, and changes nothing
  /// (dryRun=All of Kubernetes). Lives as long as this.
  Store& dry_run();
  /// Asked of every object before it is stored, beside the checks of `api`.
  void set_check(api::ObjectCheck check) { check_ = std::move(check); }

 private:
  class Watcher;
  class Write;
  class DryRun;
  /// What one request changes, in order. Versions are given when it is entered.
  struct Plan {
    std::vector<Change> changes;
    std::set<api::Key> keys;
    void add(Change change) {
      keys.insert(change.object->key());
      changes.push_back(std::move(change));
    }
  };
  using Planned = Result<api::ObjectPtr>;
  /// What is entered and not yet on disk: the changes of one or more requests, in order.
  struct Batch {
    std::vector<Change> changes;
    std::vector<std::string> texts;  ///< of each change's object
    std::string record;              ///< without the brackets of a list
    Journal::Safe safe = Journal::Safe::kFromOurEnd;
  };
  explicit EmbeddedStore(net::Loop& loop);
  Result<void> replay(std::string_view record);
  Result<void> replay_change(const api::Json& change);
  Result<void> begin();
  void enqueue(Write& write);
  void make_waiting_writes();
  Result<void> make(std::span<Write* const> writes);
  void enter(Plan plan, Journal::Safe safe, Batch& batch);
  void take_back(const Batch& batch);
  void place(api::ObjectPtr object);
  void displace(const api::Key& key);
  Result<void> commit(Batch batch);
  void publish(const Change& change, std::string text);
  void snapshot_when_due();
  void forget_old_changes();
  api::ObjectPtr put(Plan& plan, api::Object object, EventType type) const;
  Result<api::ObjectPtr> find(const api::Key& key) const;
  Planned plan_create(Plan& plan, api::Object object);
  Planned plan_update(Plan& plan, api::Object object) const;
  Planned plan_status(Plan& plan, const api::Object& object) const;
  Planned plan_removal(Plan& plan, const api::Key& key, int grace_period_seconds, std::string_view uid) const;
  bool plan_end(Plan& plan, api::ObjectPtr& stored, int grace_period_seconds) const;
  void plan_dependents(Plan& plan, const api::Object& removed) const;
  bool has_owner(const api::Object& object) const;
  const api::Object* owner_of(const api::Object& object, const api::Json& reference) const;
  static Result<void> check_uid(std::string_view wanted, const api::Object& stored);
  Result<void> check_version(const api::Object& wanted, const api::Object& stored) const;

  net::Loop& loop_;
  api::ObjectCheck check_;
  std::unique_ptr<Journal> journal_;
  Random random_;
  std::map<api::Key, api::ObjectPtr> objects_;
  Dependents dependents_;  ///< of them
  std::uint64_t version_ = 0;
  std::uint64_t opened_at_ = 0;  ///< which kinds had changed last by then is not known
  std::map<const api::KindInfo*, std::uint64_t> newest_;  ///< since then
  History history_;
  std::size_t forgotten_bytes_ = 0;  ///< since freed memory was last given back to the system
  net::Timer expiry_;
  std::unique_ptr<DryRun> dry_run_;
  std::vector<Watcher*> watchers_;
  std::vector<Write*> waiting_writes_;  ///< in the order in which they came
  std::size_t waiting_bytes_ = 0;
  net::Deferred end_of_turn_;
};

/// Whether an object belongs to a query. Error: the label selector is not one.
Result<bool> selected(const Query& query, const api::Object& object);

}  // namespace weft::store
