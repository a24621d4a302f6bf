#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "inject/manifest.h"

/// Any bytes as a file: they are rejected, or injected so that injecting again changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::inject;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ManifestOptions options;
  options.settings.native = size % 2 == 0;
  const auto once = inject_manifest(text, "fuzz", options);
  if (!once) return 0;
  if (once->injected == 0 && once->notes.empty()) WEFT_ASSERT(once->text == text);
  const auto again = inject_manifest(once->text, "fuzz", options);
  WEFT_ASSERT(again.has_value());
  WEFT_ASSERT(again->text == once->text);
  return 0;
}
