#include <cstdint>
#include <string_view>

#include "api/admit.h"
#include "api/json_text.h"

/// Any JSON as an object that a client writes to the API.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto body = weft::api::parse_json(text);
  if (!body.is_discarded()) static_cast<void>(weft::api::admit(std::move(body)));
  return 0;
}
