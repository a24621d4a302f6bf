#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "common/service.h"

namespace bookinfo {

/// Bounds on what clients may use.
struct ServerLimits {
  std::uint32_t head_bytes = 64 * 1024;  ///< request line and headers; more is answered 431
  std::uint64_t body_bytes = 64 * 1024;  ///< more is answered 413
  std::size_t connections = 16384;       ///< one more ends the one that has been silent longest
  std::chrono::seconds idle{75};         ///< for the next request, or the rest of one
  std::chrono::seconds write{30};        ///< for the client to take an answer
};

class Sessions;

/// An HTTP/1.1 server for one service: keep-alive, pipelining in order, HTTP/1.0, HEAD, `100-continue`.
///
/// Thread: the io_context's one thread; the context and the service must outlive the server.
/// Ends: `stop()` closes the listener and, 100 ms later, idle connections; requests that are being read or
/// answered finish, and when the last one is done the io_context has no work left and its `run()` returns.
class Server {
 public:
  using Limits = ServerLimits;

  Server(boost::asio::io_context& context, Service& service, std::string name, Limits limits = Limits{});
  ~Server();

  /// Listens and starts to accept. Port 0 takes a free one. An empty address means all addresses, IPv6 and
  /// IPv4, or IPv4 alone where there is no IPv6. The error is one line for a person.
  std::expected<void, std::string> listen(const std::string& address, std::uint16_t port);

  /// Where it listens, as `[::]:9080`. Only after `listen`.
  std::string local_address() const;

  void stop();

 private:
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> pause();
  void start(boost::asio::ip::tcp::socket socket);
  void accept_what_waits();

  boost::asio::io_context& context_;
  std::unique_ptr<Sessions> sessions_;
  boost::asio::ip::tcp::acceptor acceptor_;
  bool stopping_ = false;
};

}  // namespace bookinfo
