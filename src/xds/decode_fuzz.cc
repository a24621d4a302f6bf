#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proxy/routing/routing_table.h"
#include "xds/resource.h"

namespace {

/// A route table that was taken has to be one that workers can run.
void expect_usable(const weft::xds::Resource& resource) {
  const auto* table = std::get_if<std::shared_ptr<const weft::proxy::RouteTable>>(&resource.value);
  if (table && !weft::proxy::RoutingTable::compile(*table)) std::abort();
}

}  // namespace

/// What a control plane sends: the first byte chooses the type of resource, the rest is its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto type = static_cast<weft::xds::Type>(data[0] % weft::xds::kAllTypes.size());
  const auto made = weft::xds::decode(type, std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  if (made) expect_usable(**made);
  return 0;
}
