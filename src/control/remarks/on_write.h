#pragma once

#include "control/remarks/remarks.h"

namespace weft::control {

/// What there would be to say of `object` if it were stored now, for the user who is about to store it: a
/// rule that names what is not there waits for it from its first moment on. What comes later in the same file
/// is not there yet either.
///
/// Of VirtualServices, DestinationRules and Istio's Gateways; of other kinds nothing. Nothing, too, in a mesh
/// of more than 1000 rules: each write reads all of them, and the object's status says the same a moment
/// later. A pure function.
Remarks remarks_on_write(const PushContext& before, const api::ObjectPtr& object, Ground ground);

}  // namespace weft::control
