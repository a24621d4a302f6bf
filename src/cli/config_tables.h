#pragma once

#include <string>

#include "api/json.h"
#include "cli/options.h"

namespace weft::cli {

/// The resources of one kind that a config dump in Envoy's form holds, static ones first, without their
/// versions.
api::Json resources_of(const api::Json& dump, ProxyConfigOptions::What what);

/// They as a table, one line per listener, route, cluster or endpoint.
std::string config_table(const api::Json& resources, ProxyConfigOptions::What what);

}  // namespace weft::cli
