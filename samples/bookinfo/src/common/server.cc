#include "common/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "common/text.h"

namespace bookinfo {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

using Clock = std::chrono::steady_clock;

Request to_request(http::request<http::string_body>&& message) {
  Request request;
  request.method = message.method_string();
  const auto target = message.target();
  set_target(request, std::string_view(target.data(), target.size()));
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    request.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  request.body = std::move(message.body());
  return request;
}

/// 1xx, 204 and 304 have no body at all, not even a length of zero. Source: RFC 9110 §8.6.
bool is_bodiless(unsigned status) { return status < 200 || status == 204 || status == 304; }

http::response<http::string_body> to_message(Response&& response, unsigned version, bool keep_alive,
                                             bool is_head) {
  http::response<http::string_body> message;
  message.version(version);
  message.result(response.status);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.set(http::field::date, http_date(std::time(nullptr)));
  if (!is_bodiless(response.status)) {
    message.content_length(response.body.size());
    if (!is_head) message.body() = std::move(response.body);
  }
  message.keep_alive(keep_alive);
  return message;
}

Response refusal(Service& service, error_code error) {
  if (error == http::error::header_limit) return service.refuse(431, "Request Header Fields Too Large");
  if (error == http::error::body_limit) return service.refuse(413, "Content Too Large");
  return service.refuse(400, "Bad Request");
}

bool is_parse_error(error_code error) {
  return error && error != http::error::end_of_stream && error != http::error::partial_message &&
         error.category() == http::make_error_code(http::error::end_of_stream).category();
}

}  // namespace

/// One connection, for as long as the coroutine `serve` runs.
class Server::Session {
 public:
  Session(Server& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {
    place_ = server_.sessions_.insert(server_.sessions_.end(), this);
  }
  ~Session() { server_.sessions_.erase(place_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static asio::awaitable<void> serve(Server& server, tcp::socket socket);
  /// Ends the connection unless a request is on it, be it only its first bytes in the kernel's buffer.
  void close_if_idle();

 private:
  /// What of a request decides how its answer is framed.
  struct Framing {
    unsigned version = 11;
    bool keep_alive = false;
    bool is_head = false;
  };

  asio::awaitable<void> run();
  asio::awaitable<error_code> read();
  asio::awaitable<bool> answer(Response response, Framing framing);
  asio::awaitable<Response> ask_service(const Request& request);
  asio::awaitable<void> discard_rest();
  void close();

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::list<Session*>::iterator place_;
  bool waiting_ = false;
};

asio::awaitable<void> Server::Session::serve(Server& server, tcp::socket socket) {
  Session session(server, std::move(socket));
  co_await session.run();
}

asio::awaitable<void> Server::Session::run() {
  bool keep_alive = true;
  while (keep_alive) {
    const error_code error = co_await read();
    if (is_parse_error(error)) {
      co_await answer(refusal(server_.service_, error), Framing{});
      co_await discard_rest();
    }
    if (error) break;
    const auto& head = parser_->get();
    const Framing framing{head.version(), head.keep_alive(), head.method() == http::verb::head};
    const Request request = to_request(parser_->release());
    const auto started = Clock::now();
    Response response = co_await ask_service(request);
    const unsigned status = response.status;
    keep_alive = co_await answer(std::move(response), framing);
    const std::chrono::duration<double, std::milli> took = Clock::now() - started;
    std::printf("%s: %s %s %u %.1f ms\n", server_.name_.c_str(), request.method.c_str(),
                request.target.c_str(), status, took.count());
  }
  close();
}

asio::awaitable<error_code> Server::Session::read() {
  parser_.emplace();
  parser_->header_limit(server_.limits_.head_bytes);
  parser_->body_limit(server_.limits_.body_bytes);
  error_code error;
  waiting_ = true;
  stream_.expires_after(server_.limits_.idle);
  co_await http::async_read_header(stream_, buffer_, *parser_,
                                   asio::redirect_error(asio::use_awaitable, error));
  waiting_ = false;
  if (error) co_return error;
  const auto expect = parser_->get()[http::field::expect];
  if (same_name({expect.data(), expect.size()}, "100-continue") && !parser_->is_done()) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream_, asio::buffer(go_on),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
  }
  stream_.expires_after(server_.limits_.idle);
  co_await http::async_read(stream_, buffer_, *parser_, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<Response> Server::Session::ask_service(const Request& request) {
  try {
    co_return co_await server_.service_.handle(request);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s %s failed: %s\n", server_.name_.c_str(), request.method.c_str(),
                 request.target.c_str(), failure.what());
  }
  co_return error_page(500, "Internal Server Error");
}

/// True when the connection may carry another request.
asio::awaitable<bool> Server::Session::answer(Response response, Framing framing) {
  framing.keep_alive = framing.keep_alive && !server_.stopping_;
  auto message = to_message(std::move(response), framing.version, framing.keep_alive, framing.is_head);
  http::response_serializer<http::string_body> serializer(message);
  serializer.split(framing.is_head);
  error_code error;
  stream_.expires_after(server_.limits_.write);
  if (framing.is_head) {
    co_await http::async_write_header(stream_, serializer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await http::async_write(stream_, serializer, asio::redirect_error(asio::use_awaitable, error));
  }
  co_return framing.keep_alive && !error && !server_.stopping_;
}

/// Reads and forgets what a refused client still sends: closing over unread bytes makes the kernel send a
/// reset, which can overtake the answer. Source: RFC 9112 §9.6.
asio::awaitable<void> Server::Session::discard_rest() {
  error_code error;
  stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(std::chrono::seconds(2));
  std::vector<char> scratch(16 * 1024);
  while (!error) {
    co_await stream_.async_read_some(asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, error));
  }
}

void Server::Session::close_if_idle() {
  error_code error;
  const bool has_bytes = buffer_.size() > 0 || stream_.socket().available(error) > 0;
  const bool has_begun = !waiting_ || parser_->got_some() || has_bytes;
  if (!has_begun) close();
}

void Server::Session::close() {
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
}

Server::Server(asio::io_context& context, Service& service, std::string name, Limits limits)
    : context_(context), service_(service), name_(std::move(name)), limits_(limits), acceptor_(context) {}

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
    if (may_accept()) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (!error) start(std::move(socket));
      if (!error || stopping_) continue;
    }
    // Full, or out of descriptors: the connection stays in the queue, so trying again at once would spin.
    asio::steady_timer pause(context_, std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void Server::start(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  asio::co_spawn(context_, Session::serve(*this, std::move(socket)), asio::detached);
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
  accept_what_waits();
  error_code ignored;
  acceptor_.close(ignored);
  // A request may be on its way on a connection that looks idle; it gets this long to arrive.
  auto grace = std::make_shared<asio::steady_timer>(context_, std::chrono::milliseconds(100));
  grace->async_wait([this, grace](error_code) {
    const std::list<Session*> all = sessions_;
    for (Session* session : all) session->close_if_idle();
  });
}

}  // namespace bookinfo
