#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace weft::cli {

/// What kube-inject wants to know of the cluster that the current kubeconfig context names.
struct ClusterFacts {
  std::string origin;  ///< for messages: "/root/.kube/config, context kind"
  int minor = 0;       ///< of its version: 34 for 1.34
  std::string
      injector_settings;  ///< ConfigMap weft-injector in weft-system, key settings; empty: there is none
  std::string note;       ///< for the person: what it would not tell
};

/// Asks; takes about 2 s at most. Errors: kNotFound when no kubeconfig names a cluster, which is not a fault;
/// else why it could not be asked.
using AskCluster = std::function<Result<ClusterFacts>()>;

}  // namespace weft::cli
