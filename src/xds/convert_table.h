#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "proxy/config.h"
#include "xds/conversion.h"
#include "xds/packed_bytes.h"
#include "xds/resource.h"

namespace weft::xds {

/// A virtual host of a table, and what it became. Immutable: the versions of a table that have it share it.
struct ConvertedHost {
  PackedBytes bytes;              ///< its message
  proxy::VirtualHosts::Ptr host;  ///< with all its domains, also those that an earlier host has
  /// What was found in it; null: nothing. The texts have its place among the hosts.
  struct Notes {
    std::vector<std::string> unknown, left_out, rejected;
  };
  std::unique_ptr<const Notes> notes;
};
using ConvertedHostPtr = std::shared_ptr<const ConvertedHost>;

/// The virtual hosts of a table, in order: where the next version has the same bytes, it takes what they
/// became. Immutable; any thread.
struct ConvertedHosts {
  std::vector<ConvertedHostPtr> list;
  BytesPtr model;                   ///< by which new hosts are packed
  std::size_t max_direct_body = 0;  ///< by which they were converted
  bool kept_all = false;            ///< every host kept all its domains
  std::size_t before = 0;           ///< how much of Resource::bytes stands before them
  std::string form;                 ///< what the control plane calls this form of the table; empty: nothing
};

/// A table as the data plane takes it, not strict.
struct DecodedTable {
  proxy::RouteTable table;
  std::shared_ptr<ConvertedHosts> hosts;
  std::string rest;  ///< the message without its hosts
};
/// From the bytes of a RouteConfiguration. Only virtual hosts that are not in `before` are parsed; the others
/// are compared byte by byte, and are the same objects.
Result<DecodedTable> decode_table(std::string_view bytes, const Resource* before, Conversion& conversion);
/// From those of a RouteTableChange. Hosts that it says to be those of `before` are not looked at.
Result<DecodedTable> decode_table_change(std::string_view bytes, const Resource* before,
                                         Conversion& conversion);

}  // namespace weft::xds
