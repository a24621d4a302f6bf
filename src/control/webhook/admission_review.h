#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/error.h"

namespace weft::control {

/// What an API server asks a webhook (admission.k8s.io/v1, AdmissionReview.request).
struct AdmissionRequest {
  std::string uid, ns, name, operation;
  api::Json object;           ///< null for DELETE
  api::Json old_object = {};  ///< as it is stored; null for CREATE
};

/// Its response. The patch is applied when the object is allowed.
struct AdmissionResponse {
  bool allowed = true;
  std::string message = {};                ///< why not
  std::vector<std::string> warnings = {};  ///< shown to the sender of the object
  api::Json patch = {};                    ///< RFC 6902; null: nothing changes
};

/// Error: kInvalid: it is no AdmissionReview of a request, or is nested more than 100 levels deep. Whatever
/// the bytes are, nothing worse comes of them.
Result<AdmissionRequest> read_admission_review(std::string_view body);
/// The AdmissionReview that responds to the request of that uid, as text.
std::string write_admission_review(const std::string& uid, const AdmissionResponse& response);

}  // namespace weft::control
