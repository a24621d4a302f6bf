#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/translation/route_builder.h"

namespace weft::control {

/// The routes of all HTTPRoutes at the Gateway's listeners with this port, by domain, each list in the order
/// that the Gateway API gives to matches: exact paths, then the longest prefix, regular expressions, then
/// those with a method, with more headers, with more query parameters, of older routes. Every listener's own
/// host is there, if only to respond with 404: no other listener's routes are for it.
std::map<std::string, std::vector<envoy::config::route::v3::Route>> api_routes(const ApiGateway& gateway,
                                                                               const RouteScope& scope);

/// The routes that one match of one rule of `from` becomes.
std::vector<envoy::config::route::v3::Route> api_rule_routes(const ApiRoute& from,
                                                             const api::gateway_api::RouteRule& rule,
                                                             const api::gateway_api::RouteMatch& match,
                                                             const RouteScope& scope);

}  // namespace weft::control
