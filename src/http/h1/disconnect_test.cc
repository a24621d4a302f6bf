#include <gtest/gtest.h>
#include <sys/socket.h>

#include "http/server_session.h"
#include "net/socket.h"

namespace weft::http::h1 {
namespace {

net::Task<void> read_and_wait(ServerExchange& exchange, net::Loop& loop, int& disconnected) {
  exchange.on_disconnect([&disconnected] { ++disconnected; });
  while (!exchange.request_complete()) static_cast<void>(co_await exchange.read_body());
  co_await loop.sleep(1h);
}

/// The end comes in one event with the request.
TEST(Disconnect, a_client_that_leaves_together_with_its_request_has_left) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
    net::Loop loop;
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    const net::Fd client(pair[1]);
    const auto stream = *net::Socket::adopt(loop, net::Fd(pair[0]));
    int disconnected = 0;
    const Handler handler = [&](ServerExchange& exchange) {
      return read_and_wait(exchange, loop, disconnected);
    };
    const ServerSessionOptions options;
    const auto connection = make_server_session(Protocol::kHttp1, *stream, options);
    net::TaskScope scope;
    scope.spawn(connection->serve(handler));
    loop.run_once(0ms);
    ASSERT_EQ(::send(client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    for (int turn = 0; turn < 5; ++turn) loop.run_once(0ms);
    EXPECT_FALSE(connection->is_idle());
    EXPECT_EQ(disconnected, request.find("close") == request.npos ? 1 : 0) << request;
  }
}

}  // namespace
}  // namespace weft::http::h1
