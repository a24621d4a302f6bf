#include "control/mirror.h"

#include <algorithm>

#include "base/log.h"

namespace weft::control {
namespace {

constexpr Duration kFirstPause = 100ms;
// Short enough that ten seconds after an outage, however long it was, everything is known again.
constexpr Duration kLongestPause = 5s;
constexpr int kMostDoublings = 6;
// Before a kind that the store does not have is looked for again.
constexpr int kAbsent = kMostDoublings;
// A watch that has lived this long, or by which something was heard, ends the row of failures before it. A
// list does not: a server that lists and refuses every watch must not be asked all the time.
constexpr Duration kLivedWell = 2s;

/// The store has no such kind.
bool is_absent(const Error& error) {
  return error.code == Code::kUnsupported || error.code == Code::kNotFound;
}

std::string full_name(const api::KindInfo& kind) {
  return std::string(kind.plural) + (kind.group.empty() ? "" : ".") + std::string(kind.group);
}

}  // namespace

Mirror::Mirror(net::Loop& loop, store::Store& store, std::function<void()> on_change, MirrorOptions options)
    : loop_(loop),
      store_(store),
      on_change_(std::move(on_change)),
      options_(std::move(options)),
      random_(options_.random),
      world_(std::make_shared<const World>()) {}

void Mirror::start() {
  for (const api::KindInfo* kind : options_.kinds) tasks_.spawn(follow(kind));
}

net::Task<void> Mirror::follow(const api::KindInfo* kind) {
  Follow& state = follows_[kind];
  while (true) {
    if (!state.listed) {
      Result<void> listed = co_await list(kind, state);
      note(state, kind, "list", listed);
    }
    if (state.listed) {
      state.watched_since = TimePoint::max();
      Result<void> ended = co_await watch(kind, state);
      if (state.watched_since <= loop_.now() - kLivedWell) state.failed_in_a_row = 0;
      const bool too_old = !ended && ended.error().code == Code::kConflict;
      if (too_old) state.listed = false;
      // One version that is too old is ordinary, and the list that follows is told of by itself.
      if (too_old && state.failed_in_a_row == 0)
        ++state.failed_in_a_row;
      else
        note(state, kind, "watch", ended);
    }
    co_await loop_.sleep(pause(state));
  }
}

net::Task<Result<void>> Mirror::list(const api::KindInfo* kind, Follow& state) {
  store::Query query;
  query.kind = kind;
  auto list = co_await store_.list(query);
  if (!list && is_absent(list.error())) {
    // The kind's definition is not installed. That is no reason to keep the rest waiting.
    replace(kind, {});
    state.failed_in_a_row = kAbsent;
    co_return Result<void>();
  }
  if (!list) co_return fail(std::move(list).error());
  replace(kind, *list);
  state.version = list->resource_version;
  state.listed = true;
  co_return Result<void>();
}

net::Task<Result<void>> Mirror::watch(const api::KindInfo* kind, Follow& state) {
  store::Query query;
  query.kind = kind;
  WEFT_CO_TRY(auto watching, co_await store_.watch(query, state.version));
  state.watched_since = loop_.now();
  state.denied.clear();
  while (true) {
    WEFT_CO_TRY(const store::Event event, co_await watching->next());
    state.error.clear();
    state.failed_in_a_row = 0;
    apply(event);
    state.version = std::max(state.version, event.resource_version);
  }
}

void Mirror::note(Follow& state, const api::KindInfo* kind, std::string_view verb,
                  const Result<void>& outcome) {
  state.denied.clear();
  state.error.clear();
  if (outcome) return;
  ++state.failed_in_a_row;
  ++state.failures;
  state.error = outcome.error().text;
  if (outcome.error().code == Code::kDenied) state.denied = std::string(verb);
  // A kind whose definition goes while we watch is listed anew, and found to be absent.
  if (is_absent(outcome.error())) state.listed = false;
  // The end of a watch is ordinary; only one failure after another is worth a line.
  if (state.failed_in_a_row > 1 || verb == "list" || !state.denied.empty())
    WEFT_LOG(kWarn, "control", "cannot follow a kind", {"verb", verb}, {"kind", full_name(*kind)},
             {"error", state.error});
}

Duration Mirror::pause(const Follow& state) {
  auto longest =
      std::min(kLongestPause, kFirstPause * (1 << std::min(state.failed_in_a_row, kMostDoublings)));
  return longest / 2 + std::chrono::duration_cast<Duration>(longest / 2 * random_.unit());
}

std::vector<std::string> Mirror::problems() const {
  std::vector<std::string> found;
  for (const api::KindInfo* kind : options_.kinds) {
    auto state = follows_.find(kind);
    bool denied = state != follows_.end() && !state->second.denied.empty();
    std::string error = state == follows_.end() ? std::string() : state->second.error;
    if (denied) {
      found.push_back(state->second.denied + " " + full_name(*kind) + " is denied: " + error);
    } else if (!listed_.contains(kind)) {
      found.push_back(full_name(*kind) + " not listed yet" + (error.empty() ? "" : ": " + error));
    }
  }
  return found;
}

std::uint64_t Mirror::highest_version() const {
  std::uint64_t highest = 0;
  for (const auto& [kind, state] : follows_) highest = std::max(highest, state.version);
  return highest;
}

std::uint64_t Mirror::failures(const api::KindInfo* kind) const {
  auto state = follows_.find(kind);
  return state == follows_.end() ? 0 : state->second.failures;
}

std::size_t Mirror::count(const api::KindInfo* kind) const {
  auto table = tables_.find(kind);
  return table == tables_.end() ? 0 : table->second.size();
}

/// What was listed replaces what is known, whatever their versions are: after a restore from a backup the
/// server's versions are lower than ours.
bool Mirror::put(Table& table, const api::ObjectPtr& object, bool listed) {
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
  judge_.note(found == table.end() ? nullptr : found->second, kept);
  if (found == table.end())
    table.emplace(object->key(), std::move(kept));
  else
    found->second = std::move(kept);
  return true;
}

void Mirror::erase(Table& table, Table::iterator at) {
  judge_.note(at->second, nullptr);
  table.erase(at);
}

void Mirror::replace(const api::KindInfo* kind, const store::List& list) {
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

void Mirror::apply(const store::Event& event) {
  if (!event.object) return;
  if (event.type != store::EventType::kDeleted) return observe(event.object);
  removals_[event.object->kind].note(event.object->key(), event.resource_version);
  gone_.erase(std::string(event.object->uid()));
  auto& table = tables_[event.object->kind];
  auto found = table.find(event.object->key());
  // An end that comes late is that of another object of this name.
  if (found == table.end() || found->second->resource_version() > event.resource_version) return;
  erase(table, found);
  changed(event.object->kind);
}

void Mirror::observe(const api::ObjectPtr& object) {
  if (gone_.contains(object->uid())) return;
  if (removals_[object->kind].outdates(object->key(), object->resource_version())) return;
  if (put(tables_[object->kind], object, false)) changed(object->kind);
}

void Mirror::forget(const api::Key& key) {
  auto& table = tables_[key.kind];
  auto found = table.find(key);
  if (found == table.end()) return;
  gone_.emplace(found->second->uid());
  erase(table, found);
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
  std::map<const api::KindInfo*, std::shared_ptr<const World::Faults>> faults;
  for (const auto& [kind, table] : tables_) {
    faults[kind] = judge_.faults(kind);
    auto& list = lists_[kind];
    if (list) continue;
    World::Objects objects;
    objects.reserve(table.size());
    for (const auto& [key, object] : table) objects.push_back(object);
    list = std::make_shared<const World::Objects>(std::move(objects));
  }
  world_ = std::make_shared<const World>(generation_, lists_, std::move(faults));
  return world_;
}

std::uint64_t Mirror::changes(const api::KindInfo* kind) const {
  auto found = changes_.find(kind);
  return found == changes_.end() ? 0 : found->second;
}

net::Task<bool> Mirror::has_seen(std::uint64_t version) {
  if (!synced()) co_return false;
  for (const api::KindInfo* kind : options_.kinds) {
    const Follow& state = follows_[kind];
    if (state.listed && state.version >= version) continue;
    const std::optional<store::Progress> progress = store_.progress(kind);
    if (progress && progress->version < version) co_return false;
    if (progress && state.listed && state.version >= progress->of_kind) continue;
    store::Query query;
    query.kind = kind;
    auto list = co_await store_.list(query);
    if (!list && is_absent(list.error())) continue;
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
