#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "net/loop.h"
#include "store/reflector.h"
#include "store/removals.h"
#include "store/store.h"

namespace weft::store {

/// A copy of what a query selects, kept up to date by a Reflector. Events that come twice or late change
/// nothing. While the store has no such type of resource (kUnsupported) the copy is empty and counts as
/// taken.
///
/// Owner: its user; `store` must outlive it. Thread: the loop's. How it ends: the destructor.
class Informer final : private Reflector::Sink {
 public:
  /// `on_event` is called after the copy has changed; never from inside start().
  Informer(net::Loop& loop, Store& store, Query query, std::function<void(const Event&)> on_event = {});
  void start() { reflector_.start(); }
  /// The first list has been taken.
  bool synced() const { return synced_; }
  /// Why the copy may be out of date, for readiness; empty while it is not.
  std::string_view last_error() const {
    return reflector_.last_error() ? std::string_view(reflector_.last_error()->text) : std::string_view();
  }
  const std::map<api::Key, api::ObjectPtr>& items() const { return items_; }
  api::ObjectPtr find(std::string_view ns, std::string_view name) const;
  const api::KindInfo* kind() const { return reflector_.query().kind; }
  /// Every change of its kind up to here is in the copy.
  std::uint64_t resource_version() const { return reflector_.version(); }

 private:
  void on_list(const List& list) override;
  void on_event(const Event& event) override;
  void tell(EventType type, api::ObjectPtr object);

  std::function<void(const Event&)> on_event_;
  std::map<api::Key, api::ObjectPtr> items_;
  Removals removals_;
  bool synced_ = false;
  Reflector reflector_;  ///< ends first
};

}  // namespace weft::store
