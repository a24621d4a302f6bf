#include "common/client.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>

#include "common/kept_connections.h"
#include "common/resolver.h"
#include "common/tls.h"

namespace bookinfo {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Outcome = std::expected<Response, std::string>;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint32_t kHeadLimit = 64 * 1024;
constexpr std::uint64_t kBodyLimit = 1024 * 1024;

http::request<http::empty_body> to_message(const Call& call) {
  http::request<http::empty_body> message;
  message.method(http::verb::get);
  message.target(call.target);
  message.version(11);
  const bool is_usual_port = call.to.port == (call.tls == nullptr ? "80" : "443");
  message.set(http::field::host, is_usual_port ? call.to.host_of_url() : call.to.authority());
  for (const auto& [name, value] : call.headers) message.insert(name, value);
  // Over TLS this sample speaks to one distant server, once per page: not worth keeping.
  if (call.tls != nullptr) message.set(http::field::connection, "close");
  return message;
}

Response to_response(http::response<http::string_body>&& message) {
  Response response{.status = message.result_int(), .headers = {}, .body = std::move(message.body())};
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    response.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  return response;
}

/// Until when the next step may take.
Clock::time_point next_deadline(const Call& call) { return std::min(call.ends, Clock::now() + call.timeout); }

std::chrono::milliseconds left_for_step(const Call& call) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_deadline(call) - Clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

/// How a call ended: with an answer, or at a step that failed.
struct Attempt {
  Response response{};
  const char* failed_step = nullptr;
  error_code error{};
  bool may_retry = false;
  bool has_begun = false;  ///< a byte of the answer came
  bool may_go_on = false;  ///< the connection can carry another call
};

/// Broken off or silent, as opposed to answered with something that is not HTTP.
bool is_broken_off(error_code error) {
  return error == http::error::end_of_stream || error == http::error::partial_message ||
         error.category() != http::make_error_code(http::error::end_of_stream).category();
}

/// News before the answer, such as 103 Early Hints. Source: RFC 9110 §15.2.
bool is_interim(unsigned status) { return status >= 100 && status < 200 && status != 101; }

/// Sends the request and reads the answer on a connection that is ready for both.
template <typename Stream>
asio::awaitable<Attempt> exchange(Stream& stream, const Call& call) {
  auto& deadline = beast::get_lowest_layer(stream);
  const auto message = to_message(call);
  error_code error;
  deadline.expires_at(next_deadline(call));
  co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Attempt{.failed_step = "send", .error = error, .may_retry = true};
  std::optional<http::response_parser<http::string_body>> parser;
  beast::flat_buffer buffer;
  bool has_begun = false;
  do {
    parser.emplace();
    parser->header_limit(kHeadLimit);
    parser->body_limit(kBodyLimit);
    while (!parser->is_done() && !error) {
      deadline.expires_at(next_deadline(call));
      co_await http::async_read_some(stream, buffer, *parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    }
    has_begun = has_begun || parser->got_some() || buffer.size() > 0;
  } while (!error && is_interim(parser->get().result_int()));
  if (error) {
    co_return Attempt{
        .failed_step = "receive", .error = error, .may_retry = is_broken_off(error), .has_begun = has_begun};
  }
  const bool may_go_on = parser->keep_alive() && buffer.size() == 0;
  co_return Attempt{.response = to_response(parser->release()), .has_begun = true, .may_go_on = may_go_on};
}

asio::awaitable<Attempt> exchange_over_tls(beast::tcp_stream connected, const Call& call) {
  TlsStream stream(std::move(connected), *call.tls);
  expect_peer(stream, call.to.host);
  beast::get_lowest_layer(stream).expires_at(next_deadline(call));
  error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Attempt{.failed_step = "TLS handshake", .error = error};
  co_return co_await exchange(stream, call);
}

/// On a connection that earlier calls have left. Nothing when there is none, or when its server had given it
/// up before this call reached it: a GET that brought not one byte back may be sent again. Source: RFC 9110
/// §9.2.2.
asio::awaitable<std::optional<Attempt>> attempt_on_kept(KeptConnections& kept, const std::string& authority,
                                                        const Call& call) {
  auto connection = kept.take(authority);
  if (!connection) co_return std::nullopt;
  Attempt ended = co_await exchange(connection->stream, call);
  if (ended.may_go_on) kept.put(authority, std::move(*connection));
  const bool given_up =
      ended.failed_step != nullptr && !ended.has_begun && ended.error != beast::error::timeout;
  if (given_up) co_return std::nullopt;
  co_return ended;
}

asio::awaitable<Attempt> attempt_on_new(KeptConnections& kept, const std::string& authority,
                                        const Call& call) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto addresses =
      co_await Resolver::of(executor).resolve(call.to.host, call.to.port, left_for_step(call));
  if (!addresses) co_return Attempt{.failed_step = "resolve", .error = addresses.error()};
  beast::tcp_stream stream(executor);
  error_code error;
  stream.expires_at(next_deadline(call));
  co_await stream.async_connect(*addresses, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Attempt{.failed_step = "connect", .error = error};
  stream.socket().set_option(tcp::no_delay(true), error);
  if (call.tls != nullptr) co_return co_await exchange_over_tls(std::move(stream), call);
  KeptConnections::Connection connection{std::move(stream), Clock::now()};
  Attempt ended = co_await exchange(connection.stream, call);
  if (ended.may_go_on) kept.put(authority, std::move(connection));
  co_return ended;
}

asio::awaitable<Attempt> attempt(const Call& call) {
  KeptConnections& kept = KeptConnections::of(co_await asio::this_coro::executor);
  const std::string authority = call.to.authority();
  if (call.tls == nullptr) {
    if (auto ended = co_await attempt_on_kept(kept, authority, call)) co_return std::move(*ended);
  }
  co_return co_await attempt_on_new(kept, authority, call);
}

asio::awaitable<Outcome> get_from_one_place(Call& call) {
  while (true) {
    Attempt ended = co_await attempt(call);
    if (ended.failed_step == nullptr) co_return std::move(ended.response);
    if (!ended.may_retry || call.retries == 0 || Clock::now() >= call.ends) {
      co_return std::unexpected(call.to.authority() + call.target + ": " + ended.failed_step + ": " +
                                ended.error.message());
    }
    --call.retries;
  }
}

/// Points the call at the answer's `Location`; false when it is not a redirect we can follow: without one, or
/// to anything but plain HTTP.
bool redirect(Call& call, const Response& response) {
  constexpr unsigned kRedirects[] = {301, 302, 303, 307, 308};
  const auto location = response.headers.find("Location");
  if (!location || std::ranges::find(kRedirects, response.status) == std::end(kRedirects)) return false;
  std::string_view rest = *location;
  if (rest.starts_with("/") && !rest.starts_with("//")) {
    call.target = rest;
    return true;
  }
  if (!rest.starts_with("http://")) return false;
  rest.remove_prefix(7);
  call.tls = nullptr;
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const auto colon = authority.find(':');
  call.to.host = authority.substr(0, colon);
  call.to.port = colon == std::string_view::npos ? "80" : authority.substr(colon + 1);
  call.target = slash == rest.size() ? "/" : rest.substr(slash);
  return true;
}

}  // namespace

std::string Endpoint::host_of_url() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? "[" + host + "]" : host;
}

std::string Endpoint::authority() const { return host_of_url() + ":" + port; }

Endpoint endpoint_of(const Environment& environment, std::string_view service) {
  std::string upper(service);
  std::ranges::transform(upper, upper.begin(), [](unsigned char letter) { return std::toupper(letter); });
  Endpoint endpoint;
  endpoint.host = environment.get(upper + "_HOSTNAME", service);
  const std::string domain = environment.get("SERVICES_DOMAIN", "");
  if (!domain.empty()) endpoint.host += "." + domain;
  endpoint.port = environment.get(upper + "_SERVICE_PORT", "9080");
  return endpoint;
}

asio::awaitable<Outcome> get(Call call) {
  while (true) {
    Outcome outcome = co_await get_from_one_place(call);
    if (!outcome || call.redirects == 0 || !redirect(call, *outcome)) co_return outcome;
    --call.redirects;
  }
}

}  // namespace bookinfo
