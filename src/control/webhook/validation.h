#pragma once

#include <functional>

#include "control/remarks/remarks.h"
#include "control/webhook/admission_review.h"

namespace weft::control {

using RemarksOnWrite = std::function<Remarks(const api::ObjectPtr&)>;

/// The same checks as `weft apply` does: schema, fields that we do not do, sense, and what a proxy makes of
/// the translated object. What is wrong is told with its field; what `remarks` says of a good object is a
/// warning. Kinds that we do not know are let through with a warning; so is a stored object whose fault is no
/// new one and whose spec stays. What is being deleted is let through. A pure function, if `remarks` is one.
AdmissionResponse validate_object(const AdmissionRequest& request, const RemarksOnWrite& remarks = {});

}  // namespace weft::control
