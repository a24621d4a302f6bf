#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>

namespace bookinfo {

/// Connections to other services that wait for their next call.
///
/// Owner: the event loop, which has one. Thread: that loop's. A connection is here only while nothing is
/// outstanding on it, and belongs to the caller from take() to put(). Ends: stop() closes all and keeps no
/// more.
class KeptConnections : public boost::asio::execution_context::service {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    /// Unused for so long it is closed: less than the 5 s after which Node's servers close, which is the
    /// least of the usual ones, so that a call seldom meets a connection that its server has just given up.
    std::chrono::milliseconds idle{4000};
    /// This long after it was made it serves no further call, so that balancers which choose by connection
    /// spread the calls, and a name that has moved is looked up again.
    std::chrono::milliseconds age{30000};
    std::size_t connections = 128;  ///< one more closes the one unused longest
  };
  struct Connection {
    boost::beast::tcp_stream stream;
    Clock::time_point made;
  };

  static inline boost::asio::execution_context::id id;
  explicit KeptConnections(boost::asio::execution_context& loop) : service(loop) {}

  /// That of the loop which the executor belongs to.
  static KeptConnections& of(const boost::asio::any_io_executor& executor);

  /// The connection to `authority` that was used last. One that its peer has closed, or sent bytes on that
  /// nobody asked for, is closed and not given.
  std::optional<Connection> take(const std::string& authority);
  void put(const std::string& authority, Connection connection);
  void stop();

  std::size_t size() const { return kept_.size(); }
  void set_limits(const Limits& limits) { limits_ = limits; }

 private:
  void shutdown() override { stop(); }

  struct Kept {
    std::string authority;
    Connection connection;
    Clock::time_point since;
  };
  void close_unused(const boost::asio::any_io_executor& executor);

  Limits limits_;
  std::list<Kept> kept_;  ///< the one unused longest first
  std::optional<boost::asio::steady_timer> timer_;
  bool timer_runs_ = false;
  bool stopped_ = false;
};

}  // namespace bookinfo
