#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "net/address.h"
#include "tls/context.h"

namespace weft::http {

/// A request of a plain client. `body` is sent with its length when it is not empty or the method usually has
/// one.
struct Request {
  std::string method = "GET";
  std::string path = "/";
  std::string authority = "localhost";
  Headers headers = {};
  std::string body = {};
};

struct Response {
  ResponseHead head;
  std::string body = {};
};

struct FetchOptions {
  TimePoint deadline = kNever;              ///< for everything: connecting, sending, and the whole response
  TimePoint connect_deadline = kNever;      ///< for the connection and its handshake
  std::size_t max_body = 64 * 1024 * 1024;  ///< kTooLarge beyond it
  std::uint32_t mark = 0;                   ///< SO_MARK, see net::ConnectOptions
  bool keepalive = false;                   ///< see net::ConnectOptions
  net::Address bind_source = {};            ///< empty: the kernel chooses
  std::shared_ptr<const tls::Context> tls = nullptr;  ///< null: plain
};

/// One request over a connection of its own, to a TCP or Unix address, plain or under TLS. Interim responses
/// are skipped.
net::Task<Result<Response>> fetch(net::Loop& loop, net::Address to, Request request,
                                  FetchOptions options = {});

/// A request whose response comes piece by piece and may never end: a watch, a followed log.
///
/// Owner: the caller; destroying it closes the connection. Thread: the loop's.
class Call {
 public:
  /// Returns when the head of the response is there.
  static net::Task<Result<std::unique_ptr<Call>>> open(net::Loop& loop, net::Address to, Request request,
                                                       FetchOptions options = {});
  virtual ~Call() = default;
  virtual const ResponseHead& head() const = 0;
  /// The next piece; `end` with the last.
  virtual net::Task<Result<BodyChunk>> read() = 0;
  /// From now on reads wait at most until `deadline`.
  virtual void set_deadline(TimePoint deadline) = 0;
};

}  // namespace weft::http
