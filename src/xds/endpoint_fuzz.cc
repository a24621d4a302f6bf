#include <cstdint>
#include <string>
#include <string_view>

#include "xds/resource.h"

/// Any bytes as a endpoint resource: they are rejected, or become the proxy's structs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::xds::decode(weft::xds::Type::kEndpoint, std::string(text)));
  return 0;
}
