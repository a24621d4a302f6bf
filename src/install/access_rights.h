#pragma once

#include "install/plan.h"
#include "install/section.h"

namespace weft::install {

/// What the control plane may do: a ClusterRole, a Role in its own namespace, and their bindings. Every rule
/// names its resources and verbs, with the reason; there is no wildcard. Gateways and sidecars need no rights
/// at all. Any thread.
Parts access_rights(const Plan& plan);

}  // namespace weft::install
