#include "xds/catalog.h"

#include <algorithm>

namespace weft::xds {
namespace {

/// Who refers to resources of this kind.
Type dependent_of(Type type) { return type == Type::kEndpoint ? Type::kCluster : Type::kListener; }
Type needed_by(Type dependent) { return dependent == Type::kCluster ? Type::kEndpoint : Type::kRoute; }

ResourcePtr find(const Catalog::Shelf& shelf, std::string_view name) {
  auto found = shelf.find(name);
  return found == shelf.end() ? nullptr : found->second;
}

template <class T>
void add_to(std::map<std::string, std::shared_ptr<const T>>& into, const Catalog::Shelf& shelf) {
  for (const auto& [name, resource] : shelf) into.emplace(name, resource->as<T>());
}

}  // namespace

Catalog::Catalog(const std::vector<ResourcePtr>& static_clusters,
                 const std::vector<ResourcePtr>& static_listeners) {
  for (const auto& cluster : static_clusters) statics_[index(Type::kCluster)].emplace(cluster->name, cluster);
  for (const auto& listener : static_listeners)
    statics_[index(Type::kListener)].emplace(listener->name, listener);
}

void Catalog::put(Type type, ResourcePtr resource) {
  refusals_[index(type)].erase(resource->name);
  accepted_[index(type)].insert_or_assign(resource->name, std::move(resource));
}

void Catalog::refuse(Type type, const std::string& name, Refusal refusal) {
  refusals_[index(type)].insert_or_assign(name, std::move(refusal));
}

void Catalog::keep_only(Type type, const std::set<std::string>& names) {
  std::erase_if(accepted_[index(type)], [&](const auto& entry) { return !names.contains(entry.first); });
  std::erase_if(refusals_[index(type)], [&](const auto& entry) { return !names.contains(entry.first); });
}

std::set<std::string> Catalog::wanted(Type type) const {
  std::set<std::string> names;
  const std::size_t from = index(dependent_of(type));
  for (const auto* shelves : {&statics_, &accepted_, &running_})
    for (const auto& [name, resource] : (*shelves)[from])
      for (const Need& need : resource->needs) names.insert(need.name);
  return names;
}

void Catalog::follow_references(TimePoint now) {
  for (Type type : {Type::kEndpoint, Type::kRoute}) {
    keep_only(type, wanted(type));
    auto& deadlines = deadlines_[index(type)];
    std::map<std::string, TimePoint, std::less<>> still;
    const std::size_t from = index(dependent_of(type));
    for (const auto* shelves : {&statics_, &accepted_})
      for (const auto& [name, resource] : (*shelves)[from])
        for (const Need& need : resource->needs) {
          if (has(type, need.name) || refusals_[index(type)].contains(need.name)) continue;
          auto before = deadlines.find(need.name);
          still[need.name] = before != deadlines.end()   ? before->second
                             : need.timeout.count() == 0 ? kNever
                                                         : now + need.timeout;
        }
    deadlines = std::move(still);
  }
}

bool Catalog::has(Type type, std::string_view name) const { return accepted_[index(type)].contains(name); }

bool Catalog::is_warm(Type dependent, const Resource& resource, TimePoint now) const {
  const Type type = needed_by(dependent);
  const auto& deadlines = deadlines_[index(type)];
  return std::ranges::all_of(resource.needs, [&](const Need& need) {
    if (has(type, need.name) || refusals_[index(type)].contains(need.name)) return true;
    auto deadline = deadlines.find(need.name);
    return deadline != deadlines.end() && deadline->second <= now;
  });
}

/// Of clusters or listeners: for each name the accepted one when it is warm, its predecessor otherwise.
/// Static ones cannot be replaced.
Catalog::Shelf Catalog::choose(Type type, TimePoint now) const {
  Shelf chosen;
  for (const auto* shelves : {&statics_, &accepted_})
    for (const auto& [name, resource] : (*shelves)[index(type)]) {
      ResourcePtr usable = is_warm(type, *resource, now) ? resource : find(running_[index(type)], name);
      if (usable) chosen.emplace(name, std::move(usable));
    }
  return chosen;
}

std::shared_ptr<const proxy::ClusterConfig> Catalog::join(const ResourcePtr& cluster) {
  const auto& plain = cluster->as<proxy::ClusterConfig>();
  if (cluster->needs.empty()) return plain;
  ResourcePtr endpoints = find(accepted_[index(Type::kEndpoint)], cluster->needs.front().name);
  if (!endpoints) return plain;
  Joined& joined = joined_[cluster->name];
  if (joined.cluster == cluster && joined.endpoints == endpoints) return joined.config;
  proxy::ClusterConfig made = *plain;
  made.endpoints = endpoints->as<proxy::Endpoints>();
  joined = {cluster, std::move(endpoints), std::make_shared<const proxy::ClusterConfig>(std::move(made))};
  return joined.config;
}

proxy::SnapshotPtr Catalog::build(TimePoint now) {
  next_[index(Type::kCluster)] = choose(Type::kCluster, now);
  next_[index(Type::kListener)] = choose(Type::kListener, now);
  next_[index(Type::kEndpoint)] = accepted_[index(Type::kEndpoint)];
  next_[index(Type::kRoute)] = accepted_[index(Type::kRoute)];
  if (built_ && next_ == running_) return nullptr;
  auto made = std::make_shared<proxy::Snapshot>();
  made->generation = ++generation_;
  std::erase_if(joined_,
                [&](const auto& entry) { return !next_[index(Type::kCluster)].contains(entry.first); });
  for (const auto& [name, cluster] : next_[index(Type::kCluster)])
    made->clusters.emplace(name, join(cluster));
  add_to(made->listeners, next_[index(Type::kListener)]);
  add_to(made->route_tables, next_[index(Type::kRoute)]);
  return made;
}

void Catalog::commit() {
  running_ = next_;
  built_ = true;
}

/// The data plane's errors name what they are about in quotes.
bool Catalog::blame(Type type, const std::string& reason, bool only_named, std::vector<Blamed>& blamed) {
  const Shelf& running = running_[index(type)];
  for (const auto& [name, resource] : next_[index(type)]) {
    if (find(running, name) == resource || is_static(type, name)) continue;
    if (only_named && reason.find("'" + name + "'") == reason.npos) continue;
    blamed.push_back({type, name});
    refuse(type, name, {reason, resource->version, resource->bytes, std::chrono::system_clock::now()});
  }
  return !blamed.empty();
}

std::vector<Catalog::Blamed> Catalog::reject(const std::string& reason) {
  std::vector<Blamed> blamed;
  constexpr std::array kSuspects = {Type::kListener, Type::kRoute, Type::kCluster, Type::kEndpoint};
  for (Type type : kSuspects)
    if (blame(type, reason, true, blamed)) break;
  if (blamed.empty())
    for (Type type : kSuspects)
      if (blame(type, reason, false, blamed)) break;
  for (const Blamed& one : blamed) {
    Shelf& accepted = accepted_[index(one.type)];
    if (ResourcePtr before = find(running_[index(one.type)], one.name))
      accepted.insert_or_assign(one.name, before);
    else
      accepted.erase(one.name);
  }
  return blamed;
}

TimePoint Catalog::next_deadline(TimePoint now) const {
  TimePoint next = kNever;
  for (const auto& deadlines : deadlines_)
    for (const auto& [name, deadline] : deadlines)
      if (deadline > now) next = std::min(next, deadline);
  return next;
}

bool Catalog::warming(TimePoint now) const {
  for (Type type : {Type::kCluster, Type::kListener})
    for (const auto* shelves : {&statics_, &accepted_})
      for (const auto& [name, resource] : (*shelves)[index(type)])
        if (!is_warm(type, *resource, now)) return true;
  return false;
}

}  // namespace weft::xds
