#include "app/up.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "app/state_folder.h"
#include "app/wait_for_end.h"
#include "local/image_map.h"
#include "local/instance_record.h"
#include "local/process.h"

namespace weft::app {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStopLimit{30};

/// Where the programs are: beside this one, in a build and when installed.
struct Programs {
  std::string weft, proxy, bookinfo;
};

Result<std::string> first_of(std::initializer_list<fs::path> candidates) {
  std::error_code error;
  for (const fs::path& candidate : candidates)
    if (fs::exists(candidate, error)) return fs::canonical(candidate, error).string();
  return fail(Error::config(Code::kNotFound, "the program " + candidates.begin()->string() +
                                                 " is not there; build it with 'make build'"));
}

Result<Programs> find_programs() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path folder = self.parent_path();
  Programs programs{self.string(), {}, {}};
  WEFT_TRY(programs.proxy, first_of({folder / "../app/weft-proxy", folder / "weft-proxy"}));
  // Needed by its images only; a pod that asks for one says that it is missing.
  auto bookinfo = first_of({folder / "../../samples/bookinfo/bookinfo", folder / "bookinfo"});
  programs.bookinfo = bookinfo ? *bookinfo : "bookinfo";
  return programs;
}

Result<net::Fd> open_ingress(std::uint16_t port) {
  WEFT_TRY(const net::Address at, net::Address::parse_ip("127.0.0.1", port));
  auto fd = net::make_listening_fd(at);
  if (fd) return fd;
  if (fd.error().code == Code::kConflict)
    return fail(
        Error::config(Code::kConflict,
                      "port " + std::to_string(port) +
                          " on 127.0.0.1 is in use by another program; choose another with --ingress-port"));
  return fail(Error::config(fd.error().code, "the ingress port " + std::to_string(port) + ": " +
                                                 fd.error().text + "; choose another with --ingress-port"));
}

Result<void> check_isolation(const std::string& isolation) {
  if (isolation == "loopback")
    return fail(
        Error::config(Code::kUnsupported, "--isolation loopback is not built yet; as root, netns works"));
  if (::geteuid() != 0)
    return fail(Error::config(Code::kDenied, "network namespaces need root here: run it with sudo"));
  return {};
}

std::vector<std::string> command_line(const StartOptions& options, const Programs& programs, int ingress,
                                      int lifeline, int report) {
  std::vector<std::string> words = {programs.weft,   "supervise",
                                    "--state-dir",   options.state_dir,
                                    "--weft",        programs.weft,
                                    "--proxy",       programs.proxy,
                                    "--bookinfo",    programs.bookinfo,
                                    "--ingress",     "127.0.0.1:" + std::to_string(options.ingress_port),
                                    "--ingress-fd",  std::to_string(ingress),
                                    "--lifeline-fd", std::to_string(lifeline),
                                    "--report-fd",   std::to_string(report)};
  for (const std::string& image : options.images) words.insert(words.end(), {"--image", image});
  return words;
}

/// The child's whole life until it is the supervisor. It leads a session of its own: a terminal's Ctrl-C is
/// for 'weft up', which then ends it in order.
[[noreturn]] void become_supervisor(const std::vector<std::string>& words, const std::string& log,
                                    std::initializer_list<int> keep) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  if (nothing < 0 || out < 0) ::_exit(1);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  for (const int fd : keep) ::fcntl(fd, F_SETFD, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Result<pid_t> fork_into_namespaces() {
  const long flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | SIGCHLD;
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid >= 0) return static_cast<pid_t>(pid);
  return fail(
      Error::config(errno == EPERM ? Code::kDenied : Code::kUnsupported,
                    "this machine gives no namespaces of pids, mounts and networks: " + errno_text(errno)));
}

/// What the supervisor says of its start: "ready", "error: …", or nothing when it ended before it could.
class Report final : private net::ReadyHandler {
 public:
  Result<void> start(net::Loop& loop, net::Fd fd) {
    fd_ = std::move(fd);
    ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    WEFT_CHECK(watch_.start(loop, fd_.get(), *this));
    on_ready({});
    return {};
  }
  bool complete() const { return complete_; }
  const std::string& text() const { return text_; }

 private:
  void on_ready(Ready) override {
    char block[4096];
    for (;;) {
      const ssize_t got = ::read(fd_.get(), block, sizeof block);
      if (got > 0) text_.append(block, static_cast<std::size_t>(got));
      if (got > 0 || (got < 0 && errno == EINTR)) continue;
      complete_ = complete_ || got == 0 || errno != EAGAIN;
      return;
    }
  }
  net::Fd fd_;
  net::FdWatch watch_;
  std::string text_;
  bool complete_ = false;
};

/// Why nothing was started: it was cancelled, or it has failed.
Error why_not_started(const std::string& said, bool cancelled, const std::string& log) {
  if (cancelled) return Error::internal(Code::kCancelled, "interrupted");
  if (said.starts_with("error: ")) return Error::internal(Code::kUnavailable, said.substr(7));
  return Error::internal(Code::kInternal, "the supervisor has ended at once; " + log + " says why");
}

}  // namespace

Result<RunningInstance> RunningInstance::start(const StartOptions& options, net::Loop& loop,
                                               const std::function<bool()>& cancelled) {
  WEFT_CHECK(check_isolation(options.isolation));
  WEFT_TRY(const Programs programs, find_programs());
  local::ImageMap check(programs.bookinfo);
  for (const std::string& image : options.images) WEFT_CHECK(check.add(image));
  // A port that is taken is known before anything is made.
  WEFT_TRY(net::Fd ingress, open_ingress(options.ingress_port));
  WEFT_CHECK(make_state_folder(options.state_dir));
  WEFT_TRY(local::Pipe lifeline, local::make_pipe());
  WEFT_TRY(local::Pipe report, local::make_pipe());
  const std::string log = options.state_dir + "/logs/supervisor.log";
  const auto words = command_line(options, programs, ingress.get(), lifeline.read.get(), report.write.get());
  WEFT_TRY(const pid_t pid, fork_into_namespaces());
  if (pid == 0) become_supervisor(words, log, {ingress.get(), lifeline.read.get(), report.write.get()});
  report.write.reset();
  net::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  RunningInstance started(pid, std::move(process), std::move(lifeline.write));
  Report said;
  WEFT_CHECK(said.start(loop, std::move(report.read)));
  while (!said.complete() && !cancelled()) loop.run_once(10s);
  if (said.text() == "ready") return started;
  // One that cannot be told yet hears that its lifeline has ended.
  started.lifeline_.reset();
  const auto stopped = started.stop();
  if (const auto record = local::read_record(options.state_dir); record && !record->alive())
    local::remove_record(options.state_dir);
  WEFT_CHECK(stopped);
  return fail(why_not_started(said.text(), cancelled(), log));
}

void RunningInstance::detach() {
  static_cast<void>(!::write(lifeline_.get(), "d", 1));
  lifeline_.reset();
}

Result<void> RunningInstance::stop() {
  ::kill(pid_, SIGTERM);
  const bool ended = wait_for_end(process_.get(), kStopLimit);
  if (!ended) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  if (ended) return {};
  return fail(Error::internal(Code::kTimeout, "the supervisor did not end within " +
                                                  std::to_string(kStopLimit.count()) + " s and was killed"));
}

}  // namespace weft::app
