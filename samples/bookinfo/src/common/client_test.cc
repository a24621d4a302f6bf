#include "common/client.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string_view>

namespace bookinfo {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;
using Outcome = std::expected<Response, std::string>;

/// Says one more byte of its head every 20 ms, which is never silent and never done; counts connections.
asio::awaitable<void> drip(tcp::acceptor& acceptor, int& connections) {
  while (true) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    ++connections;
    std::string_view next = "HTTP/1.1 200 OK\r\nX: ";
    while (!error) {
      co_await socket.async_send(asio::buffer(next.substr(0, 1)),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (next.size() > 1) next.remove_prefix(1);
      asio::steady_timer pause(acceptor.get_executor(), 20ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
}

asio::awaitable<void> call(Call call, tcp::acceptor& acceptor, std::optional<Outcome>& outcome) {
  outcome = co_await get(std::move(call));
  acceptor.close();
}

TEST(Client, gives_up_at_the_end_though_bytes_still_come) {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  int connections = 0;
  std::optional<Outcome> outcome;
  Call made;
  made.to = {"127.0.0.1", std::to_string(acceptor.local_endpoint().port())};
  made.target = "/";
  made.timeout = 10s;
  made.retries = 3;
  const auto began = std::chrono::steady_clock::now();
  made.ends = began + 200ms;
  asio::co_spawn(loop, drip(acceptor, connections), asio::detached);
  asio::co_spawn(loop, call(made, acceptor, outcome), asio::detached);
  loop.run_for(5s);
  ASSERT_TRUE(outcome) << "it never ended";
  ASSERT_FALSE(*outcome);
  EXPECT_NE(outcome->error().find("receive"), std::string::npos) << outcome->error();
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
  EXPECT_EQ(connections, 1) << "no time was left to try again";
}

}  // namespace
}  // namespace bookinfo
