#include "control/mirror.h"

#include "base/log.h"

namespace weft::control {
namespace {

constexpr auto kRetryAfter = 200ms;

}  // namespace

Mirror::Mirror(net::Loop& loop, store::Store& store, std::function<void()> on_change)
    : loop_(loop), store_(store), on_change_(std::move(on_change)), world_(std::make_shared<const World>()) {}

void Mirror::start() {
  for (const api::KindInfo* kind : kinds::watched()) tasks_.spawn(follow(kind));
}

net::Task<void> Mirror::follow(const api::KindInfo* kind) {
  while (true) {
    co_await follow_once(kind);
    co_await loop_.sleep(kRetryAfter);
  }
}

net::Task<void> Mirror::follow_once(const api::KindInfo* kind) {
  store::Query query;
  query.kind = kind;
  auto list = co_await store_.list(query);
  if (!list) {
    WEFT_LOG(kWarn, "control", "cannot list", {"kind", kind->plural}, {"error", list.error().text});
    co_return;
  }
  replace(kind, *list);
  auto watch = co_await store_.watch(query, list->resource_version);
  while (watch) {
    auto event = co_await (*watch)->next();
    if (!event) co_return;
    apply(*event);
  }
}

void Mirror::replace(const api::KindInfo* kind, const store::List& list) {
  Table table;
  for (const auto& object : list.items) table[object->key()] = object;
  tables_[kind] = std::move(table);
  listed_.insert(kind);
  changed(kind);
}

void Mirror::apply(const store::Event& event) {
  if (!event.object) return;
  if (event.type != store::EventType::kDeleted) return observe(event.object);
  gone_.erase(std::string(event.object->uid()));
  auto& table = tables_[event.object->kind];
  auto found = table.find(event.object->key());
  if (found == table.end() || found->second->uid() != event.object->uid()) return;
  table.erase(found);
  changed(event.object->kind);
}

void Mirror::observe(const api::ObjectPtr& object) {
  if (gone_.contains(object->uid())) return;
  auto& known = tables_[object->kind][object->key()];
  if (known && known->resource_version() >= object->resource_version()) return;
  known = object;
  changed(object->kind);
}

void Mirror::forget(const api::Key& key) {
  auto& table = tables_[key.kind];
  auto found = table.find(key);
  if (found == table.end()) return;
  gone_.emplace(found->second->uid());
  table.erase(found);
  changed(key.kind);
}

void Mirror::changed(const api::KindInfo* kind) {
  ++changes_[kind];
  ++generation_;
  lists_.erase(kind);
  if (announced_) return;
  announced_ = true;
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    announced_ = false;
    if (on_change_) on_change_();
  });
}

WorldPtr Mirror::world() {
  if (world_->generation() == generation_) return world_;
  for (const auto& [kind, table] : tables_) {
    auto& list = lists_[kind];
    if (list) continue;
    World::Objects objects;
    objects.reserve(table.size());
    for (const auto& [key, object] : table) objects.push_back(object);
    list = std::make_shared<const World::Objects>(std::move(objects));
  }
  world_ = std::make_shared<const World>(generation_, lists_);
  return world_;
}

std::uint64_t Mirror::changes(const api::KindInfo* kind) const {
  auto found = changes_.find(kind);
  return found == changes_.end() ? 0 : found->second;
}

net::Task<bool> Mirror::has_seen(std::uint64_t version) {
  if (!synced()) co_return false;
  for (const api::KindInfo* kind : kinds::watched()) {
    store::Query query;
    query.kind = kind;
    auto list = co_await store_.list(query);
    if (!list || list->resource_version < version || behind(kind, *list, version)) co_return false;
  }
  co_return true;
}

bool Mirror::behind(const api::KindInfo* kind, const store::List& list, std::uint64_t version) const {
  static const Table kNone;
  auto found_table = tables_.find(kind);
  const Table& table = found_table == tables_.end() ? kNone : found_table->second;
  std::set<api::Key> present;
  for (const auto& object : list.items) {
    present.insert(object->key());
    auto found = table.find(object->key());
    std::uint64_t seen = found == table.end() ? 0 : found->second->resource_version();
    if (seen < object->resource_version() && seen < version) {
      // An object changed once before and once after `version` cannot be told apart here; waiting for both is
      // safe.
      return true;
    }
  }
  for (const auto& [key, object] : table)
    if (!present.contains(key) && object->resource_version() <= list.resource_version) return true;
  return false;
}

}  // namespace weft::control
