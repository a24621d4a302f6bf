#pragma once

#include "install/plan.h"
#include "install/section.h"

namespace weft::install {

/// The control plane itself: settings of injection, Service, Deployment. Its ServiceAccount and rights come
/// before, its webhooks after. Any thread.
Parts control_plane(const Plan& plan);
Part control_plane_account();

/// What every container of ours is denied: it runs as 1337, changes nothing on its root, and has no
/// capability.
api::Json locked_container();
/// The same for the pod, and the group that may read its token.
api::Json locked_pod();

}  // namespace weft::install
