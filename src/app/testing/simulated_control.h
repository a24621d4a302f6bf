#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/control_plane.h"
#include "control/identity/registrations.h"
#include "http/grpc/server.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::app::testing {

/// The control plane as `weft control` puts it together, without its sockets.
///
/// Owner: SimulatedMesh; the store must outlive it. Thread: the simulated loop. How it ends: the destructor,
/// as a process does that is killed.
class SimulatedControl {
 public:
  SimulatedControl(net::Loop& loop, store::Store& store, std::uint64_t seed);

  /// A sidecar's process has begun, or ended: what the supervisor says.
  void add_process(int pid, const std::string& pod);
  void remove_process(int pid);
  /// Whether connections are taken: all objects have been read once.
  bool listens() const { return server_ != nullptr; }
  void accept(std::unique_ptr<net::Stream> stream, int pid);

  control::ControlPlane& plane() { return *plane_; }
  http::grpc::ServerCounts counts() const { return server_ ? server_->counts() : http::grpc::ServerCounts(); }

 private:
  net::Task<void> serve();

  control::Registrations* registrations_;
  std::unique_ptr<control::ControlPlane> plane_;
  std::unique_ptr<http::grpc::Server> server_;
  net::TaskScope tasks_;
};

}  // namespace weft::app::testing
