#include "xds/catalog.h"

#include <algorithm>

namespace weft::xds {
namespace {

template <class T>
void add_to(std::map<std::string, std::shared_ptr<const T>>& into, const Catalog::ResourceList& resources) {
  for (const ResourcePtr& resource : resources) into.emplace(resource->name(), resource->as<T>());
}

}  // namespace

void Names::add(const proxy::NamedList<Resource>& resources, Type type) {
  for (const ResourcePtr& resource : resources)
    for (const Need& need : resource->needs)
      if (need.type == type) list_.push_back(resource->name_of(need));
  owners_.push_back(resources);
}

void Names::sort() {
  std::ranges::sort(list_);
  list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
  list_.shrink_to_fit();
}

Catalog::Catalog(const std::vector<ResourcePtr>& static_clusters,
                 const std::vector<ResourcePtr>& static_listeners) {
  of(Type::kCluster).statics.put_all(static_clusters);
  of(Type::kListener).statics.put_all(static_listeners);
}

void Catalog::put(Type type, std::vector<ResourcePtr> resources) {
  OfType& mine = of(type);
  for (const ResourcePtr& resource : resources) confirm(type, resource->name());
  const std::size_t before = mine.accepted.size();
  mine.accepted.put_all(std::move(resources));
  if (mine.accepted.size() != before) changed(type);
}

void Catalog::confirm(Type type, std::string_view name) {
  Rejections& rejections = of(type).rejections;
  if (const auto found = rejections.find(name); found != rejections.end()) {
    rejections.erase(found);
    changed(type);
  }
}

void Catalog::reject(Type type, std::string_view name, Rejection rejection) {
  of(type).rejections.insert_or_assign(std::string(name), std::move(rejection));
  changed(type);
}

void Catalog::keep_only(Type type, const NameSet& names) {
  auto next = names.begin();
  // Both are sorted.
  const std::size_t gone = of(type).accepted.erase_if([&](const Resource& resource) {
    while (next != names.end() && *next < resource.name()) ++next;
    return next == names.end() || *next != resource.name();
  });
  const std::size_t forgotten =
      std::erase_if(of(type).rejections, [&](const auto& entry) { return !names.contains(entry.first); });
  if (gone + forgotten > 0) changed(type);
}

void Catalog::drop(Type type, const NameSet& names) {
  if (names.empty()) return;
  const std::size_t gone =
      of(type).accepted.erase_if([&](const Resource& resource) { return names.contains(resource.name()); });
  const std::size_t forgotten =
      std::erase_if(of(type).rejections, [&](const auto& entry) { return names.contains(entry.first); });
  if (gone + forgotten > 0) changed(type);
}

Catalog::NamesPtr Catalog::wanted(Type type) const {
  std::vector<ResourceList> lists;
  for (const ResourceType& row : kResourceTypes) {
    if (!row.needs.contains(type)) continue;
    const OfType& dependent = of(row.type);
    lists.insert(lists.end(), {dependent.statics, dependent.accepted, dependent.running});
  }
  const OfType& mine = of(type);
  const auto shared = [](const ResourceList& a, const ResourceList& b) { return a.is_shared_with(b); };
  if (mine.wanted && std::ranges::equal(lists, mine.wanted_by, shared)) return mine.wanted;
  auto names = std::make_shared<Names>();
  for (std::size_t i = 0; i < lists.size(); ++i)
    if (i == 0 || !lists[i].is_shared_with(lists[i - 1])) names->add(lists[i], type);
  names->sort();
  mine.wanted = std::move(names);
  mine.wanted_by = std::move(lists);
  return mine.wanted;
}

void Catalog::follow_references(TimePoint now) {
  for (const ResourceType& row : kResourceTypes)
    if (!row.complete) follow(row.type, now);
}

void Catalog::follow(Type type, TimePoint now) {
  OfType& mine = of(type);
  const NamesPtr names = wanted(type);
  if (names == mine.followed && mine.followed_changes == changes_[index_of(type)]) return;
  keep_only(type, NameSet(names->list().begin(), names->list().end()));
  std::map<std::string, TimePoint, std::less<>> still;
  for (const ResourceType& row : kResourceTypes)
    for (const ResourceList* resources : {&of(row.type).statics, &of(row.type).accepted})
      for (const ResourcePtr& resource : *resources)
        for (const Need& need : resource->needs) {
          const std::string name(resource->name_of(need));
          if (need.type != type || is_known(type, name)) continue;
          const auto before = mine.deadlines.find(name);
          still[name] = before != mine.deadlines.end() ? before->second
                        : need.timeout.count() == 0    ? kNever
                                                       : now + need.timeout;
        }
  mine.deadlines = std::move(still);
  mine.followed = names;
  mine.followed_changes = changes_[index_of(type)];
}

/// It is there, or was rejected and will not come.
bool Catalog::is_known(Type type, std::string_view name) const {
  return of(type).accepted.contains(name) || of(type).rejections.contains(name);
}

bool Catalog::is_warm(const Resource& resource, TimePoint now) const {
  return std::ranges::all_of(resource.needs, [&](const Need& need) {
    const std::string_view name = resource.name_of(need);
    if (is_known(need.type, name)) return true;
    const auto& deadlines = of(need.type).deadlines;
    const auto deadline = deadlines.find(name);
    return deadline != deadlines.end() && deadline->second <= now;
  });
}

/// Whether all were warm when they were chosen last, and nothing has come or gone since. What waits depends
/// on the time.
bool Catalog::is_up_to_date(Type type) const {
  const Choice& choice = of(type).choice;
  if (!choice.all_warm || !choice.from.is_shared_with(of(type).accepted)) return false;
  return std::ranges::all_of(kAllTypes, [&](Type needed) {
    const std::size_t i = index_of(needed);
    return !row_of(type).needs.contains(needed) || choice.changes[i] == changes_[i];
  });
}

/// For each name the accepted one when it is warm, its predecessor otherwise. Static ones cannot be replaced.
const Catalog::ResourceList& Catalog::choose(Type type, TimePoint now) {
  OfType& mine = of(type);
  if (row_of(type).needs.empty()) return mine.accepted;
  Choice& choice = mine.choice;
  if (is_up_to_date(type)) return choice.chosen;
  ResourceList all = mine.accepted;
  all.put_all(mine.statics.items());
  choice.all_warm = true;
  ResourceList::Items usable;
  usable.reserve(all.size());
  for (const ResourcePtr& resource : all) {
    const bool warm = is_warm(*resource, now);
    choice.all_warm = choice.all_warm && warm;
    ResourcePtr chosen = warm ? resource : mine.running.find(resource->name());
    if (chosen) usable.push_back(std::move(chosen));
  }
  choice.chosen = choice.all_warm ? std::move(all) : ResourceList::of_sorted(std::move(usable));
  choice.from = mine.accepted;
  choice.changes = changes_;
  return choice.chosen;
}

/// A value that is there already is not looked for in its resource.
template <class T>
void Catalog::Values<T>::follow(const ResourceList& resources) {
  if (of.is_shared_with(resources)) return;
  typename proxy::NamedList<T>::Items items;
  items.reserve(resources.size());
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const bool same = i < of.size() && of.items()[i] == resources.items()[i];
    items.push_back(same ? list.items()[i] : resources.items()[i]->template as<T>());
  }
  list = proxy::NamedList<T>::of_sorted(std::move(items));
  of = resources;
}

proxy::SnapshotPtr Catalog::build(TimePoint now) {
  bool same = built_;
  for (const Type type : kAllTypes) {
    of(type).next = choose(type, now);
    same = same && of(type).next == of(type).running;
  }
  if (same) return nullptr;
  auto made = std::make_shared<proxy::Snapshot>();
  made->generation = ++generation_;
  clusters_.follow(of(Type::kCluster).next);
  endpoints_.follow(of(Type::kEndpoint).next);
  made->clusters = clusters_.list;
  made->endpoints = endpoints_.list;
  add_to(made->listeners, of(Type::kListener).next);
  add_to(made->route_tables, of(Type::kRoute).next);
  return made;
}

void Catalog::commit() {
  for (OfType& each : types_) each.running = each.next;
  built_ = true;
}

/// The data plane's errors name what they are about in quotes.
bool Catalog::blame(Type type, const std::string& reason, bool only_named, std::vector<Blamed>& blamed) {
  const ResourceList& running = of(type).running;
  for (const ResourcePtr& resource : of(type).next) {
    const std::string name(resource->name());
    if (running.find(name) == resource || is_static(type, name)) continue;
    if (only_named && reason.find("'" + name + "'") == reason.npos) continue;
    const bool replaced = of(type).accepted.find(name) != resource;
    blamed.push_back({type, name, replaced});
    if (!replaced)
      reject(type, name, {reason, std::string(resource->version()), std::chrono::system_clock::now()});
  }
  return !blamed.empty();
}

std::vector<Catalog::Blamed> Catalog::reject(const std::string& reason) {
  std::vector<Blamed> blamed;
  for (Type type : kSuspects)
    if (blame(type, reason, true, blamed)) break;
  if (blamed.empty())
    for (Type type : kSuspects)
      if (blame(type, reason, false, blamed)) break;
  for (const Blamed& one : blamed) {
    ResourceList& accepted = of(one.type).accepted;
    changed(one.type);
    if (one.replaced) continue;
    if (ResourcePtr before = of(one.type).running.find(one.name))
      accepted.put(std::move(before));
    else
      accepted.erase(one.name);
  }
  return blamed;
}

TimePoint Catalog::next_deadline(TimePoint now) const {
  TimePoint next = kNever;
  for (const OfType& each : types_)
    for (const auto& [name, deadline] : each.deadlines)
      if (deadline > now) next = std::min(next, deadline);
  return next;
}

bool Catalog::warming(TimePoint now) const {
  return std::ranges::any_of(kAllTypes, [&](Type type) {
    if (row_of(type).needs.empty() || is_up_to_date(type)) return false;
    const auto waits = [&](const ResourcePtr& resource) { return !is_warm(*resource, now); };
    const auto of_use_and_waits = [&](const ResourcePtr& resource) {
      return waits(resource) && !is_static(type, resource->name());
    };
    return std::ranges::any_of(of(type).statics, waits) ||
           std::ranges::any_of(of(type).accepted, of_use_and_waits);
  });
}

}  // namespace weft::xds
