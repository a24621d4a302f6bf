#include "store/informer.h"

#include "base/log.h"

namespace weft::store {
namespace {

constexpr Duration kInitialBackoff = 20ms;
constexpr Duration kMaxBackoff = 2s;

}  // namespace

Informer::Informer(net::Loop& loop, Store& store, Query query, std::function<void(const Event&)> on_event)
    : loop_(loop), store_(store), query_(std::move(query)), on_event_(std::move(on_event)) {}

void Informer::start() { tasks_.spawn(run()); }

api::ObjectPtr Informer::find(std::string_view ns, std::string_view name) const {
  const auto found = items_.find({query_.kind, std::string(ns), std::string(name)});
  return found == items_.end() ? nullptr : found->second;
}

net::Task<void> Informer::run() {
  co_await loop_.yield();
  Duration backoff = kInitialBackoff;
  bool listed = false;
  for (;;) {
    heard_ = false;
    const TimePoint began = loop_.now();
    Result<void> done;
    if (!listed) {
      done = co_await list();
      listed = done.has_value();
    }
    if (listed) done = co_await follow();
    // A list alone does not count as success: a server that lists and rejects every watch must not be asked
    // all the time.
    const bool lived = heard_ || loop_.now() - began > kMaxBackoff;
    if (!done) listed = explain(done.error(), lived) && listed;
    if (lived) backoff = kInitialBackoff;
    if (absent_) backoff = kMaxBackoff;
    const auto jitter = static_cast<std::uint64_t>(backoff.count());
    co_await loop_.sleep(backoff / 2 + Duration(random_.below(jitter)));
    backoff = std::min<Duration>(backoff * 2, kMaxBackoff);
  }
}

/// Whether what was listed is still worth following.
bool Informer::explain(const Error& error, bool lived) {
  absent_ = error.code == Code::kUnsupported;
  // Nothing can be there until its type comes, so the empty list holds.
  if (absent_) replace({});
  const bool ended = error.code == Code::kUnavailable && lived;
  if (!ended && error.text != last_error_)
    WEFT_LOG(kWarn, "informer", absent_ ? "waits for a type of resource" : "cannot follow",
             {"kind", query_.kind->kind}, {"error", error.text});
  last_error_ = ended || absent_ ? "" : error.text;
  return !absent_ && error.code != Code::kConflict;
}

net::Task<Result<void>> Informer::list() {
  WEFT_CO_TRY(const List found, co_await store_.list(query_));
  absent_ = false;
  last_error_.clear();
  replace(found);
  co_return Result<void>{};
}

void Informer::replace(const List& found) {
  std::map<api::Key, api::ObjectPtr> before = std::move(items_);
  items_.clear();
  version_ = found.resource_version;
  synced_ = true;
  removals_.listed(version_);
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

net::Task<Result<void>> Informer::follow() {
  // Version 0 means "everything first"; an empty store is at version 1 at least.
  WEFT_CO_TRY(const auto watch, co_await store_.watch(query_, version_));
  last_error_.clear();
  for (;;) {
    WEFT_CO_TRY(const Event event, co_await watch->next());
    take(event);
  }
}

void Informer::take(const Event& event) {
  heard_ = true;
  version_ = std::max(version_, event.resource_version);
  if (event.type == EventType::kBookmark) return;
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
  if (on_event_) on_event_(Event{type, std::move(object), version_});
}

}  // namespace weft::store
