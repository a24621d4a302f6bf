#include "proxy/config.h"

namespace weft::proxy {

std::shared_ptr<const Endpoints> Snapshot::endpoints_of(const ClusterConfig& cluster) const {
  if (cluster.endpoints || cluster.discovery != ClusterConfig::Discovery::kEds) return cluster.endpoints;
  return endpoints.find(cluster.eds_name.empty() ? cluster.name : std::string_view(cluster.eds_name));
}

}  // namespace weft::proxy
