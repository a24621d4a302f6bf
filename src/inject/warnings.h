#pragma once

#include <string>
#include <vector>

#include "api/json.h"
#include "inject/pod_options.h"
#include "inject/sidecar_template.h"

namespace weft::inject {

/// What the author of a pod should know although it is injected: what a sidecar changes without an error
/// anywhere. `spec` is without the sidecar of a previous injection. One sentence each. Any thread.
std::vector<std::string> warnings_of(const api::Json& spec, const Owner& owner, const PodOptions& options);

}  // namespace weft::inject
