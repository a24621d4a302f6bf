#pragma once

#include <string>

#include "base/error.h"

namespace weft::cli {

/// The process that was started with a bootstrap in `pod_directory`, by /proc. Error: kNotFound.
Result<int> find_sidecar(const std::string& pod_directory);

/// GET http://127.0.0.1:15000`path` inside the network namespace of `pid`: a child process enters it, asks,
/// and hands the answer back, so the caller stays where it is. Blocks for at most ten seconds. Errors:
/// kDenied without the right to enter; what the request failed with; kUnavailable for an answer other than
/// 200.
Result<std::string> ask_sidecar(int pid, const std::string& path);

}  // namespace weft::cli
