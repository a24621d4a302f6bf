#pragma once

#include <memory>

#include "net/socket.h"
#include "net/stream.h"

namespace weft::proxy {

/// A connection as it was accepted, and what the kernel knows of it: asked once, here. Owner: the worker,
/// then the DownstreamConnection. Thread: the worker's loop.
struct AcceptedConnection {
  std::unique_ptr<net::Stream> stream;
  net::Address peer, local;
  /// Where the client meant to go before it was redirected here; empty when not redirected, or not asked.
  net::Address original_destination;
};

inline AcceptedConnection accepted_connection(std::unique_ptr<net::Socket> socket,
                                              bool with_original_destination) {
  AcceptedConnection accepted{.stream = nullptr,
                              .peer = socket->peer_address(),
                              .local = socket->local_address(),
                              .original_destination = {}};
  if (with_original_destination) accepted.original_destination = socket->original_destination();
  accepted.stream = std::move(socket);
  return accepted;
}

}  // namespace weft::proxy
