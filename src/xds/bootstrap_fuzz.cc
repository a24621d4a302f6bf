#include <cstddef>
#include <cstdint>
#include <string_view>

#include "xds/bootstrap.h"

/// The file of -c: YAML or JSON, to what a proxy begins with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)weft::xds::parse_bootstrap(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz", {});
  return 0;
}
