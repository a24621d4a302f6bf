#include <cstdint>
#include <string_view>

#include "api/json_text.h"
#include "control/identity/token_reviewer.h"

/// Any JSON as an API server's TokenReview.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto review = weft::api::parse_json(text);
  if (!review.is_discarded()) static_cast<void>(weft::control::read_token_review(review, "istio-ca"));
  return 0;
}
