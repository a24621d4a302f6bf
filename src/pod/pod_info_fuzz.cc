#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "pod/pod_info.h"

/// Any text as a file of the downward API and as a control group's cpu.max.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& [key, value] : weft::pod::parse_pod_info(text)) WEFT_ASSERT(!key.empty());
  const auto limit = weft::pod::cpu_limit(text);
  WEFT_ASSERT(!limit || (*limit >= 1 && *limit <= 1024));
  return 0;
}
