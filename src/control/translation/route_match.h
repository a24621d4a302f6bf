#pragma once

#include <string_view>

#include "api/istio/virtual_service.h"

namespace envoy::config::route::v3 {
class Route;
class RouteMatch;
}  // namespace envoy::config::route::v3

namespace weft::control {

/// What a match asks of a request.
void set_route_match(envoy::config::route::v3::RouteMatch& into, const api::istio::RequestMatch& match);
/// rewrite.uri: what the matched part of the path becomes; the match must have been set, and the action be a
/// route.
void set_path_rewrite(envoy::config::route::v3::Route& made, std::string_view uri);
/// Catches every request of its virtual host, so that nothing after it is ever reached.
bool is_catch_all(const envoy::config::route::v3::RouteMatch& match);
}  // namespace weft::control
