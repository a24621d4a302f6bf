#include <cstdint>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "base/error.h"

/// Any bytes as JSON: what the library makes of them at the same depth, and its text reads as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Json made = parse_json(text);
  const Json expected = Json::parse(text, nullptr, false);
  if (made.is_discarded()) {
    WEFT_ASSERT(expected.is_discarded() || deeper_than(expected, 199) || text.find('\0') != text.npos);
    return 0;
  }
  WEFT_ASSERT(is_utf8(text) && made == expected);
  WEFT_ASSERT(parse_json(json_text(made)) == made);
  return 0;
}
