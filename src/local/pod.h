#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "local/application.h"
#include "local/container.h"
#include "local/host.h"

namespace weft::local {

/// A pod on this machine: a network of its own, a sidecar, and the application's processes.
///
/// Owner: PodRuntime. Thread: the loop's. How it ends: co_await stop(); afterwards none of its processes is
/// left.
class Pod {
 public:
  /// `restarts` that an earlier run of the pod has had are in `object`'s status, its address too.
  Pod(const Host& host, api::ObjectPtr object, std::function<void()> on_change);
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;
  ~Pod();

  /// Makes network and files and starts the sidecar; the application follows when that is ready, or after
  /// some seconds.
  void start();
  /// SIGTERM to the application, then to the sidecar, each with at most `grace` before SIGKILL.
  net::Task<void> stop(Duration grace);
  /// A container that is still ending has at most `grace` from now on, and so have those after it.
  void shorten(Duration grace);

  const api::Object& object() const { return *place_pod_; }
  /// The grace period that a pod asks for, or that its deletion gives it.
  static Duration grace_of(const api::Object& pod);
  bool stopping() const { return stopping_; }
  /// Names and rules are to follow the Services as they are now. What fails is tried again, with back-off,
  /// until it is done.
  void services_changed();
  /// The whole of status.
  api::Json status() const;

 private:
  net::Task<void> run();
  Result<void> prepare();
  Result<void> write_files();
  Result<void> take_services();
  Result<void> take_rules();
  Result<void> make_volumes();
  net::Task<void> run_applications();
  net::Task<void> stop_applications();
  net::Task<void> end_remaining_processes();
  bool is_gateway() const;
  bool has_sidecar() const;
  bool applications_over() const;
  std::string phase() const;
  api::Json conditions() const;
  void on_container_change();

  const Host& host_;
  api::ObjectPtr place_pod_;
  std::function<void()> on_change_;
  std::string folder_, logs_, started_at_, message_, since_;
  mutable std::string ready_since_;
  mutable bool was_ready_ = false;
  std::unique_ptr<PodInterface> interface_;
  std::unique_ptr<PodPlace> place_;
  std::unique_ptr<Container> sidecar_;
  std::vector<std::unique_ptr<Container>> applications_;
  net::Event sidecar_ready_;
  std::uint64_t rules_taken_ = 0;  ///< of which version of the Services the rules in the kernel are
  net::Timer services_again_;      ///< what could not be taken over is tried again
  Backoff services_backoff_;
  bool stopping_ = false;
  Duration grace_{};  ///< for each process that is being stopped
  net::TaskScope tasks_;
};

}  // namespace weft::local
