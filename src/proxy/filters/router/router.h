#pragma once

#include "net/task.h"

namespace weft::proxy {

class HttpStream;

/// What stands behind the last filter: does what the route of the request says, or replies that there is no
/// route. The task of that action itself, without a frame of its own.
net::Task<void> run_route(HttpStream& stream);

}  // namespace weft::proxy
