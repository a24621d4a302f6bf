#pragma once

#include <string>

#include "base/error.h"
#include "cli/state_directory.h"
#include "net/address.h"

namespace weft::cli {

/// The address of a running instance's API. While a supervisor is there and its control plane is just being
/// started again, this blocks for up to five seconds. Error: kRefused, naming `weft up`, when no instance
/// runs.
Result<net::Address> reach_instance(const StateDirectory& state, const std::string& instance);

/// What a command to type needs to mean this instance: " --name x"; nothing for the one that is meant
/// without, WEFT_INSTANCE or "default".
std::string name_option(const std::string& instance);
/// "running here: a, b (choose one with --name)", of the instances that keep their things beside this one's;
/// empty when none runs.
std::string running_instances(const StateDirectory& state);

}  // namespace weft::cli
