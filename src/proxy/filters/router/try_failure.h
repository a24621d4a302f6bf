#pragma once

#include <cstdint>

#include "proxy/request/local_reply.h"

namespace weft::proxy {

/// Why a try at an endpoint gave no response for the client. kNone: it gave one, or the exchange is over
/// anyway.
enum class TryFailure : std::uint8_t {
  kNone,
  kNoHost,
  kOverflow,
  kConnect,
  kConnectTimeout,
  kReset,
  kStale,        ///< a reused connection that the server had ended: it never took the request
  kUnprocessed,  ///< an HTTP/2 server said that it has done nothing about the request (RFC 9113 §8.7)
  kProtocol,
  kTimeout,
  kPerTryTimeout,
  kMaxDuration,  ///< the time of the whole exchange is over
  kStatus,       ///< a response whose status the retry policy names
  kOverdue,      ///< the client did not send its request within request_timeout
  kClient,       ///< the client disconnected
};

/// What the client is told when no try is left. kNone, kClient and kStatus have no reply of their own and
/// count as kReset.
LocalReplyKind local_reply_for(TryFailure failure);

}  // namespace weft::proxy
