#pragma once

#include <memory>
#include <string>

#include "local/container.h"
#include "local/host.h"

namespace weft::local {

/// What a pod's application containers stand in. Owner: the pod.
struct PodPlace {
  const Host& host;
  api::ObjectPtr pod;
  const PodInterface& interface;
  std::string folder;         ///< <state>/pods/<ns>_<pod>
  std::string logs;           ///< <state>/logs/<ns>_<pod>
  std::vector<Mount> mounts;  ///< what every container of the pod sees: hosts, resolv.conf, nsswitch.conf
};

/// One of spec.containers as something to run. `place` outlives it; `container` belongs to place.pod.
/// `running` gives the container itself later, for exec probes.
Container::Plan application_plan(const PodPlace& place, const api::Json& container,
                                 std::function<pid_t()> running, std::function<void()> on_change);

RestartPolicy restart_policy_of(const api::Object& pod);

}  // namespace weft::local
