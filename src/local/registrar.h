#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "net/socket.h"

namespace weft::local {

/// Tells the control plane which process is which sidecar (docs/architecture.md, "Identity on one machine").
///
/// Owner: the supervisor. Thread: its own. What has been said is said again to a control plane that has been
/// restarted.
class Registrar {
 public:
  /// From now on this end of the channel is spoken to; everything known is said at once.
  void use(net::Fd channel);
  void add(pid_t pid, std::uint64_t start_time, std::string_view ns, std::string_view pod,
           std::string_view service_account);
  void remove(pid_t pid);

 private:
  void say(const std::string& line);
  net::Fd channel_;
  std::map<pid_t, std::string> lines_;
};

}  // namespace weft::local
