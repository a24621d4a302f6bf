#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <list>
#include <string>

#include "common/server.h"
#include "common/service.h"

namespace bookinfo {

class Session;

/// The open connections of one server and what they share. A connection that waits for a request holds a
/// descriptor and less than 3 KiB; buffers and the parser exist only while a request is on it.
///
/// Thread: the io_context's one thread. Ends: after `stop()`, with the last connection; it must outlive them.
class Sessions {
 public:
  Sessions(boost::asio::io_context& context, Service& service, std::string name, ServerLimits limits);

  /// Serves the connection until it ends. Where `is_full` says so, `make_room` comes first.
  void start(boost::asio::ip::tcp::socket socket);
  bool is_full() const { return open_.size() >= limits_.connections; }
  /// Ends the connection that has waited longest for a request, or for the rest of one's head, so that no
  /// crowd of silent clients keeps others out. False when all are being answered.
  bool make_room();
  /// No connection carries another request; those being read or answered finish.
  void stop();
  void close_idle();

 private:
  friend class Session;
  using Place = std::list<Session*>::iterator;

  /// Deadlines of connections are looked at once a second, as long as there are any.
  void watch_deadlines();
  void close_late();
  void leave(Place place);
  void rest_if_done();

  boost::asio::io_context& context_;
  Service& service_;
  std::string name_;
  ServerLimits limits_;
  std::list<Session*> open_;  ///< those that wait are in the order in which they began to
  boost::asio::steady_timer timer_;
  bool stopping_ = false;
  bool watching_ = false;
};

/// One connection, for as long as the coroutine `serve` runs.
class Session {
 public:
  using Clock = std::chrono::steady_clock;

  static boost::asio::awaitable<void> serve(Sessions& all, boost::asio::ip::tcp::socket socket);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// For a request, or for the rest of its head.
  bool is_waiting() const { return is_waiting_; }
  bool is_late(Clock::time_point now) const { return now >= deadline_; }
  /// Ends the connection unless a request is on it, be it only its first bytes in the kernel's buffer.
  void close_if_idle();
  void close();

 private:
  struct Framing;
  struct Exchange;

  Session(Sessions& all, boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> wait_for_request();
  boost::asio::awaitable<bool> exchange();
  boost::asio::awaitable<boost::system::error_code> read(Exchange& exchange);
  boost::asio::awaitable<bool> answer(Response response, Framing framing);
  boost::asio::awaitable<Response> ask_service(const Request& request);
  boost::asio::awaitable<void> refuse(Exchange& exchange, boost::system::error_code error);
  boost::asio::awaitable<void> discard_rest();
  void allow(std::chrono::seconds time) { deadline_ = Clock::now() + time; }
  void log(const Request& request, unsigned status, std::size_t bytes, Clock::time_point started) const;

  Sessions& all_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  Sessions::Place place_;
  Clock::time_point deadline_;
  bool is_open_ = true;
  bool is_waiting_ = true;
  bool has_begun_ = false;
};

}  // namespace bookinfo
