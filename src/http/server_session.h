#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/exchange.h"
#include "http/limits.h"
#include "http/protocol.h"
#include "net/stream.h"

namespace weft::http {

/// What one downstream connection is held to. 0 durations: no limit.
struct ServerSessionOptions {
  Limits limits = {};
  std::string_view scheme = "http";
  bool accept_http10 = true;         ///< else 426
  Duration idle_timeout = 3600s;     ///< without a request
  Duration first_byte_timeout = 0s;  ///< for the first byte of the first request; 0: idle_timeout
  Duration header_timeout = 10s;     ///< from the first byte of a head to its end
  Duration body_timeout = 300s;      ///< between two pieces of a body, in each direction
  Duration request_timeout = 0s;     ///< from the end of a head to the end of its body
  Duration drain_timeout = 5s;       ///< HTTP/2: from the first GOAWAY to the last; 0: at once
  std::uint32_t max_requests = 0;    ///< then the connection is closed; 0: no limit
  std::string server_name = {};      ///< "server" field of rejections; empty: none
  /// The handler of a GET or HEAD is destroyed where it waits when its client has gone: a watch, say, that
  /// would wait for the next event. Handlers that change something go on to their end.
  bool cancel_reads_when_gone = false;
  /// HTTP/2: once the connection is over, handlers that have not ended in the turn after are destroyed where
  /// they wait. Otherwise serve() waits for them.
  bool cancel_when_over = false;
  Http2Limits http2 = {};
  /// Of an idle connection that is drained, from what has come to the end of a head.
  Duration drain_limit() const {
    return header_timeout == Duration::zero() ? std::chrono::seconds(30) : header_timeout;
  }
};

/// A client that has just connected is about to send a request: a drain waits for it so long from then on.
inline constexpr Duration kNewConnectionGrace = 1s;

/// One connection from a client, whatever version it speaks: it reads heads, calls the handler for each, and
/// ends when either side has enough. What its framing leaves in doubt is rejected, never guessed.
///
/// Owner: the caller, whose stream must outlive this. Thread: one loop.
/// How it ends: serve() returns; or its task is destroyed, and every exchange with it.
class ServerSession {
 public:
  /// What the owner is told. Called on the loop; none may destroy the session.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// A request was rejected before any handler saw it. `head` holds what was understood.
    virtual void on_head_rejected(const Rejection& rejection, const RequestHead& head) = 0;
    /// The rest of a request was rejected, whose exchange says so too (ServerExchange::rejection).
    virtual void on_body_rejected(const Rejection& rejection) = 0;
    /// HTTP/2: the whole connection ends for what its client has done, once, whatever was rejected before. It
    /// may be said from inside of another call: nothing may be ended there.
    virtual void on_connection_rejected() {}
    /// The last response is out: until the next request the connection may be closed without a loss. It may
    /// be said twice of one request.
    virtual void on_idle() {}
  };

  virtual ~ServerSession() = default;
  /// Serves until the connection is over. The stream is closed when it returns.
  virtual net::Task<void> serve(const Handler& handler) = 0;
  /// Closes now when idle (a connection without any request yet: kNewConnectionGrace after it was made), else
  /// after the responses in progress, which tell the client so: "Connection:
  /// close", or GOAWAY in two steps (RFC 9113 §6.8). A request that has come by now, read or not, is
  /// served.
  virtual void drain() = 0;
  /// The next response of HTTP/1 says "Connection: close" and ends the connection; an idle connection stays
  /// open for its next request, so that none is lost on its way. With HTTP/2 the first GOAWAY says the same.
  virtual void end_with_next_response() = 0;
  /// The options have changed where they are: limits hold from the next head on, `http2` not at all, the rest
  /// now.
  virtual void follow_options() = 0;
  /// No request, or only some whose responses are out: what their clients still send is not read for their
  /// sake.
  virtual bool is_idle() const = 0;
  /// When the last response was out, or the connection began.
  virtual TimePoint idle_since() const = 0;
};

/// `stream`, `options` and `observer` outlive the session.
std::unique_ptr<ServerSession> make_server_session(Protocol protocol, net::Stream& stream,
                                                   const ServerSessionOptions& options,
                                                   ServerSession::Observer* observer = nullptr);

}  // namespace weft::http
