#include "control/object_cache.h"

#include <algorithm>

namespace weft::control {
namespace {

constexpr Backoff::Limits kBackoff{.initial = 100ms, .max = 5s};

store::Query all_of(const api::KindInfo* kind) {
  store::Query query;
  query.kind = kind;
  return query;
}

}  // namespace

ObjectCache::ObjectCache(net::Loop& loop, store::Store& store, std::function<void()> on_change,
                         ObjectCacheOptions options)
    : loop_(loop),
      store_(store),
      on_change_(std::move(on_change)),
      options_(std::move(options)),
      random_(options_.random),
      snapshot_(std::make_shared<const ObjectSnapshot>()) {}

ObjectCache::Follow::Follow(ObjectCache& owner, const api::KindInfo* of)
    : cache(owner),
      kind(of),
      reflector(owner.loop_, owner.store_, *this,
                {.query = all_of(of), .backoff = kBackoff, .random = Random(owner.random_.next())}) {}

void ObjectCache::start() {
  for (const api::KindInfo* kind : options_.kinds)
    follows_.try_emplace(kind, *this, kind).first->second.reflector.start();
}

const store::Reflector* ObjectCache::reflector_of(const api::KindInfo* kind) const {
  const auto found = follows_.find(kind);
  return found == follows_.end() ? nullptr : &found->second.reflector;
}

std::vector<std::string> ObjectCache::problems() const {
  std::vector<std::string> found;
  for (const api::KindInfo* kind : options_.kinds) {
    const store::Reflector* reflector = reflector_of(kind);
    const auto* error = reflector ? reflector->last_error() : nullptr;
    if (error && error->code == Code::kDenied) {
      found.push_back(std::string(error->verb) + " " + api::resource_name(*kind) +
                      " is denied: " + error->text);
    } else if (!listed_.contains(kind)) {
      found.push_back(api::resource_name(*kind) + " not listed yet" + (error ? ": " + error->text : ""));
    }
  }
  return found;
}

std::uint64_t ObjectCache::highest_version() const {
  std::uint64_t highest = 0;
  for (const auto& [kind, follow] : follows_) highest = std::max(highest, follow.reflector.version());
  return highest;
}

std::uint64_t ObjectCache::failures(const api::KindInfo* kind) const {
  const store::Reflector* reflector = reflector_of(kind);
  return reflector ? reflector->failures() : 0;
}

std::size_t ObjectCache::count(const api::KindInfo* kind) const {
  auto table = tables_.find(kind);
  return table == tables_.end() ? 0 : table->second.size();
}

/// What was listed replaces what is known, whatever their versions are: after a restore from a backup the
/// server's versions are lower than ours.
bool ObjectCache::put(Table& table, const api::ObjectPtr& object, bool listed) {
  api::ObjectPtr kept = options_.keep ? options_.keep(object) : object;
  auto found = table.find(object->key());
  if (!kept) {
    if (found == table.end()) return false;
    erase(table, found);
    return true;
  }
  if (found != table.end()) {
    const std::uint64_t known = found->second->resource_version();
    const bool same = known == object->resource_version() && found->second->uid() == object->uid();
    if (same || (!listed && known >= object->resource_version())) return false;
  }
  validator_.note(found == table.end() ? nullptr : found->second, kept);
  if (found == table.end())
    table.emplace(object->key(), std::move(kept));
  else
    found->second = std::move(kept);
  return true;
}

void ObjectCache::erase(Table& table, Table::iterator at) {
  validator_.note(at->second, nullptr);
  table.erase(at);
}

void ObjectCache::replace(const api::KindInfo* kind, const store::List& list) {
  Table& table = tables_[kind];
  std::set<api::Key> present;
  bool differs = listed_.insert(kind).second;
  removals_[kind].listed(list.resource_version);
  for (const auto& object : list.items) {
    present.insert(object->key());
    // One that we removed is back, or its end is still to come over the watch.
    gone_.erase(std::string(object->uid()));
    if (put(table, object, true)) differs = true;
  }
  for (auto each = table.begin(); each != table.end();) {
    const auto at = each++;
    if (present.contains(at->first)) continue;
    erase(table, at);
    differs = true;
  }
  if (differs) changed(kind);
}

void ObjectCache::apply(const store::Event& event) {
  if (!event.object) return;
  if (event.type != store::EventType::kDeleted) return observe(event.object);
  removals_[event.object->kind].note(event.object->key(), event.resource_version);
  gone_.erase(std::string(event.object->uid()));
  auto& table = tables_[event.object->kind];
  auto found = table.find(event.object->key());
  // An end that comes late is that of another object of this name.
  if (found == table.end() || found->second->resource_version() > event.resource_version) return;
  const api::Key key = found->first;
  erase(table, found);
  changed(key);
}

void ObjectCache::observe(const api::ObjectPtr& object) {
  if (gone_.contains(object->uid())) return;
  if (removals_[object->kind].outdates(object->key(), object->resource_version())) return;
  if (put(tables_[object->kind], object, false)) changed(object->key());
}

void ObjectCache::forget(const api::Key& key) {
  auto& table = tables_[key.kind];
  auto found = table.find(key);
  if (found == table.end()) return;
  gone_.emplace(found->second->uid());
  erase(table, found);
  changed(key);
}

void ObjectCache::changed(const api::KindInfo* kind) {
  lists_.erase(kind);
  announce(kind);
}

void ObjectCache::changed(const api::Key& key) {
  changed_keys_[key.kind].insert(key);
  announce(key.kind);
}

void ObjectCache::announce(const api::KindInfo* kind) {
  ++changes_[kind];
  ++generation_;
  if (announced_) return;
  announced_ = true;
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    announced_ = false;
    if (on_change_) on_change_();
  });
}

/// The objects of `table`; from the list that there is, where few are others.
std::shared_ptr<const ObjectSnapshot::Objects> ObjectCache::list_of(const api::KindInfo* kind,
                                                                    const Table& table) {
  const auto list = lists_.find(kind);
  const auto changed = changed_keys_.find(kind);
  if (list != lists_.end() && changed == changed_keys_.end()) return list->second;
  auto made = std::make_shared<ObjectSnapshot::Objects>();
  made->reserve(table.size());
  if (list == lists_.end() || changed->second.size() > list->second->size() / 8) {
    for (const auto& [key, object] : table) made->push_back(object);
    return made;
  }
  auto rest = std::span(*list->second);
  for (const api::Key& key : changed->second) {
    const auto at = std::ranges::partition_point(rest, [&](const auto& each) { return each->key() < key; });
    made->insert(made->end(), rest.begin(), at);
    rest = std::span(at, rest.end());
    if (!rest.empty() && rest.front()->key() == key) rest = rest.subspan(1);
    if (const auto now = table.find(key); now != table.end()) made->push_back(now->second);
  }
  made->insert(made->end(), rest.begin(), rest.end());
  return made;
}

ObjectSnapshotPtr ObjectCache::snapshot() {
  if (snapshot_->generation() == generation_) return snapshot_;
  std::map<const api::KindInfo*, std::shared_ptr<const ObjectSnapshot::Faults>> faults;
  for (const auto& [kind, table] : tables_) {
    faults[kind] = validator_.faults(kind);
    lists_[kind] = list_of(kind, table);
  }
  changed_keys_.clear();
  snapshot_ = std::make_shared<const ObjectSnapshot>(generation_, lists_, std::move(faults), *snapshot_);
  return snapshot_;
}

std::uint64_t ObjectCache::changes(const api::KindInfo* kind) const {
  auto found = changes_.find(kind);
  return found == changes_.end() ? 0 : found->second;
}

net::Task<bool> ObjectCache::has_seen(std::uint64_t version) {
  if (!synced()) co_return false;
  for (const api::KindInfo* kind : options_.kinds) {
    const store::Reflector* reflector = reflector_of(kind);
    const bool listed = reflector && reflector->listed();
    if (listed && reflector->version() >= version) continue;
    const std::optional<store::Progress> progress = store_.progress(kind);
    if (progress && progress->version < version) co_return false;
    if (progress && listed && reflector->version() >= progress->of_kind) continue;
    auto list = co_await store_.list(all_of(kind));
    if (!list && store::Reflector::is_absent(list.error())) continue;
    if (!list || list->resource_version < version || behind(kind, *list, version)) co_return false;
  }
  co_return true;
}

bool ObjectCache::behind(const api::KindInfo* kind, const store::List& list, std::uint64_t version) const {
  static const Table kNone;
  auto found_table = tables_.find(kind);
  const Table& table = found_table == tables_.end() ? kNone : found_table->second;
  std::set<api::Key> present;
  for (const auto& object : list.items) {
    if (options_.keep && !options_.keep(object)) continue;
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
