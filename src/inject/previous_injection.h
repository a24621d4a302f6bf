#pragma once

#include <string>
#include <string_view>

#include "api/json.h"

namespace weft::inject {

/// Takes back what a previous injection did to a pod template, by its own record of it
/// (sidecar.istio.io/status): its containers, volumes, labels, annotations and waits go, the user's own
/// definitions of them come back, and so do probes and scrape annotations. A pod that was never injected
/// stays as it is.
void undo_injection(api::Json& metadata, api::Json& spec);

/// A variable's value as its container sees it: Kubernetes reads "$$" as one dollar.
std::string read_variable(std::string_view text);

}  // namespace weft::inject
