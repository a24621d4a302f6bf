#include "common/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/kept_connections.h"
#include "common/session.h"

namespace bookinfo {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

Server::Server(asio::io_context& context, Service& service, std::string name, Limits limits)
    : context_(context),
      sessions_(std::make_unique<Sessions>(context, service, std::move(name), limits)),
      acceptor_(context) {}

Server::~Server() = default;

namespace {

error_code open_listener(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.close(error);
  if (acceptor.open(endpoint.protocol(), error)) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    if (acceptor.set_option(asio::ip::v6_only(false), error)) return error;
  }
  if (acceptor.bind(endpoint, error)) return error;
  if (acceptor.listen(tcp::acceptor::max_listen_connections, error)) return error;
  acceptor.non_blocking(true, error);
  return error;
}

bool has_no_ipv6(error_code error) {
  return error == asio::error::address_family_not_supported || error.value() == EADDRNOTAVAIL;
}

}  // namespace

std::expected<void, std::string> Server::listen(const std::string& address, std::uint16_t port) {
  error_code error;
  const auto chosen = address.empty() ? asio::ip::address(asio::ip::address_v6::any())
                                      : asio::ip::make_address(address, error);
  if (error) return std::unexpected("'" + address + "' is not an IP address to listen on");
  error = open_listener(acceptor_, {chosen, port});
  if (address.empty() && has_no_ipv6(error)) error = open_listener(acceptor_, {tcp::v4(), port});
  if (error) return std::unexpected("cannot listen on port " + std::to_string(port) + ": " + error.message());
  asio::co_spawn(context_, accept_loop(), asio::detached);
  return {};
}

std::string Server::local_address() const {
  const tcp::endpoint endpoint = acceptor_.local_endpoint();
  const std::string address = endpoint.address().to_string();
  const std::string shown = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return shown + ":" + std::to_string(endpoint.port());
}

asio::awaitable<void> Server::accept_loop() {
  while (!stopping_) {
    error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error && !stopping_) {
      // Out of descriptors: the connection stays in the queue, so trying again at once would spin.
      if (!sessions_->make_room()) co_await pause();
      continue;
    }
    while (!stopping_ && sessions_->is_full() && !sessions_->make_room()) co_await pause();
    if (!error) start(std::move(socket));
  }
}

asio::awaitable<void> Server::pause() {
  error_code ignored;
  asio::steady_timer timer(context_, std::chrono::milliseconds(100));
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void Server::start(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  sessions_->start(std::move(socket));
}

/// Clients whose connection the kernel has already made may have sent a request; closing the listener would
/// reset them.
void Server::accept_what_waits() {
  error_code error;
  while (!error) {
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (!error) start(std::move(socket));
  }
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  // What waits for calls of later requests would keep the loop running.
  KeptConnections::of(context_.get_executor()).stop();
  sessions_->stop();
  accept_what_waits();
  error_code ignored;
  acceptor_.close(ignored);
  // A request may be on its way on a connection that looks idle; it gets this long to arrive.
  auto grace = std::make_shared<asio::steady_timer>(context_, std::chrono::milliseconds(100));
  grace->async_wait([this, grace](error_code) { sessions_->close_idle(); });
}

}  // namespace bookinfo
