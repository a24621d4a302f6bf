#pragma once

#include <chrono>

#include "base/error.h"
#include "capture/redirection.h"

namespace weft::capture {

/// Makes a connection through the rules in the calling thread's network namespace, one per family, and looks
/// whether it arrives at the capture port with the destination that it was meant for (SO_ORIGINAL_DST).
///
/// A process with the sidecar's user or group dials 127.0.0.6:15002, which has to arrive inbound; any other
/// an address outside, of those that are captured, which has to arrive outbound and needs a route. Nothing
/// leaves the namespace when the rules are right. Errors: kUnavailable (no such connection, or a rule
/// failed), kConflict (a sidecar listens already).
Result<void> self_check(const Redirection& redirection, std::chrono::milliseconds timeout);

}  // namespace weft::capture
