#pragma once

#include <map>
#include <string>

#include "pod/environment.h"
#include "xds/bootstrap.h"

namespace weft::pod {

/// What a proxy in a pod starts from, made from its environment and its labels instead of from a file: who it
/// is, its admin page on 127.0.0.1, and everything else by ADS. An address for ADS is not in it; see
/// ControlLink.
Result<xds::Bootstrap> make_bootstrap(const Environment& environment,
                                      const std::map<std::string, std::string>& labels,
                                      std::uint16_t admin_port);

}  // namespace weft::pod
