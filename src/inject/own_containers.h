#pragma once

#include "api/json.h"

namespace weft::inject {

/// What the pod's author says of the injected containers: containers of their names in the pod.
struct OwnContainers {
  api::Json proxy;  ///< null: nothing
  api::Json init;
  /// As they were written, for the annotation that a later injection reads; null when there are none.
  api::Json record;
};

/// Takes them out of the pod.
OwnContainers take_own_containers(api::Json& spec);

/// `own` over `made`, as Kubernetes merges: maps member by member; env, ports and mounts by their key; other
/// lists whole; resources whole. The image "auto" means the injected one, and beside it the pull policy
/// Always means that of the injected one.
void merge_container(api::Json& made, const api::Json& own);

}  // namespace weft::inject
