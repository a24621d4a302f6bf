#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "proxy/listener/sniff.h"

/// What is known of a prefix of bytes stays true of all of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = weft::proxy::sniff(text);
  for (std::size_t length = 0; length < size && length < 300; ++length) {
    const auto early = weft::proxy::sniff(text.substr(0, length));
    WEFT_ASSERT(early == weft::proxy::Sniffed::kUndecided || early == whole);
  }
  return 0;
}
