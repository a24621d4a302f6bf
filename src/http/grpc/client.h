#pragma once

#include <memory>
#include <string_view>

#include "http/grpc/stream.h"
#include "http/message.h"
#include "net/socket.h"
#include "tls/context.h"

namespace weft::http::grpc {

struct ConnectOptions {
  TimePoint deadline = kNever;
  std::uint32_t mark = 0;                             ///< SO_MARK, see net::ConnectOptions
  std::shared_ptr<const tls::Context> tls = nullptr;  ///< null: plain; otherwise it must speak "h2" (ALPN)
};

/// A gRPC connection over HTTP/2, with prior knowledge (RFC 9113 §3.3) or under TLS (§3.2), to a TCP or Unix
/// address.
///
/// Owner: the caller of connect(). Thread: the loop's. How it ends: the destructor; streams that still exist
/// then fail, and may be destroyed before or after it. A broken connection fails every stream; there is no
/// reconnecting here.
class Client {
 public:
  static net::Task<Result<std::unique_ptr<Client>>> connect(net::Loop& loop, net::Address to,
                                                            ConnectOptions options);
  /// Over a transport made elsewhere.
  static std::unique_ptr<Client> over(std::unique_ptr<net::Stream> transport);
  virtual ~Client() = default;
  /// `metadata`: names in lower case. A call that is one more than the server takes at the same time fails.
  virtual std::unique_ptr<MessageStream> open(std::string_view path, std::string_view authority,
                                              const Headers& metadata = {}) = 0;
};

}  // namespace weft::http::grpc
