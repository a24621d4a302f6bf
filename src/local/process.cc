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
  std::string word;
  for (int field = 3; field <= 22; ++field) rest >> word;
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

Result<StartedProcess> start_process(const ProcessSpec& spec,
                                     const std::function<void(const StartedProcess&)>& before_exec) {
  WEFT_TRY(Pipe go, make_pipe());
  WEFT_TRY(Pipe trouble, make_pipe());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return fail(Error::internal(Code::kExhausted, "a socket: " + errno_text(errno)));
  net::Fd mounts(ends[0]), of_child(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Error::internal(Code::kExhausted, "fork: " + errno_text(errno)));
  if (pid == 0) {
    go.write.reset();
    run_child(spec, go.read.get(), trouble.write.get(), of_child.get());
  }
  ::fcntl(trouble.read.get(), F_SETFL, O_NONBLOCK);
  StartedProcess started{pid, process_start_time(pid), std::move(trouble.read), std::move(mounts)};
  if (before_exec) before_exec(started);
  // The child goes on when this end closes.
  go.write.reset();
  return started;
}

std::string read_trouble(const net::Fd& trouble) {
  char text[1024];
  const ssize_t got = trouble ? ::read(trouble.get(), text, sizeof text) : 0;
  if (got <= 0) return {};
  // A text that fills the block may have been cut inside of a character.
  const std::string_view read(text, static_cast<std::size_t>(got));
  return std::string(cut(read, sizeof text - 4));
}

net::Fd mounts_of(const net::Fd& mounts) {
  char byte;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (!mounts || ::recvmsg(mounts.get(), &message, MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* const about = CMSG_FIRSTHDR(&message);
  if (!about || about->cmsg_type != SCM_RIGHTS) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(about), sizeof fd);
  return net::Fd(fd);
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
