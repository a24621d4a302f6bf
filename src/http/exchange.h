#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "http/limits.h"
#include "http/message.h"
#include "net/stream.h"
#include "net/task.h"

namespace weft::http {

/// A piece of a body. `data` is valid until the next call on the same exchange, and may be empty only with
/// `end`. The peer may send as much again only after the next read_body(): who is done with the last piece
/// long before the exchange is over calls it once more, for an empty one.
struct BodyChunk {
  std::string_view data;
  bool end = false;
  const Headers* trailers = nullptr;  ///< with `end`: the fields behind the body, if any (RFC 9110 §6.5)
};

/// One request and its response as a server sees them, the same above HTTP/1 and HTTP/2. Everything is
/// pulled: a body that is not read stays with the peer, which is the whole of back-pressure.
///
/// Owner: the connection that made it; valid until the handler's task ends. Thread: one loop.
/// Errors of the reading side blame the client (Blame::kDownstream); after one, only reset() makes sense,
/// unless the response has not begun, when a local reply may still be sent.
class ServerExchange {
 public:
  virtual ~ServerExchange() = default;
  virtual RequestHead& request() = 0;
  /// Memory for the head of the response, empty at the beginning; nothing leaves before send_head().
  virtual ResponseHead& response() = 0;
  /// Whether the request's body has been read to its end (true at once when it has none).
  virtual bool request_complete() const = 0;
  /// Whether read_body() can give something without waiting; else flush() what the other side is waiting for
  /// first.
  virtual bool body_available() const = 0;
  /// Sends "100 Continue" by itself when the client waits for it and nothing was sent yet.
  virtual net::Task<Result<BodyChunk>> read_body() = 0;
  /// How long read_body() waits for the next piece, instead of what the connection was told; zero: no limit.
  /// A wait that has begun begins again.
  /// Once the response is complete, a client has a few seconds at most: it may have stopped sending.
  virtual void set_body_timeout(Duration between_pieces) = 0;
  /// Why the rest of the request is rejected; empty while it is not.
  virtual const Rejection& rejection() const = 0;

  /// 1xx other than 101; ignored for HTTP/1.0 clients.
  virtual net::Task<Result<void>> send_interim(const ResponseHead& head) = 0;
  /// The head may stay buffered until the first body bytes, flush() or the end, so head and body leave in one
  /// write.
  virtual net::Task<Result<void>> send_head(const ResponseHead& head, bool end) = 0;
  /// Resumes when the bytes are accepted by the transport or by a bounded buffer.
  virtual net::Task<Result<void>> send_body(std::string_view data, bool end) = 0;
  /// The end of the body, with fields behind it; without them where the message cannot have any.
  virtual net::Task<Result<void>> send_trailers(const Headers& trailers) = 0;
  /// Puts everything buffered on the wire. Call it before waiting for something else.
  virtual net::Task<Result<void>> flush() = 0;
  /// Until when the client has to have taken what is sent from now on, or waits already, however steadily it
  /// takes; besides the limit between two pieces. kNever, as each exchange begins: no such limit.
  virtual void set_response_deadline(TimePoint when) = 0;
  virtual bool response_started() const = 0;
  virtual bool response_complete() const = 0;
  /// Ends the exchange so that the client can see it was cut (HTTP/1: the connection closes without the last
  /// chunk).
  virtual void reset() = 0;
  /// After a 101 head: the connection, or a stream of HTTP/2 as one (RFC 8441). Bytes already received come
  /// first from `read_ahead`.
  struct Upgraded {
    net::Stream* stream;
    std::string read_ahead;
  };
  virtual Upgraded upgrade() = 0;
  /// `action` runs from the loop, at most once, when the client has gone while it is not read from; work for
  /// it is then wasted. An empty function removes it, and so does the end of the handler's task, which it
  /// must not end itself.
  virtual void on_disconnect(std::function<void()> action) = 0;
  /// Bytes on the wire for this exchange so far (bodies only), for logs.
  virtual std::uint64_t body_bytes_received() const = 0;
  virtual std::uint64_t body_bytes_sent() const = 0;
  /// HTTP/2: the name of the code (RFC 9113 §7) with which either side has reset the stream; empty: none has,
  /// or with NO_ERROR.
  virtual std::string_view reset_code() const { return {}; }
};

/// Responds to one request. The task ends when the exchange is over; one that ends without a response gives
/// 500. Bind a member function, never a capturing lambda that is itself a coroutine.
using Handler = std::function<net::Task<void>(ServerExchange&)>;

/// One request and its response as a client sees them. Both directions go on at once when the owner wants:
/// one coroutine may send while another reads.
///
/// Owner: the caller that asked the pool or the connection for it; dropping it before the response is
/// complete closes an HTTP/1 connection or resets an HTTP/2 stream. Errors blame the server
/// (Blame::kUpstream) and carry Retry: kFreshConnection when another connection may do; taken() says how safe
/// that is. A reset of the stream is kCancelled, kExhausted (ENHANCE_YOUR_CALM) or kUnavailable (any other).
class ClientExchange {
 public:
  virtual ~ClientExchange() = default;
  virtual net::Task<Result<void>> send_head(const RequestHead& head, bool end) = 0;
  virtual net::Task<Result<void>> send_body(std::string_view data, bool end) = 0;
  /// See ServerExchange.
  virtual net::Task<Result<void>> send_trailers(const Headers& trailers) = 0;
  virtual net::Task<Result<void>> flush() = 0;
  /// Whether the request has been sent to its end.
  virtual bool request_complete() const = 0;
  /// Interim heads (100, 102, 103) come out of this one by one, then the final one.
  virtual net::Task<Result<void>> read_head(ResponseHead& into) = 0;
  /// Whether the response's body has been read to its end (true at once when it has none).
  virtual bool response_complete() const = 0;
  /// Whether read_body() can give something without waiting.
  virtual bool body_available() const = 0;
  virtual net::Task<Result<BodyChunk>> read_body() = 0;
  virtual ServerExchange::Upgraded upgrade() = 0;

  /// Until when each read of this exchange has to give something; also for a wait that has begun.
  virtual void set_read_deadline(TimePoint when) = 0;
  /// How long a write may stand still, however long it takes as a whole; zero: no limit. And until when it
  /// has to be done, however steadily it moves. Also for a wait that has begun.
  virtual void set_write_limits(Duration standstill, TimePoint end) = 0;
  /// Ends whatever waits on it, and the exchange with it. No other exchange of its connection is touched.
  virtual void cancel() = 0;
  /// Whether an earlier exchange went over this connection, or it has waited in a pool: then a break may only
  /// mean that the server had closed it.
  virtual bool reused() const = 0;
  /// Whether a byte of the response has come.
  virtual bool response_begun() const = 0;
  /// Whether the server can have taken a request whose exchange has failed.
  enum class Taken : std::uint8_t {
    kPerhaps,
    kHardly,  ///< it had ended the connection by itself, before every byte of the request had come
    kNot,     ///< it has said so, or nothing was sent (RFC 9113 §8.7)
  };
  virtual Taken taken() const = 0;
  /// See ServerExchange.
  virtual std::string_view reset_code() const { return {}; }
};

}  // namespace weft::http
