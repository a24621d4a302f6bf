#pragma once

#include <string>
#include <string_view>

namespace weft::xds {

/// What Envoy calls field `number` of `message`, for messages of which our subset lacks it; "field #27" for
/// one that is not known here either. A message from the wire has numbers only. Any thread.
std::string name_of_field(std::string_view message, int number);

}  // namespace weft::xds
