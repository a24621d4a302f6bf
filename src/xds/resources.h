#pragma once

#include <memory>
#include <string>

#include "proxy/config.h"

namespace envoy::config {
namespace listener::v3 { class Listener; }
namespace route::v3 { class RouteConfiguration; }
namespace cluster::v3 { class Cluster; }
namespace endpoint::v3 { class ClusterLoadAssignment; }
}  // namespace envoy::config

/// Envoy resources → the plain structs that the data plane runs on. Pure; any thread. What is understood and not done
/// is refused with the field's path (kUnsupported); what is wrong, too (kInvalid).
namespace weft::xds {

/// `where` begins the paths of errors, e.g. "static_resources.listeners[0]" or "listener 'virtualInbound'".
Result<std::shared_ptr<const proxy::ListenerConfig>> to_listener(const envoy::config::listener::v3::Listener& from, std::string where);
Result<std::shared_ptr<const proxy::RouteTable>> to_route_table(const envoy::config::route::v3::RouteConfiguration& from, std::string where);
Result<std::shared_ptr<const proxy::ClusterConfig>> to_cluster(const envoy::config::cluster::v3::Cluster& from, std::string where);
Result<std::shared_ptr<const proxy::Endpoints>> to_endpoints(const envoy::config::endpoint::v3::ClusterLoadAssignment& from, std::string where);

}  // namespace weft::xds
