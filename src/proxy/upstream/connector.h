#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "net/socket.h"
#include "net/stream.h"

namespace weft::proxy {

/// A stream to an endpoint, and the address that it goes out from.
struct Connection {
  std::unique_ptr<net::Stream> stream;
  net::Address local;
};

/// How a worker reaches an address: by the kernel; in a simulation, whatever is put there. Errors are those
/// of net::connect(). Owner: the worker. Thread: its loop.
using Connector = std::function<net::Task<Result<Connection>>(net::Loop& loop, net::Address to,
                                                              net::ConnectOptions options)>;

/// By the kernel, with `mark` on each socket (0: none).
Connector kernel_connector(std::uint32_t mark);

}  // namespace weft::proxy
