#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "http/grpc/stream.h"
#include "http/message.h"
#include "net/socket.h"
#include "tls/context.h"

namespace weft::http::grpc {

/// One call as a method sees it; `stream` lives as long as the method's task.
struct Call {
  std::string path;
  std::optional<net::Socket::Credentials> peer;  ///< Unix sockets: who connected
  Headers metadata;                              ///< the request's fields but those that begin with ':'
  MessageStream& stream;
};

/// Ends the call with finish(); a method that returns without it has finished with kOk.
using Method = std::function<net::Task<void>(Call)>;

/// A gRPC server over HTTP/2, with prior knowledge or under TLS.
///
/// Owner: whoever needs the port. Thread: the loop's. How it ends: the destructor cancels every call.
class Server {
 public:
  /// TCP, or a Unix path that only its owner may connect to. Methods by path ("/package.Service/Method").
  static Result<std::unique_ptr<Server>> listen(net::Loop& loop, const net::Address& at,
                                                std::map<std::string, Method> methods,
                                                tls::ContextSource tls = {});
  virtual ~Server() = default;
  virtual net::Address address() const = 0;
};

}  // namespace weft::http::grpc
