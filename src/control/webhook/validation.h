#pragma once

#include "control/webhook/admission_review.h"

namespace weft::control {

/// The same checks as `weft apply` does: schema, fields that we do not do, sense, and what a proxy makes of the
/// translated object. What is wrong is told with
/// its field. Kinds that we do not know are let through with a warning; so is what is being deleted. A pure
/// function.
AdmissionAnswer validate_object(const AdmissionRequest& request);

}  // namespace weft::control
