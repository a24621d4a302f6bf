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
  const Inputs& inputs;
  const ProxyIdentity& proxy;
  std::string gateway;     ///< kMesh or "namespace/name"
  std::uint16_t port = 0;  ///< that the request was sent to
};

/// Adds the rule's HTTP routes that hold in `scope`, in order.
void add_rule_routes(envoy::config::route::v3::VirtualHost& into, const VirtualService& rule,
                     const RouteScope& scope);
/// One route from a match and an HTTPRoute of a VirtualService, both as its spec writes them; whether the
/// match holds in `scope` is not asked.
envoy::config::route::v3::Route& add_http_route(envoy::config::route::v3::VirtualHost& into,
                                                const api::Json& match, const api::Json& http,
                                                const VirtualService& rule, const RouteScope& scope);
/// One route for everything to a cluster; `operation` is "<host>:<port>".
void add_plain_route(envoy::config::route::v3::VirtualHost& into, const std::string& cluster,
                     const std::string& operation);
/// Points the TCP proxy to where the first of the rule's TCP routes that holds in `scope` says. False when
/// none does.
bool set_tcp_destination(envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy& into,
                         const VirtualService& rule, const RouteScope& scope);

/// The same of one TCP route, as the rule's spec writes it; whether it holds in `scope` is not asked.
void set_tcp_route(envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy& into, const api::Json& tcp,
                   const VirtualService& rule, const RouteScope& scope);

/// The cluster a rule's destination {host, subset, port} means; `rule_ns` completes a short host. It need not
/// exist: requests get 503 then.
std::string destination_cluster(const api::Json& destination, std::string_view rule_ns,
                                const RouteScope& scope);
/// The port a destination without one means: the service's only one, else the one the request was sent to.
std::uint16_t destination_port(const api::Json& destination, const Service* service, std::uint16_t requested);

/// What every route table of ours says: unknown clusters answer 503 and the port in Host does not matter.
void set_route_table_options(envoy::config::route::v3::RouteConfiguration& table, const std::string& name);

}  // namespace weft::control
