#include "local/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "local/child.h"

namespace weft::local {
Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(Error::internal(Code::kExhausted, "a pipe: " + errno_text(errno)));
  return Pipe{net::Fd(ends[0]), net::Fd(ends[1])};
}

std::uint64_t process_start_time(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  if (name_end == text.npos) return 0;
  std::istringstream rest(text.substr(name_end + 1));
  std::string part;
  for (int field = 3; field <= 22; ++field) rest >> part;
  std::uint64_t value = 0;
  std::from_chars(part.data(), part.data() + part.size(), value);
  return value;
}

Result<StartedProcess> start_process(const ProcessSpec& spec,
                                     const std::function<void(const StartedProcess&)>& before_exec) {
  WEFT_TRY(Pipe go, make_pipe());
  WEFT_TRY(Pipe error_pipe, make_pipe());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Error::internal(Code::kExhausted, "a socket: " + errno_text(errno)));
  net::Fd mounts(ends[0]);
  const net::Fd mounts_of_child(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Error::internal(Code::kExhausted, "fork: " + errno_text(errno)));
  if (pid == 0) {
    go.write.reset();
    run_child(spec, go.read.get(), error_pipe.write.get(), mounts_of_child.get());
  }
  ::fcntl(error_pipe.read.get(), F_SETFL, O_NONBLOCK);
  StartedProcess started{pid, process_start_time(pid), std::move(error_pipe.read), std::move(mounts)};
  if (before_exec) before_exec(started);
  // The child goes on when this end closes.
  go.write.reset();
  return started;
}

std::string read_error_pipe(const net::Fd& error_pipe) {
  char text[1024];
  const ssize_t got = error_pipe ? ::read(error_pipe.get(), text, sizeof text) : 0;
  if (got <= 0) return {};
  // A text that fills the block may have been cut inside of a character.
  const std::string_view read(text, static_cast<std::size_t>(got));
  return std::string(cut(read, sizeof text - 4));
}

net::Fd take_mount_namespace(const net::Fd& mounts) {
  char byte = 0;
  iovec block{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &block;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (!mounts || ::recvmsg(mounts.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return net::Fd(fd);
}

void kill_group(pid_t leader) {
  // Before its setsid() it is in ours, and alone.
  ::kill(-leader, SIGKILL);
  ::kill(leader, SIGKILL);
}

Result<void> Reaper::start() { return signals_.start({SIGCHLD}); }

void Reaper::take_ends() {
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) return;
    auto node = waiting_.extract(pid);
    if (!node.empty()) node.mapped()(status);
  }
}

std::vector<pid_t> processes_in_namespace(const std::string& kind, std::uint64_t inode) {
  std::vector<pid_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    struct stat about{};
    if (::stat(("/proc/" + name + "/ns/" + kind).c_str(), &about) == 0 && about.st_ino == inode)
      found.push_back(pid);
  }
  return found;
}

}  // namespace weft::local
