#include <cstdint>
#include <string_view>

#include "api/duration.h"
#include "base/error.h"

/// What reads as a duration is written so that it reads as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto duration = weft::api::parse_duration(text);
  if (!duration) return 0;
  const auto again = weft::api::parse_duration(weft::api::format_duration(*duration));
  WEFT_ASSERT(again && *again == *duration);
  return 0;
}
