#pragma once

#include <memory>

#include "proxy/filters/http_filter.h"

namespace weft::proxy {

/// Counts each exchange at its end among `http.<prefix>.`: its status class and the bytes of its bodies.
/// What a call of gRPC came to is counted among `cluster.<name>.grpc.` of the cluster that it was for.
std::shared_ptr<const HttpFilter> counters_filter();

}  // namespace weft::proxy
