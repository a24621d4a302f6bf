#include "proxy/upstream/cluster_set.h"

#include <utility>

namespace weft::proxy {

std::shared_ptr<UpstreamCluster> ClusterSet::make(const CompiledCluster& from) {
  return std::make_shared<UpstreamCluster>(loop_, random_, dns_, connector_, from);
}

std::shared_ptr<UpstreamCluster> ClusterSet::find(std::string_view name) {
  if (const auto found = made_.find(name); found != made_.end()) return found->second.cluster;
  CompiledClusterPtr from = list_.find(name);
  if (!from) return nullptr;
  auto made = make(*from);
  made_.emplace(name, Made{made, std::move(from)});
  return made;
}

void ClusterSet::update(const CompiledClusters& now) {
  if (list_.is_shared_with(now.list())) return;
  const List before = std::exchange(list_, now.list());
  update_made();
  for (const CompiledClusterPtr& named : now.by_name()) {
    if (made_.contains(named->name())) continue;
    const auto made = make(*named);
    if (const CompiledClusterPtr old = before.find(named->name())) made->begin_with_endpoints_of(*make(*old));
    made_.emplace(named->name(), Made{made, named});
  }
}

void ClusterSet::update_made() {
  for (auto each = made_.begin(); each != made_.end();) {
    const CompiledClusterPtr now = list_.find(each->first);
    if (!now) {
      each = made_.erase(each);
      continue;
    }
    Made& made = (each++)->second;
    if (made.from == now) continue;
    if (made.cluster->can_become(*now->config)) {
      made.cluster->update(*now);
    } else {
      const auto old = std::exchange(made.cluster, make(*now));
      made.cluster->begin_with_endpoints_of(*old);
    }
    made.from = now;
  }
}

}  // namespace weft::proxy
