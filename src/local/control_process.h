#pragma once

#include <cstdint>
#include <string>

#include "local/process.h"
#include "local/registrar.h"
#include "net/address.h"
#include "net/event.h"

namespace weft::local {

/// The control plane as a child process: started, and started again when it has ended by itself or has not
/// responded for half a minute.
///
/// Owner: the supervisor. Thread: the loop's. How it ends: co_await stop().
class ControlProcess {
 public:
  struct Options {
    std::string program, state_dir;
    /// One that runs and does not respond is asked so often, each time for so long; after so many questions
    /// it is killed and started again.
    Duration ask_every = 5s;
    int silent_at_most = 6;
  };
  ControlProcess(net::Loop& loop, Reaper& reaper, Registrar& registrar, Options options);

  void start();
  /// Returns when its API accepts. Error: it ends before that, by itself at once or by a signal again and
  /// again; the text is the last that it wrote. It is then not started any more.
  net::Task<Result<void>> ready();
  net::Task<void> stop(Duration grace);

 private:
  net::Task<void> run();
  net::Task<void> watch();
  net::Task<bool> is_there();
  Result<void> launch();
  bool is_hopeless();
  std::string last_error() const;
  std::string log_file() const { return options_.state_dir + "/logs/control.log"; }

  net::Loop& loop_;
  Reaper& reaper_;
  Registrar& registrar_;
  Options options_;
  pid_t pid_ = 0;
  bool stopping_ = false, responded_ = false, failed_ = false;
  int status_ = 0, ends_ = 0;
  std::uint64_t log_begins_ = 0;  ///< where in the log file the present process began
  net::Event ended_;
  net::TaskScope tasks_;
};

}  // namespace weft::local
