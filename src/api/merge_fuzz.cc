#include <cstdint>
#include <string_view>

#include "api/json_text.h"
#include "api/merge.h"
#include "base/error.h"

/// Three texts of JSON, separated by line ends, merged as `apply` does; merged again nothing changes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  using weft::api::Json;
  const auto first = text.find('\n');
  const auto second = first == text.npos ? first : text.find('\n', first + 1);
  if (second == text.npos) return 0;
  const Json last = weft::api::parse_json(text.substr(0, first));
  const Json live = weft::api::parse_json(text.substr(first + 1, second - first - 1));
  const Json desired = weft::api::parse_json(text.substr(second + 1));
  if (last.is_discarded() || live.is_discarded() || desired.is_discarded()) return 0;
  const Json merged = weft::api::three_way_merge(last, live, desired);
  WEFT_ASSERT(weft::api::three_way_merge(desired, merged, desired) == merged);
  return 0;
}
