#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "http/message.h"
#include "net/task.h"

namespace weft::proxy {

class HttpStream;

/// A request of our own on behalf of one that a filter looks at: whether it may go on, by which keys its
/// token is to be checked.
struct CallOut {
  std::string cluster;
  http::RequestHead head;  ///< its content_length is that of `body`
  std::string body;
  Duration timeout = 1s;                       ///< from now to the response's last byte, over all tries
  std::size_t max_response_bytes = 64 * 1024;  ///< of its body
};
struct CallResponse {
  http::ResponseHead head;
  std::string body;
};

/// Asks an endpoint of the cluster and reads the whole response, whatever its status. It counts among the
/// cluster's requests and holds to its limits. A second try is made by the rules for a request whose route
/// has no policy (RetryState): where no endpoint can have taken the first, or a pooled connection has ended
/// and the method asks for no change.
///
/// `stream` outlives the task; one call at a time for each stream. Thread: the worker's loop. Ends with the
/// exchange: when the client has gone, and only then, the error is kCancelled, and
/// HttpStream::client_disconnected() is what is left to do.
/// Errors besides: kNotFound (no such cluster, no healthy endpoint), kExhausted (a limit of the cluster),
/// kRefused (connecting), kTimeout, kTooLarge (the response), kInvalid (what is none), kReset and its like.
net::Task<Result<CallResponse>> call_out(HttpStream& stream, CallOut call);

}  // namespace weft::proxy
