#pragma once

#include <optional>
#include <string>

#include "control/translation/resource_set.h"

namespace weft::control {

/// What a form of a resource is called on a stream. Those of one name with different bytes have different
/// ones.
std::string version_of(const Resource& resource);

/// A weft.xds.v1.RouteTableChange that makes `after` of `before`, for a client that understands it; nullopt
/// where it would not be much shorter than `after` itself, or the two are no tables made of virtual hosts.
std::optional<std::string> change_of_table(const Resource& before, const Resource& after);

}  // namespace weft::control
