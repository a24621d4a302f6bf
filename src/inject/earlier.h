#pragma once

#include "api/json.h"

namespace weft::inject {

/// Takes back what an earlier injection did to a pod template, by its own record of it
/// (sidecar.istio.io/status): its containers and volumes go, the user's own definitions of them come back,
/// and so do probes and scrape annotations. A pod that was never injected stays as it is.
void undo_injection(api::Json& metadata, api::Json& spec);

}  // namespace weft::inject
