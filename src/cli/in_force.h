#pragma once

#include <chrono>
#include <cstdint>

#include "cli/command.h"

namespace weft::cli {

/// Waits until every proxy concerned runs a configuration made from `version` or later, and says on standard
/// error who refused it and why, or who has not confirmed within `timeout`: kFailed then. A control plane
/// that cannot be asked (another API) counts as kDone. Errors: the connection's.
net::Task<CommandResult> wait_until_in_force(const Context& context, std::uint64_t version,
                                             std::chrono::seconds timeout);

}  // namespace weft::cli
