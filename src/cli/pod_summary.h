#pragma once

#include <string>

#include "api/object.h"

namespace weft::cli {

/// A pod in one line, as kubectl computes it: the STATUS column is the most telling reason there is, from the
/// phase over the containers' states to its deletion.
struct PodSummary {
  std::size_t ready = 0;  ///< containers, the sidecar among them
  std::size_t containers = 0;
  std::string status;  ///< "Running", "CrashLoopBackOff", "Terminating", "Init:0/1" ...
  long long restarts = 0;
  std::string last_restart;  ///< when the latest of them was, as a timestamp; empty when that is not known
};
PodSummary summarize_pod(const api::Json& pod);

}  // namespace weft::cli
