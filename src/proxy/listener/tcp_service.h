#pragma once

#include "net/task.h"
#include "proxy/listener/compiled_listener.h"

namespace weft::proxy {

class DownstreamConnection;

/// Connects a TCP connection to an endpoint of its chain's cluster and copies bytes both ways until it is
/// over; then writes its line. Runs as part of the connection's task.
net::Task<void> serve_tcp(DownstreamConnection& connection, const CompiledChain& chain);

/// The same for a client that has said nothing while its first bytes would still decide. An upstream is
/// connected to, so that a server that speaks first can; from the server's first byte on it is TCP. When the
/// client's come first and choose another chain, nothing has been sent either way: then true, and the caller
/// serves that chain.
net::Task<bool> serve_silent(DownstreamConnection& connection, const CompiledChain& chain);

}  // namespace weft::proxy
