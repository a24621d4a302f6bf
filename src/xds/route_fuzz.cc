#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/routing/routing_table.h"
#include "xds/resource.h"

/// Any bytes as a route resource: they are rejected, or become a table that workers can run.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto made = weft::xds::decode(weft::xds::Type::kRoute, text);
  if (made)
    WEFT_ASSERT(weft::proxy::RoutingTable::compile((*made)->as<weft::proxy::RouteTable>()).has_value());
  return 0;
}
