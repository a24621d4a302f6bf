#pragma once

#include "install/plan.h"
#include "install/section.h"

namespace weft::install {

/// When the API server asks the control plane: for new pods that are to get a sidecar, and for rules of
/// traffic that are written. Both without a caBundle, which the control plane fills in. Any thread.
Parts webhooks(const Plan& plan);

}  // namespace weft::install
