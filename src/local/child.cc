#include "local/child.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace weft::local {
namespace {

namespace fs = std::filesystem;

constexpr int kNotExecuted = 127;

class Child {
 public:
  Child(const ProcessSpec& spec, int error_pipe, int mounts)
      : spec_(spec), error_pipe_(error_pipe), mounts_(mounts) {}

  [[noreturn]] void run(int go) {
    wait_for(go);
    reset_signals();
    ::setsid();
    redirect_output();
    enter_namespaces();
    open_sources();
    for (std::size_t i = 0; i < spec_.mounts.size(); ++i) bind(spec_.mounts[i], sources_[i]);
    inherit_descriptors();
    become_user();
    // The last of what may fail: a working directory may stand on a volume.
    const std::string directory = spec_.directory.empty() ? "/" : spec_.directory;
    if (::chdir(directory.c_str()) != 0) fail_and_exit("working directory " + directory);
    execute();
  }

 private:
  [[noreturn]] void fail_and_exit(const std::string& doing) {
    const std::string text = doing + ": " + errno_text(errno);
    static_cast<void>(!::write(error_pipe_, text.data(), text.size()));
    ::_exit(kNotExecuted);
  }

  static void wait_for(int go) {
    char byte;
    while (::read(go, &byte, 1) < 0 && errno == EINTR) continue;
  }

  static void reset_signals() {
    for (int number = 1; number < SIGRTMIN; ++number) std::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
  }

  void redirect_output() {
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0) fail_and_exit("/dev/null");
    const int log =
        ::open(spec_.log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0)
      fail_and_exit(spec_.log_file);
  }

  void enter_namespaces() {
    if (spec_.network >= 0 && ::setns(spec_.network, CLONE_NEWNET) != 0)
      fail_and_exit("the pod's network namespace");
    if (!spec_.host_name.empty() &&
        (::unshare(CLONE_NEWUTS) != 0 || ::sethostname(spec_.host_name.data(), spec_.host_name.size()) != 0))
      fail_and_exit("the host name " + spec_.host_name);
    if (spec_.mount_namespace >= 0) {
      if (::setns(spec_.mount_namespace, CLONE_NEWNS) != 0) fail_and_exit("the container's mount namespace");
      return;
    }
    if (spec_.mounts.empty()) return;
    if (::unshare(CLONE_NEWNS) != 0) fail_and_exit("a mount namespace");
    hand_over_mounts();
  }

  /// Before the program can end: a reaped process has no namespaces any more.
  void hand_over_mounts() {
    const int own = ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (own < 0) fail_and_exit("/proc/self/ns/mnt");
    char byte = 0;
    iovec block{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof own)] = {};
    msghdr message{};
    message.msg_iov = &block;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof own);
    std::memcpy(CMSG_DATA(head), &own, sizeof own);
    if (::sendmsg(mounts_, &message, MSG_NOSIGNAL) < 0) fail_and_exit("telling the mount namespace");
    ::close(own);
  }

  /// Mounts hide what is below them, our own folders too: everything needed later is opened before the first.
  /// What is bound has to be of the mount namespace that it is bound in.
  void open_sources() {
    if (spec_.arguments[0].starts_with('/'))
      program_ = ::open(spec_.arguments[0].c_str(), O_PATH | O_CLOEXEC);
    for (const Mount& mount : spec_.mounts) {
      sources_.push_back(::open(mount.from.c_str(), O_PATH | O_CLOEXEC));
      if (sources_.back() < 0) fail_and_exit(mount.from);
    }
    if (spec_.scratch.empty()) return;
    std::error_code error;
    fs::create_directories(spec_.scratch, error);
    const int scratch = ::open(spec_.scratch.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (scratch < 0) fail_and_exit(spec_.scratch);
    scratch_ = opened(scratch);
  }
  static std::string opened(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

  void bind(const Mount& mount, int source) {
    provide_mount_point(mount, source);
    if (::mount(opened(source).c_str(), mount.to.c_str(), nullptr, MS_BIND, nullptr) != 0)
      fail_and_exit("mounting " + mount.to);
    if (mount.read_only &&
        ::mount(nullptr, mount.to.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
      fail_and_exit("mounting " + mount.to + " read-only");
  }

  /// A mount point that the machine does not have appears in this container only.
  void provide_mount_point(const Mount& mount, int source) {
    std::error_code error;
    if (fs::exists(mount.to, error)) return;
    fs::path parent = fs::path(mount.to).parent_path();
    while (!fs::exists(parent, error) && parent.has_relative_path()) parent = parent.parent_path();
    if (parent == "/")
      make_own_root();
    else
      layer_over(parent.string());
    if (fs::is_directory(opened(source), error)) {
      fs::create_directories(mount.to, error);
    } else {
      fs::create_directories(fs::path(mount.to).parent_path(), error);
      const int made = ::open(mount.to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      if (made >= 0) ::close(made);
    }
    if (!fs::exists(mount.to, error)) fail_and_exit("mount point " + mount.to);
  }

  std::string new_layer() {
    std::string layer = scratch_ + "/layer" + std::to_string(++layers_);
    ::mkdir(layer.c_str(), 0755);
    if (::mount("none", layer.c_str(), "tmpfs", 0, "mode=0755") != 0)
      fail_and_exit("a layer for mount points");
    return layer;
  }

  void layer_over(const std::string& folder) {
    const std::string layer = new_layer();
    ::mkdir((layer + "/upper").c_str(), 0755);
    ::mkdir((layer + "/work").c_str(), 0755);
    const std::string options =
        "lowerdir=" + folder + ",upperdir=" + layer + "/upper,workdir=" + layer + "/work";
    if (::mount("none", folder.c_str(), "overlay", 0, options.c_str()) != 0)
      fail_and_exit("a layer over " + folder);
  }

  /// Nothing can be layered over "/": a new root holds everything that the old one does, and what is to be
  /// added.
  void make_own_root() {
    const std::string root = new_layer();
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/", error)) {
      const std::string from = entry.path().string(), to = root + from;
      if (entry.is_symlink(error)) {
        fs::copy_symlink(from, to, error);
        continue;
      }
      if (entry.is_directory(error))
        ::mkdir(to.c_str(), 0755);
      else
        ::close(::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
        fail_and_exit("a root with " + from);
    }
    if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) fail_and_exit("a root of its own");
  }

  void inherit_descriptors() {
    for (const int fd : spec_.inherited)
      if (::fcntl(fd, F_SETFD, 0) != 0) fail_and_exit("an inherited descriptor");
  }

  void become_user() {
    if (spec_.user < 0 && spec_.group < 0) return;
    const gid_t group = spec_.group >= 0 ? static_cast<gid_t>(spec_.group) : ::getgid();
    if (::setgroups(1, &group) != 0 || ::setresgid(group, group, group) != 0)
      fail_and_exit("group " + std::to_string(group));
    if (spec_.user < 0) return;
    const uid_t user = static_cast<uid_t>(spec_.user);
    if (::setresuid(user, user, user) != 0) fail_and_exit("user " + std::to_string(user));
  }

  [[noreturn]] void execute() {
    std::vector<char*> arguments;
    for (const std::string& argument : spec_.arguments)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> pairs;
    for (const auto& [name, value] : spec_.environment) pairs.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (std::string& pair : pairs) environment.push_back(pair.data());
    environment.push_back(nullptr);
    // execvpe looks for the program by our own PATH; the container's is meant.
    if (auto path = spec_.environment.find("PATH"); path != spec_.environment.end())
      ::setenv("PATH", path->second.c_str(), 1);
    ::execvpe(arguments[0], arguments.data(), environment.data());
    // A volume may hide where the program is.
    if (errno == ENOENT && program_ >= 0) ::fexecve(program_, arguments.data(), environment.data());
    fail_and_exit("executing " + spec_.arguments[0]);
  }

  const ProcessSpec& spec_;
  int error_pipe_, mounts_;
  int program_ = -1;
  std::vector<int> sources_;
  std::string scratch_;
  int layers_ = 0;
};

}  // namespace

void run_child(const ProcessSpec& spec, int go, int error_pipe, int mounts) {
  Child(spec, error_pipe, mounts).run(go);
}

}  // namespace weft::local
