#include "local/control_process.h"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"

namespace weft::local {
namespace {

constexpr Duration kFirstPause = 20ms, kMostPause = 5s, kForgivenAfter = 10s;

}  // namespace

ControlProcess::ControlProcess(net::Loop& loop, Reaper& reaper, Registrar& registrar, Options options)
    : loop_(loop), reaper_(reaper), registrar_(registrar), options_(std::move(options)), ended_(loop) {}

void ControlProcess::start() { tasks_.spawn(run()); }

net::Task<void> ControlProcess::run() {
  Duration pause = kFirstPause;
  while (!stopping_) {
    const TimePoint began = loop_.now();
    if (const auto launched = launch(); !launched)
      WEFT_LOG(kError, "local", "the control plane cannot be started", {"error", launched.error().text});
    else
      co_await ended_.wait();
    if (stopping_) co_return;
    if (loop_.now() - began > kForgivenAfter) pause = kFirstPause;
    WEFT_LOG(kWarn, "local", "the control plane has ended and is started again",
             {"log", options_.state_dir + "/logs/control.log"});
    co_await loop_.sleep(pause);
    pause = std::min(pause * 2, kMostPause);
  }
}

Result<void> ControlProcess::launch() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Error::internal(Code::kExhausted, "the registration channel: " + errno_text(errno)));
  net::Fd ours(ends[0]), theirs(ends[1]);
  ProcessSpec spec;
  spec.words = {options_.program,   "control",           "--state-dir",
                options_.state_dir, "--registration-fd", std::to_string(theirs.get())};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  spec.log_file = options_.state_dir + "/logs/control.log";
  spec.inherited = {theirs.get()};
  ended_.clear();
  WEFT_TRY(const StartedProcess started, start_process(spec));
  pid_ = started.pid;
  reaper_.expect(pid_, [this](int status) {
    WEFT_LOG(kInfo, "local", "the control plane has ended", {"status", status});
    pid_ = 0;
    ended_.set();
  });
  registrar_.use(std::move(ours));
  return {};
}

net::Task<void> ControlProcess::answers() {
  const auto at = net::Address::unix_path(options_.state_dir + "/api.sock");
  while (at) {
    const auto socket =
        co_await net::connect(loop_, *at, {.deadline = loop_.now() + 1s, .bind_source = {}, .mark = 0});
    if (socket) co_return;
    co_await loop_.sleep(1ms);
  }
}

net::Task<void> ControlProcess::stop(Duration grace) {
  stopping_ = true;
  if (pid_ <= 0) co_return;
  ::kill(pid_, SIGTERM);
  if (co_await ended_.wait_until(loop_.now() + grace)) co_return;
  ::kill(pid_, SIGKILL);
  co_await ended_.wait();
}

}  // namespace weft::local
