#pragma once

#include "net/task.h"
#include "proxy/listener/compiled_listener.h"

namespace weft::proxy {

class DownstreamConnection;

/// Connects a TCP connection to an endpoint of its chain's cluster and copies bytes both ways until it is
/// over; then writes its line. Runs as part of the connection's task.
net::Task<void> serve_tcp(DownstreamConnection& connection, const CompiledChain& chain);

}  // namespace weft::proxy
