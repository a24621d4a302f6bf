#include "local/supervisor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "base/log.h"
#include "local/control_process.h"
#include "local/instance_record.h"
#include "local/log_keeper.h"
#include "local/pod_runtime.h"
#include "local/system_objects.h"
#include "net/signal_watch.h"
#include "store/remote_store.h"

namespace weft::local {
namespace {

/// How long an application may take to exit when everything ends; a pod that is deleted has its own grace
/// period.
constexpr Duration kGraceAtTheEnd = 5s;
constexpr Duration kControlGrace = 2s;
/// How long the control plane, which responds by then, may fail to store what every instance has.
constexpr Duration kSystemObjectsLimit = 5s;

/// A descriptor that calls when it can be read.
class Readable final : private net::ReadyHandler {
 public:
  explicit Readable(std::function<void()> action) : action_(std::move(action)) {}
  Result<void> start(net::Loop& loop, net::Fd fd) {
    fd_ = std::move(fd);
    ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
    return watch_.start(loop, fd_.get(), *this);
  }
  int fd() const { return fd_.get(); }
  void stop() {
    watch_.stop();
    fd_.reset();
  }

 private:
  void on_ready(Ready) override { action_(); }
  std::function<void()> action_;
  net::Fd fd_;
  net::FdWatch watch_;
};

std::unexpected<Error> failed(const std::string& doing) {
  return fail(
      Error::internal(errno == EPERM ? Code::kDenied : Code::kInternal, doing + ": " + errno_text(errno)));
}

/// Before the old /proc goes: it knows us by the machine's number.
pid_t pid_outside() {
  char text[32] = {};
  return ::readlink("/proc/self", text, sizeof text - 1) > 0
             ? static_cast<pid_t>(std::strtol(text, nullptr, 10))
             : 0;
}

Result<void> own_mounts() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("mounts of our own");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return failed("/proc");
  return {};
}

class Instance {
 public:
  explicit Instance(const Supervisor::Options& options)
      : options_(options),
        signals_(loop_, [this](int) { stop_asked_.set(); }),
        lifeline_([this] { read_lifeline(); }),
        images_(options.bookinfo_program),
        reaper_(loop_),
        registrar_(loop_),
        control_(loop_, reaper_, registrar_, {options.weft_program, options.state_dir}),
        logs_(loop_, options.state_dir + "/logs", options.state_dir + "/pods"),
        stop_asked_(loop_) {}

  Result<void> prepare() {
    for (const std::string& folder :
         {options_.state_dir, options_.state_dir + "/logs", options_.state_dir + "/pods"})
      if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder);
    WEFT_CHECK(lock());
    for (const std::string& image : options_.images) WEFT_CHECK(images_.add(image));
    InstanceRecord record{pid_outside(), process_start_time(::getpid()), options_.ingress};
    record.start_time = process_start_time(record.pid);
    WEFT_CHECK(own_mounts());
    WEFT_CHECK(network_.start());
    WEFT_CHECK(watch_signals());
    WEFT_CHECK(reaper_.start());
    if (options_.lifeline_fd >= 0) WEFT_CHECK(lifeline_.start(loop_, net::Fd(options_.lifeline_fd)));
    if (options_.ingress_fd >= 0) ::fcntl(options_.ingress_fd, F_SETFD, FD_CLOEXEC);
    if (options_.report_fd >= 0) ::fcntl(options_.report_fd, F_SETFD, FD_CLOEXEC);
    WEFT_TRY(const net::Address api, net::Address::unix_path(options_.state_dir + "/api.sock"));
    store_ = std::make_unique<store::RemoteStore>(loop_, api);
    host_ = std::make_unique<Host>(Host{loop_,
                                        reaper_,
                                        network_,
                                        images_,
                                        registrar_,
                                        options_.state_dir,
                                        options_.proxy_program,
                                        options_.ingress_fd,
                                        {},
                                        {}});
    pods_ = std::make_unique<PodRuntime>(*host_, *store_);
    return write_record(options_.state_dir, record);
  }

  /// Error: it could not begin.
  Result<void> run() {
    control_.start();
    logs_.start();
    tasks_.spawn(begin());
    tasks_.spawn(end_when_asked());
    loop_.run();
    remove_record(options_.state_dir);
    return std::move(outcome_);
  }

 private:
  /// Two supervisors of one instance would fight over its objects.
  Result<void> lock() {
    lock_ = net::Fd(
        ::open((options_.state_dir + "/lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock_) return failed(options_.state_dir + "/lock");
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
      return fail(Error::config(Code::kConflict, "another supervisor runs in " + options_.state_dir));
    return {};
  }

  Result<void> watch_signals() {
    std::signal(SIGPIPE, SIG_IGN);
    return signals_.start({SIGTERM, SIGINT});
  }

  void read_lifeline() {
    char byte = 0;
    const ssize_t got = ::read(lifeline_.fd(), &byte, 1);
    if (got < 0 && errno == EAGAIN) return;
    lifeline_.stop();
    if (got == 1 && byte == 'd') return;
    WEFT_LOG(kInfo, "local", "'weft up' has ended, and so do we");
    stop_asked_.set();
  }

  net::Task<void> begin() {
    if (auto ready = co_await control_.ready(); !ready) {
      outcome_ = std::move(ready);
      stop_asked_.set();
      co_return;
    }
    if (auto created = co_await create_system_objects(loop_, *store_, kSystemObjectsLimit); !created) {
      outcome_ = std::move(created);
      stop_asked_.set();
      co_return;
    }
    pods_->start();
    while (!pods_->settled()) co_await loop_.sleep(1ms);
    report(options_.report_fd, "ready");
    WEFT_LOG(kInfo, "local", "ready", {"state-dir", options_.state_dir}, {"ingress", options_.ingress});
  }

  static void report(int fd, std::string_view text) {
    if (fd < 0) return;
    static_cast<void>(!::write(fd, text.data(), text.size()));
    ::close(fd);
  }

  net::Task<void> end_when_asked() {
    co_await stop_asked_.wait();
    WEFT_LOG(kInfo, "local", "ending");
    co_await pods_->stop(kGraceAtTheEnd);
    co_await control_.stop(kControlGrace);
    for (const char* socket : {"/api.sock", "/xds.sock"}) ::unlink((options_.state_dir + socket).c_str());
    loop_.stop();
  }

  const Supervisor::Options& options_;
  net::Loop loop_;
  net::SignalWatch signals_;
  Readable lifeline_;
  net::Fd lock_;
  ImageMap images_;
  Reaper reaper_;
  PodNetwork network_;
  Registrar registrar_;
  ControlProcess control_;
  LogKeeper logs_;
  net::Event stop_asked_;
  Result<void> outcome_;
  std::unique_ptr<store::RemoteStore> store_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<PodRuntime> pods_;
  net::TaskScope tasks_;
};

}  // namespace

Result<void> Supervisor::run(const Options& options) {
  Instance instance(options);
  WEFT_CHECK(instance.prepare());
  return instance.run();
}

}  // namespace weft::local
