#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "proxy/config.h"
#include "xds/conversion.h"
#include "xds/resource.h"

namespace weft::xds {

/// A virtual host as it stands in the bytes of its table, and what it became.
struct ConvertedHost {
  std::uint32_t offset, size;     ///< of its message in Resource::bytes
  proxy::VirtualHosts::Ptr host;  ///< with all its domains, also those that an earlier host has
  /// What was found in it; null: nothing. The texts have its place among the hosts.
  struct Notes {
    std::vector<std::string> unknown, left_out, rejected;
  };
  std::shared_ptr<const Notes> notes;
};

/// The virtual hosts of a table, in order: where the next version has the same bytes, it takes what they
/// became. Immutable; any thread.
struct ConvertedHosts {
  std::vector<ConvertedHost> list;
  std::size_t max_direct_body = 0;  ///< by which they were converted
  bool kept_all = false;            ///< every host kept all its domains
};

/// A table as the data plane takes it, from the bytes of a RouteConfiguration, not strict. Only virtual hosts
/// that are not in `before` are parsed.
struct DecodedTable {
  proxy::RouteTable table;
  std::shared_ptr<const ConvertedHosts> hosts;
};
Result<DecodedTable> decode_table(std::string_view bytes, const Resource* before, Conversion& conversion);

}  // namespace weft::xds
