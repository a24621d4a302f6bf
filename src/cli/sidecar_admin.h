#pragma once

#include <string>

#include "base/error.h"
#include "base/time.h"

namespace weft::cli {

/// The process that was started with a bootstrap in `pod_directory`, by /proc. Error: kNotFound.
Result<int> find_sidecar(const std::string& pod_directory);

struct AdminRequest {
  std::string path;
  std::string method = "GET";
  Duration limit = std::chrono::seconds(10);  ///< from its first byte to the last of the response
};

/// Sends the request to http://127.0.0.1:15000 inside the network namespace of `pid`: a child process enters
/// it, asks, and hands the response's body back, so the caller stays where it is. Blocks. Errors: kDenied
/// without the right to enter; what the request failed with; kUnavailable for a status other than 200.
Result<std::string> ask_sidecar(int pid, const AdminRequest& request);

}  // namespace weft::cli
