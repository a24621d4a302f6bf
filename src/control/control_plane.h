#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "control/ads/server.h"
#include "control/controllers/manager.h"
#include "control/identity/authenticator.h"
#include "control/object_cache.h"
#include "control/receipts.h"
#include "control/remarks/remark_log.h"
#include "control/remarks/remarks.h"
#include "http/exchange.h"
#include "net/wait_queue.h"
#include "store/store.h"

namespace weft::control {

/// What differs between one machine and a cluster. The defaults are one machine's.
struct ControlPlaneOptions {
  ObjectCacheOptions cache = {};
  std::vector<Controller> controllers = all_controllers();
  /// How often the store is compared with the cache while a change is on its way from one to the other.
  Duration look_again = 1ms;
  /// Changes that come within this time of a push wait until none has come for as long, at most five times
  /// that, or at most fifty times while proxies are busy with what they were sent; then they are pushed
  /// together.
  Duration quiet = 10ms;
  Ground ground = Ground::kOneMachine;
  /// What pushes are paced by; empty: what this thread has used.
  std::function<Duration()> cpu_time = {};
  Random random = {};  ///< of the controllers
};

/// What runs on a cluster: it has controllers of its own for most kinds.
ControlPlaneOptions cluster_options();

/// The control plane above any store: caches it, runs the controllers, translates, serves proxies, and
/// responds to /weft/v1/….
///
/// Owner: the program. Thread: the loop's. How it ends: the servers that call into it end first, then the
/// destructor.
class ControlPlane {
 public:
  ControlPlane(net::Loop& loop, store::Store& store, std::unique_ptr<Authenticator> authenticator,
               ControlPlaneOptions options = {});

  void start();
  /// Resumes when every object has been read once: before that neither a proxy nor another client should get
  /// a response.
  net::Task<void> ready();

  /// The gRPC method at AdsServer::kPath.
  net::Task<void> serve_proxy(http::grpc::Call call) { return ads_.serve(std::move(call)); }
  /// GET /weft/v1/applied, /weft/v1/proxies, /weft/v1/receipts, /weft/v1/remarks. The last takes a parameter
  /// `of`: the REST paths of the objects that are asked about, with commas between them.
  net::Task<void> serve_mesh_api(http::ServerExchange& exchange);

  /// Waits until the controllers and every connected proxy have done with everything up to `version`. The
  /// response is Receipts::progress_json; its "applied" says whether it is so, or the deadline came or a
  /// proxy rejected it. A write of a controller that failed counts when it may come of a version from `since`
  /// on; 0: from `version` on.
  net::Task<api::Json> wait_applied(std::uint64_t version, TimePoint deadline, std::uint64_t since = 0);

  /// For replicas: whose controllers may write, see there. Without it this one's may.
  ControllerManager& controllers() { return controllers_; }

  /// The settings that gateways' pods are made by; they must outlive this. Without them the defaults hold.
  void set_injection(const inject::Settings* settings) { controllers_.set_injection(settings); }

  /// What there is to say of every object at this moment.
  std::map<api::Key, Remarks> remarks();
  std::map<api::Key, Remarks> remarks_on(const std::vector<api::Key>& keys);
  /// What there would be to say of an object if it were stored now (remarks/on_write.h).
  Remarks remarks_on_write(const api::ObjectPtr& object) const;

  /// No change that is known waits for others to be pushed with.
  bool has_pushed_everything() const;

  /// The objects as they are known at this moment.
  ObjectSnapshotPtr snapshot() { return cache_.snapshot(); }
  const ObjectCache& cache() const { return cache_; }
  const AdsServer& ads() const { return ads_; }
  const Receipts& receipts() const { return receipts_; }

 private:
  std::shared_ptr<const PushContext> push_context_of(const ObjectSnapshotPtr& snapshot);
  void on_change();
  void on_progress();
  void tell_rejections();
  void look_for_rejections();
  void push();
  void tell_conflicts(const Registry& registry);
  void push_when_due();
  void push_if_proxies_are_ready();
  net::Task<void> serve_remarks(http::ServerExchange& exchange, std::string target);
  net::Task<void> serve_applied(http::ServerExchange& exchange, std::string target);
  net::Task<Result<void>> respond_applied(http::ServerExchange& exchange, std::uint64_t version,
                                          TimePoint deadline, std::uint64_t since);
  api::Json progress_of(std::uint64_t generation, bool caught_up,
                        const std::vector<ControllerManager::Failure>& failures) const;
  net::Task<bool> wait_for_controllers(std::uint64_t version, TimePoint deadline);

  net::Loop& loop_;
  net::WaitQueue progress_;
  Duration look_again_, quiet_;
  std::unique_ptr<Authenticator> authenticator_;
  ObjectCache cache_;
  std::function<Duration()> cpu_time_;
  ControllerManager controllers_;
  AdsServer ads_;
  Receipts receipts_;
  std::shared_ptr<const PushContext> pushed_;  ///< what proxies were offered last
  std::shared_ptr<const PushContext> read_;    ///< of the newest snapshot that something was read of
  std::vector<PortConflict> conflicts_told_;
  Ground ground_;
  RemarkLog remark_log_;
  net::Timer remark_timer_;
  TimePoint next_push_{};  ///< not before, so that pushing leaves time for everything else
  TimePoint last_push_{};
  std::optional<TimePoint> gathering_since_;  ///< changes wait for more of them
  /// Proxies that are behind this generation were waited for long enough; 0: none.
  std::uint64_t not_waited_for_ = 0;
  net::Timer push_timer_;
  TimePoint next_rejections_{};  ///< what proxies rejected is not looked through before
  net::Timer rejections_timer_;
};

}  // namespace weft::control
