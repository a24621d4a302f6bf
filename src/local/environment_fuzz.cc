#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "local/environment.h"
#include "local/image_map.h"

/// Any text as a container's `value`, `args` and image, and as the command of an image.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::local;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment known = {{"A", "$(B)"}, {"B", ""}, {std::string(text), "x"}};
  const auto expanded = expand(text, known);
  if (text.find('$') == text.npos) WEFT_ASSERT(expanded == text);
  WEFT_ASSERT(text.starts_with(image_name(text)));
  ImageMap images("bookinfo");
  if (images.add(text)) WEFT_ASSERT(images.find(text.substr(0, text.find('='))).has_value());
  static_cast<void>(images.find(text));
  return 0;
}
