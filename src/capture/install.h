#pragma once

#include "base/error.h"
#include "capture/redirection.h"

namespace weft::capture {

/// Sets the rules in the calling thread's network namespace, all or none, in place of those of an earlier
/// call; with IPv6, lo gets the address ::6, from which the sidecar connects to its application. Blocks until
/// the kernel has replied. Needs CAP_NET_ADMIN there. Errors: kDenied, kUnsupported (a kernel without
/// nf_tables nat), kTooLarge, kInternal.
Result<void> install(const Redirection& redirection);

/// Takes away everything that install() set, also when there is nothing. Errors as above.
Result<void> remove();

}  // namespace weft::capture
