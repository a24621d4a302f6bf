#include "common/session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <exception>
#include <vector>

#include "common/request_log.h"
#include "common/text.h"

namespace bookinfo {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

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

/// What of a request decides how its answer is framed.
struct Session::Framing {
  unsigned version = 11;
  bool keep_alive = false;
  bool is_head = false;
};

/// What one request needs while it is read.
struct Session::Exchange {
  http::request_parser<http::string_body> parser;
};

Session::Session(Sessions& all, tcp::socket socket) : all_(all), socket_(std::move(socket)) {
  place_ = all_.open_.insert(all_.open_.end(), this);
}

Session::~Session() {
  if (is_open_) all_.leave(place_);
}

asio::awaitable<void> Session::serve(Sessions& all, tcp::socket socket) {
  Session session(all, std::move(socket));
  co_await session.run();
}

asio::awaitable<void> Session::run() {
  bool keep_alive = true;
  while (keep_alive) {
    co_await wait_for_request();
    if (!is_open_) co_return;
    keep_alive = co_await exchange();
  }
  if (is_open_) close();
}

/// Waits without a buffer: most connections of a server that is left alone are here.
asio::awaitable<void> Session::wait_for_request() {
  is_waiting_ = true;
  has_begun_ = buffer_.size() > 0;
  allow(all_.limits_.idle);
  all_.open_.splice(all_.open_.end(), all_.open_, place_);
  if (has_begun_) co_return;
  buffer_.shrink_to_fit();
  error_code error;
  co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
  has_begun_ = true;
  allow(all_.limits_.idle);
}

/// Reads one request and answers it. True when the connection may carry another.
asio::awaitable<bool> Session::exchange() {
  Exchange exchange;
  const error_code error = co_await read(exchange);
  if (is_parse_error(error)) co_await refuse(exchange, error);
  if (error) co_return false;
  const auto& head = exchange.parser.get();
  const Framing framing{head.version(), head.keep_alive(), head.method() == http::verb::head};
  const Request request = to_request(exchange.parser.release());
  const auto started = Clock::now();
  // How long a service may take is its own matter.
  deadline_ = Clock::time_point::max();
  Response response = co_await ask_service(request);
  const unsigned status = response.status;
  const std::size_t bytes = response.body.size();
  const bool keep_alive = co_await answer(std::move(response), framing);
  log(request, status, bytes, started);
  co_return keep_alive;
}

asio::awaitable<error_code> Session::read(Exchange& exchange) {
  auto& parser = exchange.parser;
  parser.header_limit(all_.limits_.head_bytes);
  parser.body_limit(all_.limits_.body_bytes);
  error_code error;
  co_await http::async_read_header(socket_, buffer_, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  is_waiting_ = false;
  if (error || parser.is_done()) co_return error;
  allow(all_.limits_.idle);
  const auto expect = parser.get()[http::field::expect];
  if (same_name({expect.data(), expect.size()}, "100-continue")) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(socket_, asio::buffer(go_on),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
  }
  co_await http::async_read(socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<Response> Session::ask_service(const Request& request) {
  try {
    co_return co_await all_.service_.handle(request);
  } catch (const std::exception& failure) {
    log_failure(all_.name_, request.headers,
                request.method + " " + request.path + " failed: " + failure.what());
  }
  co_return error_page(500, "Internal Server Error");
}

/// True when the connection may carry another request.
asio::awaitable<bool> Session::answer(Response response, Framing framing) {
  framing.keep_alive = framing.keep_alive && !all_.stopping_;
  auto message = to_message(std::move(response), framing.version, framing.keep_alive, framing.is_head);
  http::response_serializer<http::string_body> serializer(message);
  serializer.split(framing.is_head);
  error_code error;
  allow(all_.limits_.write);
  if (framing.is_head) {
    co_await http::async_write_header(socket_, serializer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await http::async_write(socket_, serializer, asio::redirect_error(asio::use_awaitable, error));
  }
  // A deadline may have closed the connection after the last byte was written and before this line.
  co_return framing.keep_alive && !error && !all_.stopping_ && is_open_;
}

asio::awaitable<void> Session::refuse(Exchange& exchange, error_code error) {
  const auto started = Clock::now();
  Response response = refusal(all_.service_, error);
  const unsigned status = response.status;
  const std::size_t bytes = response.body.size();
  co_await answer(std::move(response), Framing{});
  // The head may be whole, as of a body that is too long, or only begun.
  log(to_request(exchange.parser.release()), status, bytes, started);
  co_await discard_rest();
}

/// Reads and forgets what a refused client still sends: closing over unread bytes makes the kernel send a
/// reset, which can overtake the answer. Source: RFC 9112 §9.6.
asio::awaitable<void> Session::discard_rest() {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  allow(std::chrono::seconds(2));
  std::vector<char> scratch(16 * 1024);
  while (!error) {
    co_await socket_.async_read_some(asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, error));
  }
}

void Session::log(const Request& request, unsigned status, std::size_t bytes,
                  Clock::time_point started) const {
  const std::string line = request_log_line(request, {.service = all_.name_,
                                                      .status = status,
                                                      .bytes = bytes,
                                                      .took = Clock::now() - started,
                                                      .when = std::chrono::system_clock::now()});
  std::puts(line.c_str());
}

void Session::close_if_idle() {
  error_code error;
  const bool has_bytes = has_begun_ || socket_.available(error) > 0;
  if (is_waiting_ && !has_bytes) close();
}

void Session::close() {
  is_open_ = false;
  is_waiting_ = false;
  all_.leave(place_);
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

Sessions::Sessions(asio::io_context& context, Service& service, std::string name, ServerLimits limits)
    : context_(context), service_(service), name_(std::move(name)), limits_(limits), timer_(context) {}

void Sessions::start(tcp::socket socket) {
  asio::co_spawn(context_, Session::serve(*this, std::move(socket)), asio::detached);
  if (!watching_) watch_deadlines();
}

bool Sessions::make_room() {
  for (Session* session : open_) {
    if (!session->is_waiting()) continue;
    session->close();
    return true;
  }
  return false;
}

void Sessions::close_idle() {
  const std::list<Session*> all = open_;
  for (Session* session : all) session->close_if_idle();
}

void Sessions::watch_deadlines() {
  watching_ = true;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](error_code error) {
    watching_ = false;
    if (error) return;
    close_late();
    if (!open_.empty()) watch_deadlines();
  });
}

void Sessions::close_late() {
  const auto now = Session::Clock::now();
  for (auto next = open_.begin(); next != open_.end();) {
    Session* session = *next++;
    if (session->is_late(now)) session->close();
  }
}

void Sessions::leave(Place place) {
  open_.erase(place);
  rest_if_done();
}

void Sessions::stop() {
  stopping_ = true;
  rest_if_done();
}

/// The timer must not be what keeps a stopped server's loop running.
void Sessions::rest_if_done() {
  if (stopping_ && open_.empty()) timer_.cancel();
}

}  // namespace bookinfo
