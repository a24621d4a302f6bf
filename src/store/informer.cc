#include "store/informer.h"

namespace weft::store {
namespace {

constexpr Backoff::Limits kBackoff{.initial = 20ms, .max = 2s};

}  // namespace

Informer::Informer(net::Loop& loop, Store& store, Query query, std::function<void(const Event&)> on_event)
    : on_event_(std::move(on_event)),
      reflector_(loop, store, *this, {.query = std::move(query), .backoff = kBackoff}) {}

api::ObjectPtr Informer::find(std::string_view ns, std::string_view name) const {
  const auto found = items_.find({kind(), std::string(ns), std::string(name)});
  return found == items_.end() ? nullptr : found->second;
}

void Informer::on_list(const List& found) {
  std::map<api::Key, api::ObjectPtr> before = std::move(items_);
  items_.clear();
  synced_ = true;
  removals_.listed(found.resource_version);
  for (const api::ObjectPtr& object : found.items) items_[object->key()] = object;
  for (const api::ObjectPtr& object : found.items) {
    const auto old = before.find(object->key());
    if (old == before.end())
      tell(EventType::kAdded, object);
    else if (old->second->resource_version() != object->resource_version() ||
             old->second->uid() != object->uid())
      tell(EventType::kModified, object);
  }
  for (const auto& [key, object] : before)
    if (!items_.contains(key)) tell(EventType::kDeleted, object);
}

void Informer::on_event(const Event& event) {
  const api::Key key = event.object->key();
  const auto known = items_.find(key);
  const std::uint64_t seen = known == items_.end() ? 0 : known->second->resource_version();
  if (event.type == EventType::kDeleted) {
    removals_.note(key, event.resource_version);
    // An end that comes late is that of another object of this name.
    if (known == items_.end() || event.resource_version < seen) return;
    items_.erase(known);
    return tell(event.type, event.object);
  }
  if (event.resource_version <= seen || removals_.outdates(key, event.resource_version)) return;
  const bool added = known == items_.end();
  items_[key] = event.object;
  tell(added ? EventType::kAdded : EventType::kModified, event.object);
}

void Informer::tell(EventType type, api::ObjectPtr object) {
  if (on_event_) on_event_(Event{type, std::move(object), resource_version()});
}

}  // namespace weft::store
