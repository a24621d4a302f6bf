#pragma once

#include <memory>

#include "cli/options.h"
#include "net/loop.h"
#include "store/kubernetes/kubernetes_store.h"

namespace weft::cli {

/// The API server that the options name. A host name is resolved first, which blocks for at most 5 s. Errors:
/// no kubeconfig, no such context, what in it cannot be used.
Result<std::unique_ptr<store::KubernetesStore>> open_cluster(net::Loop& loop, const ClusterOptions& options);

}  // namespace weft::cli
