#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "proxy/config.h"
#include "proxy/named_list.h"
#include "proxy/upstream/places.h"

namespace weft::proxy {

/// A cluster as all workers see it. Immutable but for the usage, which they count in.
struct CompiledCluster {
  std::shared_ptr<const ClusterConfig> config;
  std::shared_ptr<const Endpoints> endpoints;  ///< that it begins with; null: none have come, or it asks DNS
  std::shared_ptr<ClusterUsage> usage;         ///< of the name, whatever becomes of the configuration
  std::string_view name() const { return config->name; }
};
using CompiledClusterPtr = std::shared_ptr<const CompiledCluster>;

/// The clusters of a snapshot. One that has not changed is the same object as in the snapshot before, which
/// is how workers see what they have nothing to do with. Immutable; any thread.
class CompiledClusters {
 public:
  /// Those of `next`, which comes after this one.
  CompiledClusters changed_to(const Snapshot& next) const;

  const NamedList<CompiledCluster>& list() const { return list_; }
  /// Those whose endpoints are found by DNS: they ask before the first request comes.
  const std::vector<CompiledClusterPtr>& by_name() const { return by_name_; }

 private:
  bool change_endpoints(const NamedList<Endpoints>& next);
  void find_all(const Snapshot& next);

  NamedList<ClusterConfig> configs_;  ///< that the list was made of
  NamedList<Endpoints> endpoints_;
  NamedList<CompiledCluster> list_;
  std::vector<CompiledClusterPtr> by_name_;
};

/// Whether a cluster's endpoints are addresses of names.
inline bool is_by_name(const ClusterConfig& config) {
  return config.discovery == ClusterConfig::Discovery::kStrictDns ||
         config.discovery == ClusterConfig::Discovery::kLogicalDns;
}

/// Its name in counters.
inline std::string_view stat_name_of(const ClusterConfig& config) {
  return config.alt_stat_name.empty() ? config.name : std::string_view(config.alt_stat_name);
}

}  // namespace weft::proxy
