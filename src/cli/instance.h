#pragma once

#include "base/error.h"
#include "cli/state_directory.h"
#include "net/address.h"

namespace weft::cli {

/// The address of a running instance's API. While a supervisor is there and its control plane is just being
/// started again, this blocks for up to five seconds. Error: kRefused, naming `weft up`, when no instance
/// runs.
Result<net::Address> reach_instance(const StateDirectory& state, const std::string& instance);

}  // namespace weft::cli
