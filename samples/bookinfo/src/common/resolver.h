#pragma once

#include <boost/asio/awaitable.hpp>
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
/// take all the threads from the others. Thread: one event loop. Ends: the destructor waits for lookups under
/// way, which getaddrinfo offers no way to stop.
class Resolver {
 public:
  using Addresses = boost::asio::ip::tcp::resolver::results_type;
  using Outcome = std::expected<Addresses, boost::system::error_code>;

  /// The process's own.
  static Resolver& shared();

  /// Waits no longer than `timeout`; the lookup itself may go on, and serve whoever asks next.
  boost::asio::awaitable<Outcome> resolve(std::string host, std::string port,
                                          std::chrono::milliseconds timeout);

 private:
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
