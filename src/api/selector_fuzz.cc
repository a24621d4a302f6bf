#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "api/selector.h"

/// Any text as a label selector: rejected, or it matches or does not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto selector = weft::api::LabelSelector::parse(text);
  if (selector) static_cast<void>(selector->matches({{"app", "web"}, {std::string(text), ""}}));
  return 0;
}
