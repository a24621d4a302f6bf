#pragma once

#include <string>

#include "api/json.h"
#include "inject/pod_options.h"
#include "inject/settings.h"

namespace weft::inject {

/// The object that a pod's template stands in, or the pod itself: who the sidecar says it works for. A
/// webhook, which sees pods only, takes it from their ownerReferences, and the namespace from the request. No
/// name: nothing is said.
struct Owner {
  std::string api_version, kind, name, ns;
};

/// What is put into a pod, before the pod's own wishes for it are merged in.
struct Sidecar {
  api::Json init_container;  ///< null when nothing is to be captured
  api::Json proxy_container;
  api::Json volumes;
};

/// `spec` is the application's, without a sidecar. `probers` and `prometheus` (null: none) go into its
/// environment.
Sidecar make_sidecar(const api::Json& spec, const Owner& owner, const PodOptions& options,
                     const Settings& settings, const api::Json& probers, const api::Json& prometheus);

}  // namespace weft::inject
