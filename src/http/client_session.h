#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "http/exchange.h"
#include "http/limits.h"
#include "http/protocol.h"
#include "net/stream.h"

namespace weft::http {

/// One connection to a server, whatever version it speaks: HTTP/1 carries one exchange at a time, HTTP/2
/// many.
///
/// Owner: a pool, or the caller that connected. Thread: one loop. How it ends: the destructor closes the
/// stream; no exchange may be left then.
class ClientSession {
 public:
  virtual ~ClientSession() = default;
  /// How many exchanges may begin now. 0: it is used up, going away, broken, or something has come that no
  /// request has asked for.
  virtual std::uint32_t capacity() const = 0;
  /// Whether it is known how many the server lets begin. Until then capacity() assumes what is usual.
  virtual bool settled() const { return true; }
  /// No exchange may ever begin again: it goes when its last one is finished.
  virtual bool over() const = 0;
  /// Begins the next exchange; only with capacity(). It is the session's until finish().
  virtual ClientExchange& start() = 0;
  /// The end of an exchange; one that is not over is cut: an HTTP/1 connection with it, an HTTP/2 stream by
  /// RST_STREAM. One that has sent nothing leaves no trace.
  virtual void finish(ClientExchange& exchange) = 0;
  /// How many have begun, in all.
  virtual std::uint32_t exchanges() const = 0;
  /// Buffers are given back; the next exchange counts as one on a reused connection.
  virtual void park() = 0;
  /// Runs from the loop whenever capacity() or over() may have changed by the server's doing: SETTINGS,
  /// GOAWAY, the end. An empty function removes it. It must not destroy the session.
  virtual void on_change(std::function<void()> action) = 0;
};

/// `protocol` is kHttp1 or kHttp2: a client says what is spoken.
std::unique_ptr<ClientSession> make_client_session(Protocol protocol, std::unique_ptr<net::Stream> stream,
                                                   const Limits& limits = {}, const Http2Limits& http2 = {});

}  // namespace weft::http
