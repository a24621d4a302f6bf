#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "inject/settings.h"

/// Any text as the injector's settings, which a ConfigMap holds: rejected with a reason, or taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto made = weft::inject::Settings::parse(text, "fuzz");
  if (!made) WEFT_ASSERT(!made.error().text.empty());
  return 0;
}
