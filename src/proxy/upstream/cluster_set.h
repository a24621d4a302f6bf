#pragma once

#include <memory>
#include <string_view>

#include "base/random.h"
#include "net/dns_resolver.h"
#include "proxy/routing/string_map.h"
#include "proxy/upstream/compiled_clusters.h"
#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

/// The clusters of one worker with their pools. A mesh has many clusters, and a worker has requests for few:
/// a cluster is made when it is asked for first. A cluster with names for addresses is made at once, so that
/// they are resolved before they are needed.
///
/// Owner: the worker; `loop` and `random` must outlive it. Thread: the loop's.
class ClusterSet {
 public:
  using List = NamedList<CompiledCluster>;

  ClusterSet(net::Loop& loop, Random& random, Connector connector)
      : loop_(loop), random_(random), dns_(loop), connector_(std::move(connector)) {}

  /// Goes by `now` from here on. A cluster that stays the same keeps its pools, one that changes in a way
  /// that they cannot follow is made again, and one that is gone ends with its last request.
  void update(const CompiledClusters& now);
  /// Null when there is no such cluster.
  std::shared_ptr<UpstreamCluster> find(std::string_view name);
  /// Calls visit(compiled, made) for each cluster there is; `made` is null where it has not been asked for.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const CompiledClusterPtr& each : list_) {
      const auto made = made_.find(each->name());
      visit(*each, made == made_.end() ? nullptr : made->second.cluster.get());
    }
  }
  /// Ends every pool.
  void clear() { made_.clear(); }

 private:
  struct Made {
    std::shared_ptr<UpstreamCluster> cluster;
    CompiledClusterPtr from;
  };
  std::shared_ptr<UpstreamCluster> make(const CompiledCluster& from);
  void update_made();

  net::Loop& loop_;
  Random& random_;
  net::DnsResolver dns_;
  Connector connector_;
  List list_;
  StringMap<Made> made_;
};

}  // namespace weft::proxy
