#include <cstdint>
#include <string_view>

#include "api/merge.h"
#include "base/error.h"
#include "nlohmann/json.hpp"

/// Three texts of JSON, separated by line ends, merged as `apply` does; merged again nothing changes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  using weft::api::Json;
  const auto first = text.find('\n');
  const auto second = first == text.npos ? first : text.find('\n', first + 1);
  if (second == text.npos) return 0;
  const Json last = Json::parse(text.substr(0, first), nullptr, false);
  const Json live = Json::parse(text.substr(first + 1, second - first - 1), nullptr, false);
  const Json desired = Json::parse(text.substr(second + 1), nullptr, false);
  if (last.is_discarded() || live.is_discarded() || desired.is_discarded()) return 0;
  const Json merged = weft::api::three_way_merge(last, live, desired);
  WEFT_ASSERT(weft::api::three_way_merge(desired, merged, desired) == merged);
  return 0;
}
