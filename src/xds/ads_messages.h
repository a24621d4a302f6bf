#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xds/resource_type.h"

/// What goes over an ADS stream, by either protocol, as the client has it.
namespace weft::xds {

/// A response with the bytes of its resources, which are not copied.
struct AdsResponse {
  struct Item {
    std::string_view type_url;  ///< delta: a route table may come as a RouteTableChange
    std::string_view value;
    std::string_view name, version;  ///< delta; else the name stands in the value
  };
  std::string type_url, version, nonce;
  std::vector<Item> resources;
  std::vector<std::string> removed;  ///< delta
};
/// Nullopt: the bytes are none.
std::optional<AdsResponse> read_response(std::string_view bytes, bool delta);

/// A request. Of the names by delta those that come and go, else all that are asked for.
struct AdsRequest {
  Type type = Type::kCluster;
  std::string_view nonce = {};    ///< of the response that it answers; empty: of none
  std::string_view error = {};    ///< why that is rejected; empty: it is not
  std::string_view node = {};     ///< serialized; empty: said before
  std::string_view version = {};  ///< not delta: that is accepted
  std::vector<std::string_view> names = {}, not_names = {};  ///< the second: delta
  std::vector<std::string_view> known = {};  ///< delta: names of what is there when the stream begins
};
std::string to_bytes(const AdsRequest& request, bool delta);

}  // namespace weft::xds
