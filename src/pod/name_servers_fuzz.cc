#include "pod/name_servers.h"

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "capture/pod_environment.h"

/// Any text as /etc/resolv.conf: servers with an address of their own kind, and no more than there are lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto written = weft::capture::nameservers(text);
  for (const auto& server : written) WEFT_ASSERT(server.address.is_one_address());
  const auto asked = weft::pod::name_servers(text);
  WEFT_ASSERT(asked.size() <= written.size());
  for (const auto& server : asked) WEFT_ASSERT(server.port() == 53);
  return 0;
}
