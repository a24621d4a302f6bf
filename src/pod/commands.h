#pragma once

#include <chrono>
#include <cstdint>

#include "base/error.h"

namespace weft::pod {

/// `weft proxy wait`: asks 127.0.0.1:`health_port` for /healthz/ready every 100 ms until it says 200. Blocks.
/// Error: kTimeout after `limit`, with what was heard last.
Result<void> wait_until_ready(std::uint16_t health_port, std::chrono::milliseconds limit);

/// `weft proxy drain`: tells the proxy at 127.0.0.1:`status_port` to drain. Returns when it has heard.
/// Errors: no response within 2 s, or another than 200.
Result<void> ask_to_drain(std::uint16_t status_port);

}  // namespace weft::pod
