#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <expected>
#include <map>
#include <memory>
#include <string>

namespace bookinfo {

/// Finds the addresses of a name with getaddrinfo, which blocks, on a few threads of its own.
///
/// Nothing is remembered: a Service that moves is found again at once. Callers that ask for a name while it
/// is being looked up share that one lookup, so a name server that does not answer for one service cannot
/// take all the threads from the others. Owner: the event loop, which has one. Thread: that loop's. Ends:
/// with the loop, which waits for lookups under way, since getaddrinfo offers no way to stop them, and their
/// ends need the loop.
class Resolver : public boost::asio::execution_context::service {
 public:
  using Addresses = boost::asio::ip::tcp::resolver::results_type;
  using Outcome = std::expected<Addresses, boost::system::error_code>;

  static inline boost::asio::execution_context::id id;
  explicit Resolver(boost::asio::execution_context& loop) : service(loop) {}

  /// That of the loop which the executor belongs to.
  static Resolver& of(const boost::asio::any_io_executor& executor);

  /// Waits no longer than `timeout`; the lookup itself may go on, and serve whoever asks next.
  boost::asio::awaitable<Outcome> resolve(std::string host, std::string port,
                                          std::chrono::milliseconds timeout);

 private:
  void shutdown() override;

  struct Lookup {
    explicit Lookup(const boost::asio::any_io_executor& executor) : ended(executor) {}
    boost::asio::steady_timer ended;  ///< never expires; cancelling it wakes everybody who waits
    Outcome outcome = std::unexpected(make_error_code(boost::asio::error::timed_out));
  };

  std::shared_ptr<Lookup> start(const std::string& host, const std::string& port,
                                const boost::asio::any_io_executor& executor);

  std::map<std::string, std::shared_ptr<Lookup>> under_way_;
  boost::asio::thread_pool threads_{8};
};

}  // namespace bookinfo
