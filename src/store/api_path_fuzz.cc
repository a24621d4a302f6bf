#include <cstdint>
#include <string_view>

#include "store/api_path.h"

/// Any text as a path of the API.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::store::parse_api_path(text));
  return 0;
}
