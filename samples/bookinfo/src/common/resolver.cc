#include "common/resolver.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bookinfo {

namespace asio = boost::asio;
using boost::system::error_code;

Resolver& Resolver::of(const asio::any_io_executor& executor) {
  return asio::use_service<Resolver>(asio::query(executor, asio::execution::context));
}

void Resolver::shutdown() {
  threads_.join();
  under_way_.clear();
}

std::shared_ptr<Resolver::Lookup> Resolver::start(const std::string& host, const std::string& port,
                                                  const asio::any_io_executor& executor) {
  const std::string key = host + ' ' + port;
  if (const auto found = under_way_.find(key); found != under_way_.end()) return found->second;
  auto lookup = std::make_shared<Lookup>(executor);
  lookup->ended.expires_at(asio::steady_timer::time_point::max());
  under_way_.emplace(key, lookup);
  // What belongs to the loop is handed on, so that its last owner is never this pool's thread.
  asio::post(threads_, [this, lookup, key, host, port, executor]() mutable {
    error_code error;
    Addresses found = asio::ip::tcp::resolver(threads_).resolve(host, port, error);
    asio::post(executor, [this, lookup = std::move(lookup), key, error, found = std::move(found)] {
      lookup->outcome = error ? Outcome(std::unexpected(error)) : Outcome(found);
      lookup->ended.cancel();
      under_way_.erase(key);
    });
  });
  return lookup;
}

asio::awaitable<Resolver::Outcome> Resolver::resolve(std::string host, std::string port,
                                                     std::chrono::milliseconds timeout) {
  using asio::experimental::awaitable_operators::operator||;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const std::shared_ptr<Lookup> lookup = start(host, port, executor);
  asio::steady_timer deadline(executor, timeout);
  error_code ended;
  error_code late;
  co_await (lookup->ended.async_wait(asio::redirect_error(asio::use_awaitable, ended)) ||
            deadline.async_wait(asio::redirect_error(asio::use_awaitable, late)));
  co_return lookup->outcome;
}

}  // namespace bookinfo
