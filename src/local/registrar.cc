#include "local/registrar.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/log.h"

namespace weft::local {

void Registrar::use(net::Fd channel) {
  watch_.stop();
  channel_ = std::move(channel);
  current_.clear();
  told_.clear();
  waiting_ = lines_;
  const int flags = ::fcntl(channel_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(channel_.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    close(errno);
    return;
  }
  if (const auto watched = watch_.start(loop_, channel_.get(), *this); !watched) {
    WEFT_LOG(kError, "local", "the registration channel", {"error", watched.error().text});
    channel_.reset();
    return;
  }
  flush();
}

void Registrar::add(pid_t pid, std::uint64_t start_time, std::string_view ns, std::string_view pod,
                    std::string_view service_account) {
  std::string line = "add " + std::to_string(pid) + " " + std::to_string(start_time) + " " + std::string(ns) +
                     " " + std::string(pod) + " " + std::string(service_account) + "\n";
  waiting_[pid] = line;
  lines_[pid] = std::move(line);
  flush();
}

void Registrar::remove(pid_t pid) {
  if (lines_.erase(pid) == 0) return;
  if (told_.contains(pid))
    waiting_[pid] = "remove " + std::to_string(pid) + "\n";
  else
    waiting_.erase(pid);
  flush();
}

void Registrar::flush() {
  while (channel_) {
    if (current_.empty()) {
      if (waiting_.empty()) return;
      auto next = waiting_.extract(waiting_.begin());
      current_ = std::move(next.mapped());
      if (lines_.contains(next.key()))
        told_.insert(next.key());
      else
        told_.erase(next.key());
    }
    const ssize_t sent = ::send(channel_.get(), current_.data(), current_.size(), MSG_NOSIGNAL);
    if (sent >= 0)
      current_.erase(0, static_cast<std::size_t>(sent));
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      return;
    else if (errno != EINTR)
      close(errno);
  }
  // No control plane to tell: the next to connect is told everything.
  waiting_.clear();
  current_.clear();
}

void Registrar::close(int error) {
  watch_.stop();
  channel_.reset();
  if (error != EPIPE && error != ECONNRESET)
    WEFT_LOG(kWarn, "local", "the registration channel", {"error", errno_text(error)});
}

}  // namespace weft::local
