#include "local/registrar.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"

namespace weft::local {

void Registrar::use(net::Fd channel) {
  channel_ = std::move(channel);
  for (const auto& [pid, line] : lines_) say(line);
}

void Registrar::add(pid_t pid, std::uint64_t start_time, std::string_view ns, std::string_view pod,
                    std::string_view service_account) {
  std::string line = "add " + std::to_string(pid) + " " + std::to_string(start_time) + " " + std::string(ns) +
                     " " + std::string(pod) + " " + std::string(service_account) + "\n";
  say(line);
  lines_[pid] = std::move(line);
}

void Registrar::remove(pid_t pid) {
  if (lines_.erase(pid) > 0) say("remove " + std::to_string(pid) + "\n");
}

void Registrar::say(const std::string& line) {
  if (!channel_) return;
  // It blocks only while the control plane has a socket buffer of lines unread; a dead one gives EPIPE, and
  // its successor hears everything.
  if (::send(channel_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    WEFT_LOG(kWarn, "local", "the registration channel", {"error", errno_text(errno)});
}

}  // namespace weft::local
