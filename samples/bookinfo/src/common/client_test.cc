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
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "common/kept_connections.h"

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

/// What a server does with the nth request of its nth connection: the bytes it sends, and whether it ends
/// then.
struct Deed {
  std::string answer;
  bool ends = false;
};
using Deeds = std::function<Deed(int connection, int request)>;
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that does as it is told, and calls made to it one after the other.
class Exchanges {
 public:
  explicit Exchanges(Deeds deeds) : deeds_(std::move(deeds)) {
    asio::co_spawn(loop, accept(), asio::detached);
  }

  std::vector<Outcome> call(int times, unsigned retries = 0) {
    std::vector<Outcome> outcomes;
    asio::co_spawn(loop, call_all(times, retries, outcomes), asio::detached);
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (outcomes.size() < static_cast<std::size_t>(times) && std::chrono::steady_clock::now() < limit)
      loop.run_one_for(100ms);
    return outcomes;
  }
  KeptConnections& kept() { return KeptConnections::of(loop.get_executor()); }

  asio::io_context loop;
  int connections = 0;
  std::vector<std::string> requests;

 private:
  asio::awaitable<void> accept() {
    while (true) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::co_spawn(loop, serve(std::move(socket), ++connections), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket socket, int connection) {
    boost::system::error_code error;
    std::string read;
    for (int request = 1;; ++request) {
      while (read.find("\r\n\r\n") == read.npos) {
        char bytes[4096];
        const auto got = co_await socket.async_receive(asio::buffer(bytes),
                                                       asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        read.append(bytes, got);
      }
      requests.push_back(std::exchange(read, {}));
      const Deed deed = deeds_(connection, request);
      co_await socket.async_send(asio::buffer(deed.answer), asio::redirect_error(asio::use_awaitable, error));
      if (error || deed.ends) co_return;
    }
  }
  asio::awaitable<void> call_all(int times, unsigned retries, std::vector<Outcome>& outcomes) {
    for (int time = 0; time < times; ++time) {
      Call made;
      made.to = {"127.0.0.1", std::to_string(acceptor_.local_endpoint().port())};
      made.target = "/";
      made.timeout = 10s;
      made.retries = retries;
      outcomes.push_back(co_await get(std::move(made)));
    }
  }

  Deeds deeds_;
  tcp::acceptor acceptor_{loop, {asio::ip::address_v4::loopback(), 0}};
};

void expect_all_ok(const std::vector<Outcome>& outcomes) {
  for (const Outcome& each : outcomes) EXPECT_EQ(each ? each->body : each.error(), "ok");
}

TEST(Client, calls_one_after_the_other_share_a_connection) {
  Exchanges server([](int, int) { return Deed{std::string(kOk)}; });
  expect_all_ok(server.call(20));
  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(server.requests.back().find("onnection: close"), std::string::npos);
}

TEST(Client, a_connection_that_its_server_closed_between_calls_is_not_used) {
  Exchanges server([](int, int) { return Deed{std::string(kOk), true}; });
  expect_all_ok(server.call(3));
  EXPECT_EQ(server.connections, 3);
}

TEST(Client, a_kept_connection_that_ends_without_a_byte_costs_one_more_connection_and_no_answer) {
  Exchanges server([](int, int request) { return request == 1 ? Deed{std::string(kOk)} : Deed{"", true}; });
  expect_all_ok(server.call(4));
  EXPECT_EQ(server.connections, 4);
  EXPECT_EQ(server.requests.size(), 7U) << "each but the first call was sent twice";
}

TEST(Client, a_new_connection_that_ends_without_a_byte_is_an_error_at_once) {
  Exchanges server([](int, int) { return Deed{"", true}; });
  const auto outcomes = server.call(1);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_FALSE(outcomes[0]);
  EXPECT_EQ(server.requests.size(), 1U);
}

TEST(Client, an_answer_that_has_begun_is_never_asked_for_again) {
  Exchanges server([](int, int request) {
    return request == 1 ? Deed{std::string(kOk)}
                        : Deed{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", true};
  });
  const auto outcomes = server.call(2);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_EQ(server.requests.size(), 2U);
}

TEST(Client, an_answer_that_ends_its_connection_ends_it) {
  Exchanges server(
      [](int, int) { return Deed{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"}; });
  expect_all_ok(server.call(3));
  EXPECT_EQ(server.connections, 3);
}

TEST(Client, bytes_behind_an_answer_end_its_connection) {
  Exchanges server([](int, int) { return Deed{std::string(kOk) + "HTTP/1.1 200 OK\r\n\r\n"}; });
  expect_all_ok(server.call(3));
  EXPECT_EQ(server.connections, 3);
}

TEST(Client, interim_responses_are_no_answer) {
  Exchanges server([](int, int) {
    return Deed{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
                std::string(kOk)};
  });
  expect_all_ok(server.call(3));
  EXPECT_EQ(server.connections, 1);
}

TEST(Client, connections_that_nobody_uses_are_closed_in_time) {
  Exchanges server([](int, int) { return Deed{std::string(kOk)}; });
  server.kept().set_limits({.idle = 20ms});
  expect_all_ok(server.call(1));
  EXPECT_EQ(server.kept().size(), 1U);
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (server.kept().size() > 0 && std::chrono::steady_clock::now() < limit) server.loop.run_one_for(100ms);
  EXPECT_EQ(server.kept().size(), 0U);
}

TEST(Client, a_connection_is_replaced_when_it_is_old) {
  Exchanges server([](int, int) { return Deed{std::string(kOk)}; });
  server.kept().set_limits({.age = 0ms});
  expect_all_ok(server.call(3));
  EXPECT_EQ(server.connections, 3);
}

TEST(Client, no_more_connections_are_kept_than_allowed) {
  Exchanges server([](int, int) { return Deed{std::string(kOk)}; });
  server.kept().set_limits({.connections = 0});
  expect_all_ok(server.call(2));
  EXPECT_EQ(server.connections, 2);
  EXPECT_EQ(server.kept().size(), 0U);
}

TEST(Client, nothing_is_kept_once_the_server_stops) {
  Exchanges server([](int, int) { return Deed{std::string(kOk)}; });
  expect_all_ok(server.call(1));
  server.kept().stop();
  expect_all_ok(server.call(1));
  EXPECT_EQ(server.kept().size(), 0U);
}

}  // namespace
}  // namespace bookinfo
