#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/error.h"

/// Any bytes encode and decode to themselves; any text decodes or does not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto back = weft::decode_base64(weft::encode_base64(text));
  WEFT_ASSERT(back && *back == text);
  static_cast<void>(weft::decode_base64(text));
  return 0;
}
