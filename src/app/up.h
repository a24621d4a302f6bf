#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/loop.h"
#include "net/socket.h"

namespace weft::app {

/// What `weft up` starts an instance with.
struct StartOptions {
  std::string instance;
  std::string state_dir;
  std::string isolation = "auto";  ///< auto or netns
  std::uint16_t ingress_port = 8080;
  std::vector<std::string> images;  ///< NAME=COMMAND
};

/// A running supervisor, held by `weft up`. While this lives and has not detached, the instance lives no
/// longer than the process that holds it.
class RunningInstance {
 public:
  /// Opens the ingress port, makes the namespaces, and starts the supervisor; serves `loop` until its API
  /// responds and pods of an earlier run have begun, or `cancelled` says true. Errors: kConflict, the port or
  /// the instance is taken; kUnsupported, kDenied: this machine or user cannot isolate pods, or the state
  /// directory is not its own; kUnavailable: the control plane cannot start, and why; kCancelled. Nothing is
  /// left behind then.
  static Result<RunningInstance> start(const StartOptions& options, net::Loop& loop,
                                       const std::function<bool()>& cancelled);

  /// Lets it live on.
  void detach();
  /// Ends it in order, and returns when it has ended; kills it when it takes longer than it may.
  Result<void> stop();
  pid_t supervisor() const { return pid_; }
  /// Readable when the supervisor has ended.
  int process_fd() const { return process_.get(); }

 private:
  RunningInstance(pid_t pid, net::Fd process, net::Fd lifeline)
      : pid_(pid), process_(std::move(process)), lifeline_(std::move(lifeline)) {}
  pid_t pid_;
  net::Fd process_, lifeline_;
};

}  // namespace weft::app
