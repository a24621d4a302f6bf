#pragma once

#include <string>

#include "api/json.h"
#include "base/error.h"
#include "net/task.h"

namespace weft::store {

/// A request to the API server by its REST path, for kinds that `api` does not know: Lease, TokenReview,
/// Event, CustomResourceDefinition, webhook configurations.
struct RawRequest {
  std::string method = "GET";
  std::string
      path;  ///< with the query, percent-encoded: "/apis/coordination.k8s.io/v1/namespaces/n/leases/l"
  api::Json body = {};  ///< null: none
  std::string content_type = "application/json";
};

/// Responds to such requests. Thread: one loop.
class RawApi {
 public:
  virtual ~RawApi() = default;
  /// The response's object. Errors are those of a Store: kNotFound (no such object), kConflict (there
  /// already, or another version), kInvalid, kDenied; kUnsupported: this server has no such type of resource;
  /// kUnavailable, kTimeout, kRefused, kReset: it may work later.
  virtual net::Task<Result<api::Json>> call(RawRequest request) = 0;
};

}  // namespace weft::store
