#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "control/object_snapshot.h"
#include "control/object_validator.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/reflector.h"
#include "store/removals.h"
#include "store/store.h"

namespace weft::control {

struct ObjectCacheOptions {
  /// In the order of kinds::watched().
  std::vector<const api::KindInfo*> kinds = {kinds::watched().begin(), kinds::watched().end()};
  /// What of an object is kept in memory; null: nothing, as if it were not there. Empty: all of it.
  std::function<api::ObjectPtr(const api::ObjectPtr&)> keep = {};
  Random random = {};  ///< of the jitter of back-offs
};

/// The store's objects kept in memory by a store::Reflector for every kind this room reads.
///
/// What a list shows unchanged is not announced. A list is authoritative, also when the server has gone back
/// to an earlier state; events that come twice or late change nothing. A kind that the store does not have
/// (yet) counts as one without objects. A back-off is at most 5 s: ten seconds after an outage, however long
/// it was, everything is known again.
///
/// Changes within one turn of the loop are announced once: `on_change` runs from the loop after them.
/// Owner: ControlPlane. Thread: the loop's. How it ends: the destructor ends the watches.
class ObjectCache {
 public:
  ObjectCache(net::Loop& loop, store::Store& store, std::function<void()> on_change,
              ObjectCacheOptions options = {});

  void start();
  /// Every kind has been listed once; before that, snapshot() is incomplete.
  bool synced() const { return listed_.size() == options_.kinds.size(); }
  /// The present moment. Cheap when nothing has changed since the last call.
  ObjectSnapshotPtr snapshot();
  /// How many changes objects of this kind have had. The same number: nothing changed.
  std::uint64_t changes(const api::KindInfo* kind) const;
  std::span<const api::KindInfo* const> kinds() const { return options_.kinds; }
  std::size_t count(const api::KindInfo* kind) const;

  /// Why this cache may be incomplete: kinds not listed yet, and those that we may not list or watch, each
  /// with the verb.
  std::vector<std::string> problems() const;
  /// Of the lists and events that came.
  std::uint64_t highest_version() const;
  /// How often a list or a watch of the kind has failed.
  std::uint64_t failures(const api::KindInfo* kind) const;

  /// Takes the store's response to a write of ours at once, so that the next look at snapshot() has it; its
  /// watch event then changes nothing.
  void observe(const api::ObjectPtr& object);
  /// The object of that uid is gone by a removal of ours.
  void forget(const api::Key& key);

  /// Whether snapshot() shows every change up to the store's `version`.
  net::Task<bool> has_seen(std::uint64_t version);

 private:
  using Table = std::map<api::Key, api::ObjectPtr>;
  /// One kind's Reflector, and what tells it from the others.
  struct Follow final : store::Reflector::Sink {
    Follow(ObjectCache& owner, const api::KindInfo* of);
    void on_list(const store::List& list) override { cache.replace(kind, list); }
    void on_event(const store::Event& event) override { cache.apply(event); }

    ObjectCache& cache;
    const api::KindInfo* kind;
    store::Reflector reflector;
  };
  const store::Reflector* reflector_of(const api::KindInfo* kind) const;
  void replace(const api::KindInfo* kind, const store::List& list);
  void apply(const store::Event& event);
  bool put(Table& table, const api::ObjectPtr& object, bool listed);
  void erase(Table& table, Table::iterator at);
  /// Any of the kind's objects, or one.
  void changed(const api::KindInfo* kind);
  void changed(const api::Key& key);
  void announce(const api::KindInfo* kind);
  std::shared_ptr<const ObjectSnapshot::Objects> list_of(const api::KindInfo* kind, const Table& table);
  bool behind(const api::KindInfo* kind, const store::List& list, std::uint64_t version) const;

  net::Loop& loop_;
  store::Store& store_;
  std::function<void()> on_change_;
  ObjectCacheOptions options_;
  Random random_;
  std::map<const api::KindInfo*, Table> tables_;
  std::map<const api::KindInfo*, store::Removals> removals_;
  std::map<const api::KindInfo*, std::uint64_t> changes_;
  /// As they were last looked at. Absent: any object may have changed since.
  std::map<const api::KindInfo*, std::shared_ptr<const ObjectSnapshot::Objects>> lists_;
  std::map<const api::KindInfo*, std::set<api::Key>> changed_keys_;  ///< since then
  ObjectValidator validator_;
  std::set<const api::KindInfo*> listed_;
  std::set<std::string, std::less<>> gone_;  ///< uids removed by us whose last event has not come yet
  std::uint64_t generation_ = 0;
  ObjectSnapshotPtr snapshot_;
  bool announced_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  std::map<const api::KindInfo*, Follow> follows_;  ///< end first
};

}  // namespace weft::control
