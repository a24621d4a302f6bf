#pragma once

#include <string>

#include "local/event.h"
#include "local/process.h"
#include "local/registrar.h"
#include "net/address.h"

namespace weft::local {

/// The control plane as a child process: started, and started again when it has ended by itself.
///
/// Owner: the supervisor. Thread: the loop's. How it ends: co_await stop().
class ControlProcess {
 public:
  struct Options {
    std::string program, state_dir;
  };
  ControlProcess(net::Loop& loop, Reaper& reaper, Registrar& registrar, Options options);

  void start();
  /// Returns when its API accepts.
  net::Task<void> answers();
  net::Task<void> stop(Duration grace);

 private:
  net::Task<void> run();
  Result<void> launch();

  net::Loop& loop_;
  Reaper& reaper_;
  Registrar& registrar_;
  Options options_;
  pid_t pid_ = 0;
  bool stopping_ = false;
  Event ended_;
  net::TaskScope tasks_;
};

}  // namespace weft::local
