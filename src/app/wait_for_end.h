#pragma once

#include <chrono>

namespace weft::app {

/// Blocks until the process behind a pidfd has ended, at most `limit`: whether it has.
bool wait_for_end(int process_fd, std::chrono::milliseconds limit);

}  // namespace weft::app
