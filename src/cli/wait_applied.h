#pragma once

#include <chrono>
#include <cstdint>

#include "cli/command.h"

namespace weft::cli {

/// Waits until every proxy concerned runs a configuration made from `version` or later, and says on standard
/// error which rejected it and why, or which has not confirmed within `timeout`: kFailed then. A control
/// plane that cannot be asked (another API) counts as kDone. What controllers failed to write counts when it
/// comes of a version from `since` on; 0: from `version` on. Errors: the connection's.
net::Task<CommandResult> wait_until_applied(const Context& context, std::uint64_t version,
                                            std::chrono::seconds timeout, std::uint64_t since = 0);

/// Gives controllers and proxies up to `timeout` to do with `version` what they do, whatever becomes of it.
net::Task<void> let_settle(const Context& context, std::uint64_t version, std::chrono::seconds timeout);

/// The version of everything that is stored now; 0 when the store does not say.
net::Task<std::uint64_t> present_version(const Context& context);

}  // namespace weft::cli
