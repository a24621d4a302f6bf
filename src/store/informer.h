#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "base/random.h"
#include "net/loop.h"
#include "store/removals.h"
#include "store/store.h"

namespace weft::store {

/// A copy of what a query selects, kept up to date: lists, then watches, and again from the last version when
/// the watch breaks, from the beginning when that version is too old, with a jittered exponential back-off of
/// at most 3 s. Events that come twice or late change nothing. While the store has no such type of resource
/// (kUnsupported) the copy is empty and counts as taken.
///
/// Owner: its user; `store` must outlive it. Thread: the loop's. How it ends: the destructor.
class Informer {
 public:
  /// `on_event` is called after the copy has changed; never from inside start().
  Informer(net::Loop& loop, Store& store, Query query, std::function<void(const Event&)> on_event = {});
  void start();
  /// The first list has been taken.
  bool synced() const { return synced_; }
  /// Why the copy may be out of date, for readiness; empty while it is not.
  const std::string& last_error() const { return last_error_; }
  const std::map<api::Key, api::ObjectPtr>& items() const { return items_; }
  api::ObjectPtr find(std::string_view ns, std::string_view name) const;
  const api::KindInfo* kind() const { return query_.kind; }
  /// Every change of its kind up to here is in the copy.
  std::uint64_t resource_version() const { return version_; }

 private:
  net::Task<void> run();
  net::Task<Result<void>> list();
  net::Task<Result<void>> follow();
  bool explain(const Error& error, bool lived);
  void replace(const List& found);
  void take(const Event& event);
  void tell(EventType type, api::ObjectPtr object);

  net::Loop& loop_;
  Store& store_;
  Query query_;
  std::function<void(const Event&)> on_event_;
  std::map<api::Key, api::ObjectPtr> items_;
  Removals removals_;
  std::uint64_t version_ = 0;
  bool synced_ = false;
  bool heard_ = false;   ///< something came over the present watch
  bool absent_ = false;  ///< there is no such type of resource
  std::string last_error_;
  Random random_;
  net::TaskScope tasks_;
};

}  // namespace weft::store
