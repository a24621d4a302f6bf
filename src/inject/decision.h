#pragma once

#include <string>
#include <string_view>

#include "api/json.h"
#include "inject/settings.h"

namespace weft::inject {

/// Whether a pod gets a sidecar, and why. `warning` is for the person who wrote the pod.
struct Decision {
  bool inject = false;
  std::string reason;
  std::string warning = {};
};

/// First match wins: the host's network and the system's namespaces never; the label
/// sidecar.istio.io/inject, or else the annotation; the mesh's selectors; the mesh's policy.
Decision decide(const api::Json& metadata, const api::Json& spec, std::string_view ns,
                const Settings& settings);

}  // namespace weft::inject
