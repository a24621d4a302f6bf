#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/grpc/session_limits.h"
#include "http/grpc/stream.h"
#include "http/h2/server_connection.h"
#include "http/message.h"
#include "net/stream.h"

namespace weft::http::grpc {

/// A server's side of a connection: its calls, over an HTTP/2 connection like those of the data plane.
///
/// Owner: the server's connection. Thread: one loop. How it ends: run() returns, or its task is destroyed,
/// and every call's with it.
class Session {
 public:
  /// What a client says at the beginning of a call.
  struct Opening {
    std::string path;
    Headers metadata;
  };
  /// One call. A task that ends without finish() has finished with kOk. When the connection is over, it is
  /// destroyed where it waits for anything but the stream.
  using Serve = std::function<net::Task<void>(MessageStream&, Opening)>;

  Session(std::unique_ptr<net::Stream> transport, Serve serve, const SessionLimits& limits);

  /// Runs until the connection ends.
  net::Task<void> run();
  bool broken() const { return broken_; }
  /// Whether there is no call.
  bool idle() const { return connection_.is_idle(); }

 private:
  net::Task<void> call(ServerExchange& exchange);

  std::unique_ptr<net::Stream> transport_;
  const Serve serve_;
  const std::size_t max_message_;
  const ServerSessionOptions options_;
  const Handler handler_;
  h2::ServerConnection connection_;
  bool broken_ = false;
};

}  // namespace weft::http::grpc
