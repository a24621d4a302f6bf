#include <cstdint>
#include <string_view>

#include "store/kubernetes/server_url.h"

/// Any text as the address of an API server, and as a port.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::store::parse_server_url(text));
  static_cast<void>(weft::store::parse_port(text));
  return 0;
}
