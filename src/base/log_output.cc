#include "base/log_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace weft::log {
namespace {

/// What goes into a pipe by one call without another writer's bytes in between (pipe(7)).
std::string_view first_piece(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  const auto end = lines.rfind('\n', PIPE_BUF - 1);
  return lines.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

}  // namespace

LogOutput::LogOutput(std::string path) : path_(std::move(path)) {
  if (path_ == "/dev/stdout") descriptor_ = STDOUT_FILENO;
  if (path_ == "/dev/stderr") descriptor_ = STDERR_FILENO;
}

LogOutput::~LogOutput() { close(); }

void LogOutput::close() {
  if (owned_) ::close(fd_);
  fd_ = -1;
  owned_ = false;
  kind_ = Kind::kNone;
}

void LogOutput::use(int fd, mode_t mode, bool owned) {
  fd_ = fd;
  owned_ = owned;
  if (S_ISSOCK(mode))
    kind_ = Kind::kSocket;
  else if (S_ISFIFO(mode) || S_ISCHR(mode))
    kind_ = owned ? Kind::kPipe : Kind::kSharedPipe;
  else
    kind_ = Kind::kFile;
}

bool LogOutput::follow_descriptor() {
  struct stat now{};
  if (::fstat(descriptor_, &now) != 0) {
    error_ = errno;
    close();
    return false;
  }
  if (kind_ != Kind::kNone && now.st_dev == device_ && now.st_ino == inode_) return true;
  close();
  device_ = now.st_dev;
  inode_ = now.st_ino;
  if (S_ISFIFO(now.st_mode) || S_ISCHR(now.st_mode)) {
    const std::string again = "/proc/self/fd/" + std::to_string(descriptor_);
    const int own = ::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) {
      use(own, now.st_mode, true);
      return true;
    }
  }
  use(descriptor_, now.st_mode, false);
  return true;
}

bool LogOutput::open_path() {
  const bool again = kind_ == Kind::kFile && moved();
  if (kind_ != Kind::kNone && !again) return true;
  const int fd =
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
  struct stat now{};
  if (fd < 0 || ::fstat(fd, &now) != 0) {
    if (fd >= 0) ::close(fd);
    if (again) return true;  // better the file that was moved than none
    error_ = errno;
    return false;
  }
  close();
  use(fd, now.st_mode, true);
  device_ = now.st_dev;
  inode_ = now.st_ino;
  return true;
}

bool LogOutput::moved() const {
  struct stat now{};
  return ::stat(path_.c_str(), &now) != 0 || now.st_dev != device_ || now.st_ino != inode_;
}

bool LogOutput::ready() { return descriptor_ >= 0 ? follow_descriptor() : open_path(); }

ssize_t LogOutput::write_piece(std::string_view piece) {
  if (kind_ == Kind::kSocket) return ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (kind_ == Kind::kSharedPipe) {
    // It may not be opened a second time. Room for a piece is all that can be asked for.
    pollfd asked{fd_, POLLOUT, 0};
    if (::poll(&asked, 1, 0) <= 0) {
      errno = EAGAIN;
      return -1;
    }
  }
  return ::write(fd_, piece.data(), piece.size());
}

std::size_t LogOutput::write(std::string_view lines) {
  error_ = 0;
  std::size_t done = 0;
  if (!ready()) return 0;
  while (done < lines.size()) {
    const std::string_view rest = lines.substr(done);
    const ssize_t wrote = write_piece(kind_ == Kind::kFile ? rest : first_piece(rest));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      error_ = errno;
      if (error_ != EAGAIN) close();  // the next write opens it again: a reader may have come
      break;
    }
    done += static_cast<std::size_t>(wrote);
  }
  return done;
}

}  // namespace weft::log
