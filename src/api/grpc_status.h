#pragma once

#include <optional>
#include <string_view>

namespace weft::api {

/// The number of a gRPC status by its name (grpc/doc/statuscodes.md), as rules write it: 14 for
/// "UNAVAILABLE". Nothing: it is the name of none. Any thread.
std::optional<int> grpc_status_number(std::string_view name);

}  // namespace weft::api
