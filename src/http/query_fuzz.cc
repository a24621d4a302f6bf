#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/server.h"

/// Any text as a request's target. What is percent-encoded decodes to itself, and a parameter is found by its
/// name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  WEFT_ASSERT(percent_decode(percent_encode(text)) == text);
  static_cast<void>(query_parameter(text, "filter"));
  const std::string target = "/a?x=1&" + percent_encode(text) + "=" + percent_encode(text);
  if (text != "x") WEFT_ASSERT(query_parameter(target, text) == text);
  WEFT_ASSERT(path_of(target) == "/a");
  return 0;
}
