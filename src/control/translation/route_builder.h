#pragma once

#include <string>

#include "control/translation/translate.h"

namespace envoy::config::route::v3 {
class Route;
class VirtualHost;
class RouteConfiguration;
}  // namespace envoy::config::route::v3
namespace envoy::extensions::filters::network::tcp_proxy::v3 {
class TcpProxy;
}

namespace weft::control {

/// Where a rule is being applied: for whom, on which gateway, at which port.
struct RouteScope {
  const PushContext& push;
  const ProxyIdentity& proxy;
  std::string gateway;     ///< kMesh or "namespace/name"
  std::uint16_t port = 0;  ///< that the request was sent to
  Approach approach() const { return {gateway, port, proxy.labels}; }
};

/// Adds the rule's HTTP routes that hold in `scope`, in order.
void add_rule_routes(envoy::config::route::v3::VirtualHost& into, const VirtualService& rule,
                     const RouteScope& scope);
/// One route from a match and an HTTP route of `owner`; whether the match holds in `scope` is not asked.
envoy::config::route::v3::Route& add_http_route(envoy::config::route::v3::VirtualHost& into,
                                                const api::istio::RequestMatch& match,
                                                const api::istio::HttpRoute& http, const api::Object& owner,
                                                const RouteScope& scope);
/// One route for everything to a cluster; `operation` is "<host>:<port>".
void add_plain_route(envoy::config::route::v3::VirtualHost& into, const std::string& cluster,
                     const std::string& operation);
/// Points the TCP proxy to where the first of the rule's TCP routes that holds in `scope` says. False when
/// none does.
bool set_tcp_destination(envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy& into,
                         const VirtualService& rule, const RouteScope& scope);

/// The same of one TCP route of a rule in `rule_ns`; whether it holds in `scope` is not asked.
void set_tcp_route(envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy& into,
                   const api::istio::TcpRoute& tcp, std::string_view rule_ns, const RouteScope& scope);

/// The cluster a rule's destination means; `rule_ns` completes a short host. It need not exist: requests get
/// 503 then.
std::string destination_cluster(const api::istio::Destination& destination, std::string_view rule_ns,
                                const RouteScope& scope);

/// What every route table of ours says: unknown clusters draw 503 and the port in Host does not matter.
void set_route_table_options(envoy::config::route::v3::RouteConfiguration& table, const std::string& name);

}  // namespace weft::control
