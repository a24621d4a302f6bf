#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/socket.h"

namespace weft::local {

/// Tells the control plane which process is which sidecar (docs/architecture.md, "Identity on one machine").
///
/// Owner: the supervisor. Thread: the loop's. It never blocks: what a control plane has not read yet waits
/// here, for each process its last line alone, so that there are never more lines than sidecars that run or
/// that the control plane knows of. What has been said is said again to a control plane that has been
/// restarted.
class Registrar final : private net::ReadyHandler {
 public:
  explicit Registrar(net::Loop& loop) : loop_(loop) {}
  /// From now on this end of the channel is spoken to; everything known is said first. One that cannot be
  /// watched is closed, and the control plane then knows no pod.
  void use(net::Fd channel);
  void add(pid_t pid, std::uint64_t start_time, std::string_view ns, std::string_view pod,
           std::string_view service_account);
  void remove(pid_t pid);
  /// Lines that are still to be sent.
  std::size_t waiting() const { return waiting_.size() + (current_.empty() ? 0 : 1); }

 private:
  void on_ready(Ready) override { flush(); }
  void flush();
  void close(int error);

  net::Loop& loop_;
  net::Fd channel_;
  net::FdWatch watch_;
  std::map<pid_t, std::string> lines_;    ///< of the sidecars that run
  std::map<pid_t, std::string> waiting_;  ///< to be said, in any order: a line is about one process
  std::set<pid_t> told_;                  ///< pods that the control plane knows, or is just being told of
  std::string current_;                   ///< the rest of a line that has been sent in part
};

}  // namespace weft::local
