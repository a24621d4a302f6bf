#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace weft::local {

/// Process 1 of an instance: namespaces, control plane, pods. Its end is the end of everything it started.
///
/// Owner: app's supervise_main. Thread: the calling one, for as long as run() takes.
class Supervisor {
 public:
  struct Options {
    std::string state_dir, weft_program, proxy_program, bookinfo_program;
    std::vector<std::string> images;
    std::string ingress;  ///< where the ingress socket listens, for the record
    int ingress_fd = -1;
    int lifeline_fd = -1;  ///< it exits when the other end of this pipe closes without a 'd' (detach) before
    int report_fd = -1;    ///< "ready" or "error: …" is written here
  };
  /// Runs until it is told to stop. Error: it could not start.
  static Result<void> run(const Options& options);
};

}  // namespace weft::local
