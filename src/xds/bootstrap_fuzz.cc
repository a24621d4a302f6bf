#include <cstdint>
#include <string_view>

#include "xds/bootstrap.h"

/// Any bytes as a bootstrap file: a message with a place, or a configuration.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::xds::parse_bootstrap(text, "fuzz"));
  return 0;
}
