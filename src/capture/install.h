#pragma once

#include "base/error.h"
#include "capture/redirection.h"

namespace weft::capture {

/// Sets the rules in the calling thread's network namespace, all or none; blocks until the kernel has
/// answered. Needs CAP_NET_ADMIN there. Errors: kDenied, kUnsupported (a kernel without nf_tables nat),
/// kInternal.
Result<void> install(const Redirection& redirection);

}  // namespace weft::capture
