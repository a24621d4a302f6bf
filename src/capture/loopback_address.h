#pragma once

#include "base/error.h"

namespace weft::capture {

/// Gives lo the address ::6, from which the sidecar connects to its application over IPv6; of IPv4 every
/// 127.0.0.6 is there already. Once more changes nothing. Errors: kDenied, kUnsupported (IPv6 is off).
Result<void> add_loopback_address();
/// Takes it away, also when it is not there.
Result<void> remove_loopback_address();

}  // namespace weft::capture
