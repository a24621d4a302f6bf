#include "control/controllers/links.h"

#include <algorithm>
#include <unordered_set>

namespace weft::control {
namespace {

constexpr auto kByName = [](const api::ObjectPtr& a, const api::ObjectPtr& b) { return precedes(*a, *b); };

template <class Map, class Value>
void erase_one(Map& map, Topic topic, const Value& value) {
  const auto entry = map.find(topic);
  if (entry == map.end()) return;
  if (const auto at = std::ranges::find(entry->second, value); at != entry->second.end())
    entry->second.erase(at);
  if (entry->second.empty()) map.erase(entry);
}

/// What a change raises; null stands for an object that is absent.
std::vector<Topic> raised_by(const ObjectSnapshot& old_snapshot, const api::ObjectPtr& before,
                             const ObjectSnapshot& snapshot, const api::ObjectPtr& after) {
  const Links old = before ? links_of(old_snapshot, *before) : Links(),
              now = after ? links_of(snapshot, *after) : Links();
  std::vector<Topic> topics = old.says;
  topics.insert(topics.end(), now.says.begin(), now.says.end());
  if (old.shows == now.shows) return topics;
  topics.insert(topics.end(), old.shows.begin(), old.shows.end());
  topics.insert(topics.end(), now.shows.begin(), now.shows.end());
  return topics;
}

}  // namespace

Topic topic(About about, std::string_view a, std::string_view b, std::string_view c) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t number = (static_cast<std::uint64_t>(about) + 1) * kMix;
  for (const std::string_view word : {a, b, c}) {
    number = (number ^ std::hash<std::string_view>()(word)) * kMix;
    number ^= number >> 32;
  }
  return Topic{number};
}

void tidy(std::vector<api::ObjectPtr>& objects) {
  std::ranges::sort(objects, kByName);
  const auto same = std::ranges::unique(objects);
  objects.erase(same.begin(), same.end());
}

void LinkIndex::follow(ObjectSnapshotPtr snapshot) {
  for (const api::KindInfo* kind : kinds::watched())
    for_each_change(*snapshot_, *snapshot, kind, [&](const auto& before, const auto& after) {
      if (before) remove(before);
      if (after) add(after, *snapshot);
    });
  snapshot_ = std::move(snapshot);
}

void LinkIndex::add(const api::ObjectPtr& object, const ObjectSnapshot& snapshot) {
  const Links links = links_of(snapshot, *object);
  for (const Topic each : links.asks) asking_[each].push_back(object);
  for (const auto& [when, then] : links.passes_on) passed_on_[when].push_back(then);
  for (const Topic each : links.found_by) {
    auto& list = found_[each];
    list.insert(std::ranges::upper_bound(list, object, kByName), object);
  }
}

void LinkIndex::remove(const api::ObjectPtr& object) {
  const Links links = links_of(*snapshot_, *object);
  for (const Topic each : links.asks) erase_one(asking_, each, object);
  for (const Topic each : links.found_by) erase_one(found_, each, object);
  for (const auto& [when, then] : links.passes_on) erase_one(passed_on_, when, then);
}

std::span<const api::ObjectPtr> LinkIndex::found(Topic topic) const {
  const auto entry = found_.find(topic);
  return entry == found_.end() ? std::span<const api::ObjectPtr>() : std::span(entry->second);
}

/// Who asks is looked up in the present snapshot alone: one that asks for something else now has changed
/// itself.
Scope LinkIndex::concerned(const ObjectSnapshot& before, std::span<const api::KindInfo* const> kinds) const {
  Scope scope;
  std::vector<Topic> topics;
  for (const api::KindInfo* kind : kinds)
    for_each_change(before, *snapshot_, kind, [&](const auto& old, const auto& now) {
      if (now) scope[kind].push_back(now);
      const std::vector<Topic> raised = raised_by(before, old, *snapshot_, now);
      topics.insert(topics.end(), raised.begin(), raised.end());
    });
  raise(std::move(topics), scope);
  for (auto& [kind, objects] : scope) tidy(objects);
  return scope;
}

void LinkIndex::raise(std::vector<Topic> topics, Scope& into) const {
  std::unordered_set<Topic> done;
  while (!topics.empty()) {
    const Topic next = topics.back();
    topics.pop_back();
    if (!done.insert(next).second) continue;
    if (const auto asking = asking_.find(next); asking != asking_.end())
      for (const api::ObjectPtr& object : asking->second) into[object->kind].push_back(object);
    if (const auto passed = passed_on_.find(next); passed != passed_on_.end())
      topics.insert(topics.end(), passed->second.begin(), passed->second.end());
  }
}

}  // namespace weft::control
