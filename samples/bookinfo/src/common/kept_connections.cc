#include "common/kept_connections.h"

#include <sys/socket.h>

#include <boost/asio/query.hpp>
#include <cerrno>
#include <iterator>
#include <utility>

namespace bookinfo {

namespace asio = boost::asio;

namespace {

/// Nothing to read and no end: whatever there were would belong to no request.
bool is_quiet(boost::beast::tcp_stream& stream) {
  char byte = 0;
  const ssize_t got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

KeptConnections& KeptConnections::of(const asio::any_io_executor& executor) {
  return asio::use_service<KeptConnections>(asio::query(executor, asio::execution::context));
}

std::optional<KeptConnections::Connection> KeptConnections::take(const std::string& authority) {
  const auto now = Clock::now();
  for (auto next = kept_.end(); next != kept_.begin();) {
    const auto at = std::prev(next);
    if (at->authority != authority) {
      next = at;
      continue;
    }
    Kept kept = std::move(*at);
    next = kept_.erase(at);
    const bool is_young = now - kept.connection.made < limits_.age && now - kept.since < limits_.idle;
    if (is_young && is_quiet(kept.connection.stream)) return std::move(kept.connection);
  }
  return std::nullopt;
}

void KeptConnections::put(const std::string& authority, Connection connection) {
  const auto now = Clock::now();
  if (stopped_ || limits_.connections == 0 || now - connection.made >= limits_.age) return;
  connection.stream.expires_never();
  const asio::any_io_executor executor = connection.stream.get_executor();
  if (kept_.size() >= limits_.connections) kept_.pop_front();
  kept_.push_back({authority, std::move(connection), now});
  if (!timer_runs_) close_unused(executor);
}

/// Closes what is unused too long, now and when the next one is.
void KeptConnections::close_unused(const asio::any_io_executor& executor) {
  const auto now = Clock::now();
  while (!kept_.empty() && now - kept_.front().since >= limits_.idle) kept_.pop_front();
  timer_runs_ = !kept_.empty();
  if (!timer_runs_) return;
  if (!timer_) timer_.emplace(executor);
  timer_->expires_at(kept_.front().since + limits_.idle);
  timer_->async_wait([this, executor](boost::system::error_code error) {
    if (!error) close_unused(executor);
  });
}

void KeptConnections::stop() {
  stopped_ = true;
  kept_.clear();
  timer_.reset();
}

}  // namespace bookinfo
