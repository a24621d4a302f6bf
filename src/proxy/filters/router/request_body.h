#pragma once

#include <memory>

#include "http/message.h"
#include "proxy/filters/router/replay_buffer.h"

namespace weft::proxy {

/// A request's body as far as it was read, over all tries of the request.
///
/// Owner: one request. Thread: the worker's loop.
struct RequestBody {
  ReplayBuffer replay;
  std::unique_ptr<http::Headers> trailers;  ///< once they have come
  bool read = false;                        ///< to its end

  /// The head is the whole request.
  bool none() const { return read && replay.empty() && !trailers; }
};

}  // namespace weft::proxy
