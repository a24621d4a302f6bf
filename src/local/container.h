#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/object.h"
#include "base/backoff.h"
#include "local/health.h"
#include "local/process.h"
#include "net/event.h"
#include "net/task.h"

namespace weft::local {

enum class RestartPolicy : std::uint8_t { kAlways, kOnFailure, kNever };

/// How long to wait before the next start: not at all the first time, then as a Backoff says; a run of
/// `reset_after` resets it.
struct RestartBackoff {
  Backoff::Limits limits = {.initial = 1s, .max = 60s};
  Duration reset_after = 60s;
};

/// One container of a pod: a process that is started, asked how it is, ended, and started again.
///
/// Owner: its pod. Thread: the loop's. How it ends: co_await stop(), or the destructor, which leaves the
/// process running for the kernel to end with the instance.
class Container {
 public:
  struct Plan {
    std::string name, image;
    RestartPolicy restart = RestartPolicy::kAlways;
    RestartBackoff backoff = {};
    /// What to execute, looked up again for each start. Errors become the reason of a waiting container:
    /// kUnsupported an image that is not there, kNotFound something the container refers to.
    std::function<Result<ProcessSpec>()> process;
    std::function<HealthPlan()> health;
    std::function<void(const StartedProcess&)> before_exec;
    std::function<void(pid_t)> after_end;
    std::function<void()> on_change;  ///< status() is another one now
  };
  Container(net::Loop& loop, Reaper& reaper, Plan plan);

  /// Begins; once.
  void start();
  /// SIGTERM, and after `grace` SIGKILL; returns when the process has ended. It is not started again.
  net::Task<void> stop(Duration grace);
  /// Who is being stopped has at most `grace` more from now on.
  void shorten(Duration grace);

  const std::string& name() const { return plan_.name; }
  bool ready() const { return ready_; }
  bool running() const { return pid_ > 0; }
  bool started_once() const { return pid_ > 0 || last_.has_value(); }
  pid_t pid() const { return pid_; }
  /// Ended by itself, and by its policy not to be started again. What stop() ends is not over: its work may
  /// go on in another run.
  bool over() const { return over_; }
  bool failed() const { return exit_code_ != 0; }
  /// An element of status.containerStatuses.
  api::Json status() const;

 private:
  struct Ending {
    int code = 0, signal = 0;
    std::string message, started_at, finished_at;
    api::Json to_json() const;
  };
  net::Task<void> run();
  net::Task<bool> run_once();
  net::Task<void> wait_before_restart();
  net::Task<void> kill_and_wait(Duration grace);
  void kill_by(TimePoint when);
  /// What runs is asked how it is; what is still to be executed, or cannot be, is not.
  void begin_health();
  void on_ended(int status);
  void set_waiting(std::string reason, std::string message);
  bool wants_restart() const;
  void changed();
  net::Task<void> end_stragglers();

  net::Loop& loop_;
  Reaper& reaper_;
  Plan plan_;
  pid_t pid_ = 0;
  net::Fd error_pipe_;
  /// Where its process lives, when that is a place of its own. Held open: the kernel gives the number of a
  /// namespace that is gone to the next one at once, and what is left behind here is found by that number.
  net::Fd mounts_;
  std::string waiting_reason_ = "ContainerCreating", waiting_message_, started_at_, dead_because_,
              not_ready_because_;
  std::optional<Ending> last_;
  int restarts_ = 0, exit_code_ = 0;
  pid_t asked_to_end_ = 0;  ///< SIGTERM is sent once: many programs take a second one as "at once"
  bool ready_ = false, over_ = false, stopping_ = false;
  Backoff backoff_{plan_.backoff.limits};
  Duration restart_delay_{};
  TimePoint began_{};
  std::unique_ptr<Health> health_;
  net::Event ended_;  ///< the process
  net::Event gone_;   ///< all of it: what it forked, too
  net::Event stop_asked_;
  net::Timer kill_;  ///< the earliest end of the graces that the process was given
  net::TaskScope tasks_;
};

}  // namespace weft::local
