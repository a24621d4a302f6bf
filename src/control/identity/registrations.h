#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/identity/authenticator.h"
#include "net/socket.h"

namespace weft::control {

/// A sidecar that the supervisor has started.
struct Registration {
  int pid = 0;
  std::uint64_t start_time = 0;  ///< field 22 of /proc/<pid>/stat; 0: not told
  std::string ns, pod, service_account;
};

/// Who each process is, as the supervisor says on the registration channel: lines
/// "add <pid> <start-time> <namespace> <pod> <service-account>" and "remove <pid>".
///
/// Owner: ControlPlane. Thread: the loop's. How it ends: the destructor; the end of the channel leaves what
/// is known.
class Registrations final : public Authenticator, private net::ReadyHandler {
 public:
  /// Takes one end of a connected Unix socketpair.
  static Result<std::unique_ptr<Registrations>> adopt(net::Loop& loop, net::Fd channel);
  /// Without a channel: knows whom take_line() tells of; for tests.
  Registrations() = default;

  /// By the process at the other end of a Unix socket.
  net::Task<std::expected<Peer, Rejection>> identify(const http::grpc::Call& call) override;
  std::vector<Peer> running() override;

  /// Reads what waits in the channel first, so that no process is called unknown whose line is already there.
  /// A process that an identified one has started counts as that one.
  std::optional<Registration> find(int pid);
  /// Every sidecar known now.
  const std::map<int, Registration>& all();
  /// One line without its end; lines that are none are logged and left out.
  void take_line(std::string_view line);
  std::size_t size() const { return by_pid_.size(); }

 private:
  void on_ready(Ready ready) override;
  void drain();

  net::Fd channel_;
  net::FdWatch watch_;
  std::string partial_;
  std::map<int, Registration> by_pid_;
};

}  // namespace weft::control
