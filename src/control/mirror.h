#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "control/world.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::control {

/// The store's objects kept in memory by watching every kind this room reads.
///
/// Changes within one turn of the loop are announced once: `on_change` runs from the loop after them.
/// Owner: ControlPlane. Thread: the loop's. How it ends: the destructor ends the watches.
class Mirror {
 public:
  Mirror(net::Loop& loop, store::Store& store, std::function<void()> on_change);

  void start();
  /// Every kind has been listed once; before that, world() is only part of the truth.
  bool synced() const { return listed_.size() == kinds::watched().size(); }
  /// The present moment. Cheap when nothing has changed since the last call.
  WorldPtr world();
  /// How many changes objects of this kind have had: for whoever wants to do nothing when nothing changed.
  std::uint64_t changes(const api::KindInfo* kind) const;

  /// Takes the store's answer to a write of ours at once, so that the next look at world() has it; its watch
  /// event is then no news.
  void observe(const api::ObjectPtr& object);
  /// The object of that uid is gone by a removal of ours.
  void forget(const api::Key& key);

  /// Whether world() shows every change up to the store's `version`.
  net::Task<bool> has_seen(std::uint64_t version);

 private:
  using Table = std::map<api::Key, api::ObjectPtr>;
  net::Task<void> follow(const api::KindInfo* kind);
  net::Task<void> follow_once(const api::KindInfo* kind);
  void replace(const api::KindInfo* kind, const store::List& list);
  void apply(const store::Event& event);
  void changed(const api::KindInfo* kind);
  bool behind(const api::KindInfo* kind, const store::List& list, std::uint64_t version) const;

  net::Loop& loop_;
  store::Store& store_;
  std::function<void()> on_change_;
  std::map<const api::KindInfo*, Table> tables_;
  std::map<const api::KindInfo*, std::uint64_t> changes_;
  std::map<const api::KindInfo*, std::shared_ptr<const World::Objects>> lists_;  ///< absent: changed since
  std::set<const api::KindInfo*> listed_;
  std::set<std::string, std::less<>> gone_;  ///< uids removed by us whose last event has not come yet
  std::uint64_t generation_ = 0;
  WorldPtr world_;
  bool announced_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  net::TaskScope tasks_;
};

}  // namespace weft::control
