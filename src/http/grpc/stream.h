#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/task.h"

namespace weft::http::grpc {

/// gRPC status codes that we give or look at (grpc/doc/statuscodes.md).
enum Status : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

/// One bidirectional gRPC call: whole messages in both directions, uncompressed.
///
/// Owner: its opener (client) or the method's task (server); destroying it before its end cancels the
/// call. Thread: one loop. At most one read and one write wait at a time.
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  /// The next message. kClosed: the peer has finished in order. kUnavailable, kDenied, or kUnsupported where
  /// the server has no such method: the call failed; the text has the status and the peer's message.
  virtual net::Task<Result<std::string>> read() = 0;
  /// Resumes when the message is sent or a bounded buffer (1 MiB) has taken it.
  net::Task<Result<void>> write(std::string_view message) { return write_parts(message, nullptr); }
  /// The same for a message of two parts, of which other streams send the second too: it is held until it is
  /// sent, and not copied. It may be null.
  virtual net::Task<Result<void>> write_parts(std::string_view first,
                                              std::shared_ptr<const std::string> second) = 0;
  /// Server: ends the call with that status. Client: ends our direction (the arguments are not sent).
  virtual void finish(int status = kOk, std::string_view message = {}) = 0;
};

}  // namespace weft::http::grpc
