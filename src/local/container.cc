#include "local/container.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/utc.h"

namespace weft::local {
namespace {

constexpr Duration kLookAgain = 1s;
constexpr Duration kLivenessGrace = 10s;
constexpr int kNotExecuted = 127;
constexpr int kMaxSweeps = 100;
constexpr Duration kBetweenSweeps = 1ms;

std::string in_text(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms < 1000 ? std::to_string(ms) + "ms" : std::to_string(ms / 1000) + "s";
}

std::string reason_of(const Error& error) {
  if (error.code == Code::kUnsupported) return "ErrImageNeverPull";
  return error.code == Code::kNotFound ? "CreateContainerConfigError" : "CreateContainerError";
}

std::uint64_t number_of(const net::Fd& space) {
  struct stat about{};
  return space && ::fstat(space.get(), &about) == 0 ? about.st_ino : 0;
}

/// Tells when the other end of a pipe has been written to or closed.
class PipeWatch final : private net::ReadyHandler {
 public:
  explicit PipeWatch(net::Loop& loop) : loop_(loop), happened_(loop) {}
  Result<void> start(int fd) { return watch_.start(loop_, fd, *this); }
  net::Event& happened() { return happened_; }

 private:
  void on_ready(Ready) override { happened_.set(); }
  net::Loop& loop_;
  net::FdWatch watch_;
  net::Event happened_;
};

bool holds_text(const net::Fd& pipe) {
  int bytes = 0;
  return ::ioctl(pipe.get(), FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

api::Json Container::Ending::to_json() const {
  api::Json json = {{"exitCode", code}};
  if (signal != 0) json["signal"] = signal;
  json["reason"] = code == 0                                  ? "Completed"
                   : code == kNotExecuted && !message.empty() ? "StartError"
                                                              : "Error";
  if (!message.empty()) json["message"] = message;
  json["startedAt"] = started_at;
  json["finishedAt"] = finished_at;
  return json;
}

Container::Container(net::Loop& loop, Reaper& reaper, Plan plan)
    : loop_(loop),
      reaper_(reaper),
      plan_(std::move(plan)),
      ended_(loop),
      gone_(loop),
      stop_asked_(loop),
      kill_(loop, [this] {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
      }) {}

void Container::start() { tasks_.spawn(run()); }

void Container::changed() { plan_.on_change(); }

void Container::set_waiting(std::string reason, std::string message) {
  if (reason == waiting_reason_ && message == waiting_message_) return;
  waiting_reason_ = std::move(reason);
  waiting_message_ = std::move(message);
  changed();
}

net::Task<void> Container::run() {
  while (!stopping_) {
    if (!co_await run_once()) {
      co_await stop_asked_.wait_until(loop_.now() + kLookAgain);
      continue;
    }
    if (stopping_) break;
    if (!wants_restart()) {
      over_ = true;
      break;
    }
    co_await wait_before_restart();
    ++restarts_;
  }
  changed();
}

/// False: it could not be started, and why is its state.
net::Task<bool> Container::run_once() {
  auto spec = plan_.process();
  if (!spec) {
    set_waiting(reason_of(spec.error()), spec.error().text);
    co_return false;
  }
  ended_.clear();
  gone_.clear();
  auto started = start_process(*spec, plan_.before_exec);
  if (!started) {
    set_waiting(reason_of(started.error()), started.error().text);
    co_return false;
  }
  pid_ = started->pid;
  error_pipe_ = std::move(started->error_pipe);
  reaper_.expect(pid_, [this](int status) { on_ended(status); });
  started_at_ = utc_now();
  began_ = loop_.now();
  waiting_reason_.clear();
  waiting_message_.clear();
  dead_because_.clear();
  changed();
  {
    PipeWatch executed(loop_);
    if (executed.start(error_pipe_.get())) co_await executed.happened().wait();
  }
  mounts_ = take_mount_namespace(started->mounts);
  if (!stopping_ && !ended_.is_set() && !holds_text(error_pipe_)) begin_health();
  co_await ended_.wait();
  if (!mounts_) mounts_ = take_mount_namespace(started->mounts);
  error_pipe_.reset();
  health_.reset();
  if (plan_.after_end) plan_.after_end(pid_);
  pid_ = 0;
  kill_.disarm();
  co_await end_stragglers();
  gone_.set();
  co_return true;
}

void Container::begin_health() {
  const auto on_ready = [this](bool ready, const std::string& why) {
    if (ready == ready_ && why == not_ready_because_) return;
    ready_ = ready;
    not_ready_because_ = why;
    changed();
  };
  const auto on_dead = [this](const std::string& why) {
    dead_because_ = why;
    tasks_.spawn(kill_and_wait(kLivenessGrace));
  };
  health_ = std::make_unique<Health>(loop_, plan_.health(), Health::Listener{on_ready, on_dead});
}

void Container::on_ended(int status) {
  Ending ending;
  ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ending.code = ending.signal != 0 ? 128 + ending.signal : WEXITSTATUS(status);
  ending.message = ending.code == kNotExecuted ? read_error_pipe(error_pipe_) : dead_because_;
  ending.started_at = started_at_;
  ending.finished_at = utc_now();
  exit_code_ = ending.code;
  ready_ = false;
  if (!stopping_)
    WEFT_LOG(kInfo, "local", "a process has ended", {"container", plan_.name}, {"pid", pid_},
             {"code", ending.code}, {"why", ending.message});
  last_ = std::move(ending);
  ended_.set();
}

/// What the process had forked and left behind would keep its ports.
net::Task<void> Container::end_stragglers() {
  const net::Fd mounts = std::exchange(mounts_, {});
  const std::uint64_t number = number_of(mounts);
  if (number == 0) co_return;
  // A process that forks while we look is seen in the next sweep; none can come from outside.
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    const std::vector<pid_t> left = processes_in_namespace("mnt", number);
    if (left.empty()) co_return;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    co_await loop_.sleep(kBetweenSweeps);
  }
}

bool Container::wants_restart() const {
  return plan_.restart == RestartPolicy::kAlways ||
         (plan_.restart == RestartPolicy::kOnFailure && exit_code_ != 0);
}

net::Task<void> Container::wait_before_restart() {
  if (loop_.now() - began_ >= plan_.backoff.reset_after) {
    backoff_.reset();
    restart_delay_ = {};
  }
  if (restart_delay_ > Duration::zero())
    set_waiting("CrashLoopBackOff",
                "back-off " + in_text(restart_delay_) + " restarting failed container " + plan_.name);
  else
    changed();
  co_await stop_asked_.wait_until(loop_.now() + restart_delay_);
  restart_delay_ = backoff_.next();
}

net::Task<void> Container::kill_and_wait(Duration grace) {
  if (pid_ <= 0) co_return;
  if (std::exchange(asked_to_end_, pid_) != pid_) ::kill(pid_, SIGTERM);
  kill_by(loop_.now() + grace);
  co_await gone_.wait();
}

void Container::kill_by(TimePoint when) {
  if (!kill_.armed() || when < kill_.when()) kill_.arm(when);
}

void Container::shorten(Duration grace) {
  if (stopping_ && pid_ > 0) kill_by(loop_.now() + grace);
}

net::Task<void> Container::stop(Duration grace) {
  stopping_ = true;
  stop_asked_.set();
  health_.reset();
  ready_ = false;
  co_await kill_and_wait(grace);
}

api::Json Container::status() const {
  api::Json state;
  if (pid_ > 0)
    state = {{"running", {{"startedAt", started_at_}}}};
  else if (!waiting_reason_.empty())
    state = {{"waiting", {{"reason", waiting_reason_}}}};
  else if (last_)
    state = {{"terminated", last_->to_json()}};
  if (state.contains("waiting") && !waiting_message_.empty()) state["waiting"]["message"] = waiting_message_;
  api::Json json = {{"name", plan_.name}, {"image", plan_.image}, {"imageID", ""},
                    {"ready", ready_},    {"started", pid_ > 0},  {"restartCount", restarts_}};
  json["state"] = std::move(state);
  if (last_ && !json["state"].contains("terminated")) json["lastState"] = {{"terminated", last_->to_json()}};
  if (pid_ > 0) json["containerID"] = "weft://" + std::to_string(pid_);
  return json;
}

}  // namespace weft::local
