#pragma once

#include "api/object.h"
#include "base/error.h"

namespace weft::store {

/// What an object keeps as it was created: a Pod its whole spec, a Deployment and a ReplicaSet spec.selector,
/// a ConfigMap and a Secret that say `immutable: true` all that they hold.
///
/// Nothing would follow a change: a pod's processes run as they were started, and pods that a selector does
/// not match any more have no owner. Kubernetes rejects the same changes, but for a Pod's image,
/// tolerations and activeDeadlineSeconds (docs/decisions/0065). Any thread. Error: kInvalid, with the first
/// field that differs and what to do.
Result<void> check_immutable_fields(const api::Object& wanted, const api::Object& stored);

}  // namespace weft::store
