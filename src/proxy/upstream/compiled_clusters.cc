#include "proxy/upstream/compiled_clusters.h"

#include <unordered_map>

namespace weft::proxy {

CompiledClusters CompiledClusters::changed_to(const Snapshot& next) const {
  CompiledClusters made = *this;
  const bool same_clusters = configs_ == next.clusters;
  if (!same_clusters || !made.change_endpoints(next.endpoints)) made.find_all(next);
  made.configs_ = next.clusters;
  made.endpoints_ = next.endpoints;
  return made;
}

/// The way of most changes: some endpoints stand in the places of others with their names, and whose they are
/// is known. False: others have come or gone.
bool CompiledClusters::change_endpoints(const NamedList<Endpoints>& next) {
  if (endpoints_ == next) return true;
  if (endpoints_.size() != next.size()) return false;
  std::unordered_map<const Endpoints*, std::shared_ptr<const Endpoints>> changes;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const auto &before = endpoints_.items()[i], &now = next.items()[i];
    if (before == now) continue;
    if (before->name != now->name) return false;
    changes.emplace(before.get(), now);
  }
  NamedList<CompiledCluster>::Items changed;
  for (const CompiledClusterPtr& each : list_) {
    if (!each->endpoints) continue;
    const auto found = changes.find(each->endpoints.get());
    if (found == changes.end()) continue;
    changed.push_back(
        std::make_shared<const CompiledCluster>(CompiledCluster{each->config, found->second, each->usage}));
  }
  list_.put_all(std::move(changed));
  return true;
}

void CompiledClusters::find_all(const Snapshot& next) {
  NamedList<CompiledCluster>::Items all;
  all.reserve(next.clusters.size());
  by_name_.clear();
  for (const auto& config : next.clusters) {
    CompiledClusterPtr known = list_.find(config->name);
    auto endpoints = next.endpoints_of(*config);
    if (!known || known->config != config || known->endpoints != endpoints)
      known = std::make_shared<const CompiledCluster>(CompiledCluster{
          config, std::move(endpoints), known ? known->usage : std::make_shared<ClusterUsage>()});
    if (is_by_name(*config)) by_name_.push_back(known);
    all.push_back(std::move(known));
  }
  list_ = NamedList<CompiledCluster>::of_sorted(std::move(all));
}

}  // namespace weft::proxy
