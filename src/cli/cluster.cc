#include "cli/cluster.h"

namespace weft::cli {

Result<std::unique_ptr<store::KubernetesStore>> open_cluster(net::Loop& loop, const ClusterOptions& options) {
  store::AccessOptions wanted;
  wanted.kubeconfig = options.kubeconfig;
  wanted.context = options.context;
  WEFT_TRY(store::ClusterAccess access, store::find_cluster_access(wanted));
  return store::KubernetesStore::open(loop, std::move(access));
}

}  // namespace weft::cli
