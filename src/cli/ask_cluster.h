#pragma once

#include "cli/cluster_facts.h"
#include "net/task.h"
#include "store/kubernetes/kubernetes_store.h"

namespace weft::cli {

net::Task<Result<ClusterFacts>> ask_cluster(store::KubernetesStore& cluster);

/// Asks the cluster that kubectl would speak with; about 2 s at most. Errors: as AskCluster says.
Result<ClusterFacts> ask_current_cluster();

}  // namespace weft::cli
