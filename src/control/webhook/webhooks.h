#pragma once

#include "control/monitoring/metrics.h"
#include "control/webhook/admission_review.h"
#include "control/webhook/injector_settings.h"
#include "control/webhook/validation.h"
#include "http/exchange.h"

namespace weft::control {

/// Serves the API server's requests: POST /inject (and /inject/cluster/<name>/…) and POST /validate.
///
/// A body that is empty or no AdmissionReview is 400, one of another type 415, one above 6 MB 413; whatever
/// is wrong with the object itself is a response with allowed: false. Owner: the program. Thread: the loop's.
class Webhooks {
 public:
  /// `remarks`: what a good rule is warned of.
  Webhooks(const InjectorSettings& settings, Metrics& metrics, RemarksOnWrite remarks = {})
      : settings_(settings), metrics_(metrics), remarks_(std::move(remarks)) {}
  net::Task<void> handle(http::ServerExchange& exchange);

 private:
  AdmissionResponse inject(const AdmissionRequest& request, std::string_view path);
  AdmissionResponse validate(const AdmissionRequest& request);
  net::Task<void> respond(http::ServerExchange& exchange, std::string path);

  const InjectorSettings& settings_;
  Metrics& metrics_;
  RemarksOnWrite remarks_;
};

}  // namespace weft::control
