#pragma once

#include <map>
#include <set>
#include <string>

#include "cli/apply_objects.h"
#include "cli/context.h"
#include "store/informer.h"

namespace weft::cli {

/// Watches a mesh that has just been started until every Deployment has its pods, and says of each pod when
/// it is ready, or what keeps it from getting there.
///
/// Owner: `weft up`. Thread: the loop's. How it ends: the destructor.
class StartProgress {
 public:
  enum class State { kWaiting, kReady, kStuck };
  StartProgress(const Context& context, TimePoint began);

  void start();
  /// Nothing is ready before the watches have seen what was applied.
  void expect(const Applied& applied) { applied_ = applied; }
  /// The same, and of the pods and Deployments that controllers make of it or change for it.
  net::Task<Result<void>> expect_with_outcome(Applied applied);
  /// kStuck: what is not ready will not get there by waiting; problems() says why.
  State state() const;
  /// One line for each pod that is not ready.
  std::string problems() const;

 private:
  void on_pod(const store::Event& event);
  bool failed_before(const api::Json& pod) const;
  bool up_to_date() const;
  bool deployments_ready() const;

  const Context& context_;
  TimePoint began_;
  std::string began_at_;  ///< as RFC 3339 in UTC, which sorts as text; up to a second early
  Applied applied_;
  std::set<std::string> announced_;
  std::set<std::string> over_before_;  ///< uids of pods that had failed for good in an earlier run
  store::Informer pods_, deployments_;
};

/// Whether something has been so for a while without interruption.
class Lasting {
 public:
  explicit Lasting(Duration time) : time_(time) {}
  bool lasts(bool so_now, TimePoint now) {
    if (!so_now) since_ = kNever;
    if (so_now && since_ == kNever) since_ = now;
    return so_now && now - since_ >= time_;
  }

 private:
  Duration time_;
  TimePoint since_ = kNever;
};

/// The path of a page that the rules let in from outside: of the first route of the first VirtualService with
/// a gateway, else "/".
std::string page_path(const std::map<api::Key, api::ObjectPtr>& virtual_services);

}  // namespace weft::cli
