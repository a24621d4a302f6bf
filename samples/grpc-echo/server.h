#pragma once

#include <string>

namespace echo {

/// Serves Echo on `port` of every address until SIGTERM or SIGINT; calls in progress then have five seconds.
/// Returns the program's exit status.
int serve(int port, const std::string& version);

}  // namespace echo
