#include <cstdint>
#include <string_view>

#include "control/webhook/admission_review.h"
#include "control/webhook/injection.h"
#include "control/webhook/validation.h"

/// Any bytes as an AdmissionReview: rejected, or validated and injected.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto request = weft::control::read_admission_review(text);
  if (!request) return 0;
  static_cast<void>(
      weft::control::write_admission_review(request->uid, weft::control::validate_object(*request)));
  static_cast<void>(
      weft::control::write_admission_review(request->uid, weft::control::inject_pod(*request, {})));
  return 0;
}
