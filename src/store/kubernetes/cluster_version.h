#pragma once

#include <string>

#include "store/kubernetes/raw_api.h"

namespace weft::store {

/// Which Kubernetes an API server is of.
struct ClusterVersion {
  int major = 0, minor = 0;  ///< some clouds say "29+": 29
  std::string text;          ///< "v1.34.1"
};

/// Asks for /version. `api` must outlive the call. Errors are those of RawApi; kUnsupported: the response
/// names no version.
net::Task<Result<ClusterVersion>> cluster_version(RawApi& api);

}  // namespace weft::store
