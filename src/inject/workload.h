#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/error.h"
#include "inject/injector.h"
#include "inject/settings.h"

namespace weft::inject {

/// One pod template that was looked at.
struct Looked {
  std::string object;  ///< "Deployment default/reviews-v1"
  std::string path;    ///< of the template: "spec.template", "items[2].spec.template", empty for a Pod
  Outcome outcome;
};

struct WorkloadError {
  std::string object, path, text;
};

/// Whether objects of that kind have a pod template, or are a list that may hold some.
bool may_have_pods(const std::string& api_version, const std::string& kind);

/// Injects the pod templates of one object: Pod, Deployment, DaemonSet, ReplicaSet, StatefulSet,
/// ReplicationController, Job, CronJob, DeploymentConfig, and every item of a List or of a list of one
/// of these kinds (DeploymentList), whose items need not say what they are. Anything else stays as it is.
/// `default_namespace` is that of objects that name none. A pure function.
std::expected<std::vector<Looked>, WorkloadError> inject_object(api::Json& object,
                                                                std::string_view default_namespace,
                                                                const Settings& settings);

}  // namespace weft::inject
