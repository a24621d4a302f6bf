#include "store/informer.h"

#include "base/log.h"

namespace weft::store {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{2'000};

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
  std::chrono::milliseconds pause = kFirstPause;
  bool listed = false;
  for (;;) {
    if (!listed) {
      const Result<void> got = co_await list();
      listed = got.has_value();
      if (got) pause = kFirstPause;
    }
    if (listed) {
      const Result<void> ended = co_await follow();
      if (!ended && ended.error().code == Code::kConflict)
        listed = false;
      else if (!ended)
        WEFT_LOG(kDebug, "informer", "the watch ended", {"kind", query_.kind->kind},
                 {"error", ended.error().text});
    }
    const auto jitter = std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(pause.count())));
    co_await loop_.sleep(pause / 2 + jitter);
    pause = std::min(pause * 2, kLongestPause);
  }
}

net::Task<Result<void>> Informer::list() {
  WEFT_CO_TRY(const List found, co_await store_.list(query_));
  std::map<api::Key, api::ObjectPtr> before = std::move(items_);
  items_.clear();
  version_ = found.resource_version;
  synced_ = true;
  for (const api::ObjectPtr& object : found.items) items_[object->key()] = object;
  for (const api::ObjectPtr& object : found.items) {
    const auto old = before.find(object->key());
    if (old == before.end())
      tell(EventType::kAdded, object);
    else if (old->second->resource_version() != object->resource_version())
      tell(EventType::kModified, object);
  }
  for (const auto& [key, object] : before)
    if (!items_.contains(key)) tell(EventType::kDeleted, object);
  co_return Result<void>{};
}

net::Task<Result<void>> Informer::follow() {
  // Version 0 means "everything first"; an empty store is at version 1 at least.
  WEFT_CO_TRY(const auto watch, co_await store_.watch(query_, version_));
  for (;;) {
    WEFT_CO_TRY(const Event event, co_await watch->next());
    take(event);
  }
}

void Informer::take(const Event& event) {
  if (event.type == EventType::kBookmark) {
    version_ = std::max(version_, event.resource_version);
    return;
  }
  version_ = std::max(version_, event.resource_version);
  const api::Key key = event.object->key();
  if (event.type == EventType::kDeleted)
    items_.erase(key);
  else
    items_[key] = event.object;
  tell(event.type, event.object);
}

void Informer::tell(EventType type, api::ObjectPtr object) {
  if (on_event_) on_event_(Event{type, std::move(object), version_});
}

}  // namespace weft::store
