#pragma once

#include <string>
#include <string_view>

#include "xds/bootstrap.h"
#include "xds/catalog.h"

namespace weft::xds {

/// The JSON of /config_dump, in Envoy's form: bootstrap, clusters, listeners, routes, and with "include_eds"
/// in `query` endpoints; each with its version, and what was rejected and why.
std::string config_dump(const Bootstrap& bootstrap, const Catalog& catalog, std::string_view query);

}  // namespace weft::xds
