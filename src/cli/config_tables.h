#pragma once

#include <string>

#include "api/json.h"
#include "cli/options.h"

namespace weft::cli {

/// The resources of one kind that a config dump in Envoy's form holds, static ones first, without their
/// versions.
api::Json resources_of(const api::Json& dump, ProxyConfigOptions::What what);

/// What --name, --port and --fqdn ask for; empty: everything.
struct ConfigFilter {
  std::string name;  ///< of a listener, a route configuration, a cluster
  std::string port;  ///< of a listener's address, a route configuration's or a cluster's name
  std::string fqdn;  ///< a service's full name, or its first part
};
/// Those that the filter lets through, clusters in the order of their service, port and subset.
api::Json filtered(const api::Json& resources, ProxyConfigOptions::What what, const ConfigFilter& filter);

/// They as a table, one line per listener, route, cluster or endpoint.
std::string config_table(const api::Json& resources, ProxyConfigOptions::What what);

}  // namespace weft::cli
