#include "cli/on_a_cluster.h"

namespace weft::cli {

std::string on_a_cluster(const Command& command) {
  const std::string begin = "For a mesh on a cluster: ";
  if (std::holds_alternative<ProxyStatusOptions>(command))
    return begin +
           "kubectl -n weft-system port-forward deployment/weft-control 15019, "
           "then curl http://127.0.0.1:15019/weft/v1/proxies";
  if (std::holds_alternative<ProxyConfigOptions>(command))
    return begin + "kubectl port-forward pod/POD 15000, then curl http://127.0.0.1:15000/config_dump";
  return begin + "the same with 'kubectl' in place of 'weft'";
}

}  // namespace weft::cli
