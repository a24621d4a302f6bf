#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/error.h"
#include "proxy/filters/grpc_web/text_decoder.h"

/// Where a text is cut changes nothing, and what was encoded comes back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view first = text.substr(0, data[0] % (text.size() + 1));
  weft::proxy::TextDecoder at_once, in_two;
  std::string whole, pieces;
  const bool decoded = at_once.decode(text, whole);
  const bool same = in_two.decode(first, pieces) && in_two.decode(text.substr(first.size()), pieces);
  WEFT_ASSERT(decoded == same && at_once.whole() == in_two.whole() && whole == pieces);
  weft::proxy::TextDecoder back;
  std::string bytes;
  WEFT_ASSERT(back.decode(weft::encode_base64(text), bytes) && back.whole() && bytes == text);
  return 0;
}
