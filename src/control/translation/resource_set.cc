#include "control/translation/resource_set.h"

#include <algorithm>

namespace weft::control {

std::string_view type_url(Type type) {
  switch (type) {
    case Type::kCluster: return "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    case Type::kEndpoint: return "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    case Type::kListener: return "type.googleapis.com/envoy.config.listener.v3.Listener";
    case Type::kRoute: return "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
  }
  return {};
}

std::string_view short_name(Type type) {
  constexpr std::array<std::string_view, kTypes> kNames = {"CDS", "EDS", "LDS", "RDS"};
  return kNames[index_of(type)];
}

bool same_resources(const Resources& a, const Resources& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && (x.second == y.second || x.second->bytes == y.second->bytes);
  });
}

}  // namespace weft::control
