#pragma once

#include <string>
#include <vector>

#include "net/loop.h"
#include "net/task.h"
#include "store/kubernetes/raw_api.h"

namespace weft::control {

/// One thing that we must be allowed to do.
struct Permission {
  std::string verb, group, resource;
  std::string ns = {};    ///< empty: in all namespaces
  std::string name = {};  ///< empty: any
};

/// Asks the API server now and then whether we are still allowed what we do: a watch that is open goes on for
/// minutes after its permission is gone, and a write fails only when it is needed.
///
/// One SelfSubjectRulesReview each five minutes says all of it. What its rules do not show, an authorizer
/// that cannot list them may still allow: that alone is asked for by name (SelfSubjectAccessReview), and
/// while something is missing everything is asked again after 20 s, so that its return is soon seen.
///
/// A server that cannot be asked changes nothing of what is known. Owner: the program; `api` must outlive it.
/// Thread: the loop's. How it ends: the destructor.
class Permissions {
 public:
  /// `ns` is our own namespace: its Roles count beside the ClusterRoles.
  Permissions(net::Loop& loop, store::RawApi& api, std::string ns, std::vector<Permission> wanted);
  void start() { tasks_.spawn(run()); }
  /// "not allowed to create tokenreviews.authentication.k8s.io", for each that is denied.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  net::Task<void> run();
  net::Task<bool> ask_all();
  net::Task<Result<bool>> ask_for(const Permission& wanted);

  net::Loop& loop_;
  store::RawApi& api_;
  std::string ns_;
  std::vector<Permission> wanted_;
  std::vector<std::string> problems_;
  net::TaskScope tasks_;
};

/// All that `weft install` lets the control plane in namespace `ns` do: a right that is given is one that is
/// needed. A right limited to names is asked for by name.
std::vector<Permission> control_plane_permissions(const std::string& ns);

}  // namespace weft::control
