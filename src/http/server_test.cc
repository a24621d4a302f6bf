#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/client.h"

namespace weft::http {
namespace {

net::Task<void> echo(ServerExchange& exchange) {
  auto body = co_await read_all(exchange, 1000);
  if (!body) {
    static_cast<void>(co_await respond(exchange, 413, "text/plain", body.error().text));
    co_return;
  }
  static_cast<void>(co_await respond(exchange, 200, "text/plain", exchange.request().method + " " + *body));
}

/// Runs `task` on a real loop until it is done.
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await inner);
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(10s);
  return std::move(*value);
}

struct Directory {
  Directory() { path = ::mkdtemp(name); }
  ~Directory() {
    ::unlink((path + "/s").c_str());
    ::rmdir(path.c_str());
  }
  char name[32] = "/tmp/weft-http-XXXXXX";
  std::string path;
};

TEST(Server, answers_on_a_unix_socket_that_only_its_owner_may_use) {
  net::Loop loop;
  Directory directory;
  const net::Address at = *net::Address::unix_path(directory.path + "/s");
  auto server = Server::listen(loop, at, echo);
  ASSERT_TRUE(server) << server.error().text;
  struct stat status{};
  ASSERT_EQ(::stat((directory.path + "/s").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto answer = run(loop, fetch(loop, at, {.method = "POST", .body = "hello"}));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->head.status, 200);
  EXPECT_EQ(answer->body, "POST hello");
}

TEST(Server, a_body_over_the_limit_is_an_error_of_the_client) {
  net::Loop loop;
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), echo);
  ASSERT_TRUE(server);
  const auto answer =
      run(loop, fetch(loop, (*server)->address(), {.method = "PUT", .body = std::string(2000, 'x')}));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->head.status, 413);
}

TEST(Server, a_fetch_from_nobody_is_rejected_and_an_answer_that_is_too_large_is_cut) {
  net::Loop loop;
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), echo);
  ASSERT_TRUE(server);
  const net::Address at = (*server)->address();
  const auto small = run(loop, fetch(loop, at, {.method = "PUT", .body = "12345"}, {.max_body = 3}));
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, Code::kTooLarge);
  server->reset();
  const auto refused = run(loop, fetch(loop, at, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
}

net::Task<void> wait_or_echo(ServerExchange& exchange, net::Loop& loop) {
  if (exchange.request().path == "/wait") co_await loop.sleep(1h);
  if (exchange.request().path == "/unread") {
    static_cast<void>(co_await respond(exchange, 200, "text/plain", "unread"));
    co_return;
  }
  co_await echo(exchange);
}

TEST(Server, idle_connections_give_way_to_new_ones_and_those_with_a_request_do_not) {
  net::Loop loop;
  ServerOptions options;
  options.max_connections = 4;
  const Handler handler = [&loop](ServerExchange& exchange) { return wait_or_echo(exchange, loop); };
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), handler, options);
  ASSERT_TRUE(server);
  const net::Address at = (*server)->address();
  std::vector<std::unique_ptr<net::Socket>> busy, silent;
  const auto connect = [&](std::vector<std::unique_ptr<net::Socket>>& into, std::string_view bytes) {
    auto made = run(loop, net::connect(loop, at, {.deadline = loop.now() + 30s}));
    ASSERT_TRUE(made) << made.error().text;
    run(loop, (*made)->write(bytes));
    into.push_back(std::move(*made));
  };
  for (int i = 0; i < 2; ++i) connect(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string_view kinds[] = {"", "GET / HT",
                                    "PUT /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nx"};
  for (std::size_t i = 0; i < 30; ++i) {
    connect(silent, kinds[i % 3]);
    const auto answer = run(loop, fetch(loop, at, {.method = "PUT"}, {.deadline = loop.now() + 30s}));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->head.status, 200);
  }
  for (const auto& socket : busy) EXPECT_FALSE(socket->peer_ended());
}

TEST(Server, a_response_that_is_not_read_in_time_gives_its_place_back) {
  net::Loop loop;
  ServerOptions options;
  options.max_connections = 1;
  options.response_timeout = 50ms;
  const std::string page(16 * 1024 * 1024, 'x');
  const Handler handler = [&page](ServerExchange& exchange) -> net::Task<void> {
    const bool large = exchange.request().path == "/large";
    static_cast<void>(co_await respond(exchange, 200, "text/plain", large ? std::string_view(page) : "x"));
  };
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), handler, options);
  ASSERT_TRUE(server);
  const net::Address at = (*server)->address();
  auto slow = run(loop, net::connect(loop, at, {.deadline = loop.now() + 30s}));
  ASSERT_TRUE(slow) << slow.error().text;
  run(loop, (*slow)->write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto answer = run(loop, fetch(loop, at, {}, {.deadline = loop.now() + 30s}));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->head.status, 200);
}

TEST(Server, a_request_whose_client_has_gone_gives_its_place_back) {
  net::Loop loop;
  ServerOptions options;
  options.max_connections = 2;
  const Handler handler = [&loop](ServerExchange& exchange) { return wait_or_echo(exchange, loop); };
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), handler, options);
  ASSERT_TRUE(server);
  const net::Address at = (*server)->address();
  for (int i = 0; i < 10; ++i) {
    const auto gone = run(loop, fetch(loop, at, {.path = "/wait"}, {.deadline = loop.now() + 20ms}));
    EXPECT_FALSE(gone);
    const auto answer = run(loop, fetch(loop, at, {}, {.deadline = loop.now() + 30s}));
    ASSERT_TRUE(answer) << answer.error().text;
  }
}

std::string read_some(net::Loop& loop, net::Socket& socket) {
  socket.set_read_deadline(loop.now() + 30s);
  char bytes[1000];
  const net::IoResult got = run(loop, socket.read(std::span(bytes, sizeof bytes)));
  return {bytes, got.bytes};
}

/// Whether the loop has nothing at all to do for a while.
bool sleeps(net::Loop& loop) {
  for (int tries = 0; tries < 20; ++tries) {
    const TimePoint before = SteadyClock::now();
    loop.run_once(100ms);
    if (SteadyClock::now() - before >= 100ms) return true;
  }
  return false;
}

TEST(Server, who_waits_while_all_have_a_request_comes_in_as_soon_as_one_ends) {
  net::Loop loop;
  ServerOptions options;
  options.max_connections = 1;
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), echo, options);
  ASSERT_TRUE(server);
  const auto connect = [&] {
    auto made = run(loop, net::connect(loop, (*server)->address(), {.deadline = loop.now() + 30s}));
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  };
  auto first = connect();
  run(loop, first->write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(sleeps(loop)) << "the first has its place";
  auto second = connect();
  run(loop, second->write("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(sleeps(loop)) << "until a place is given back nobody looks for one";
  run(loop, first->write("x"));
  EXPECT_TRUE(read_some(loop, *first).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(read_some(loop, *first), "") << "an idle connection makes room";

  auto third = connect();
  run(loop, third->write("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_TRUE(sleeps(loop));
  second->close(true);
  EXPECT_TRUE(read_some(loop, *third).starts_with("HTTP/1.1 200")) << "and so does one that ends";
}

TEST(Server, drained_it_takes_nobody_and_ends_when_the_last_response_is_out) {
  net::Loop loop;
  auto server = Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), echo);
  ASSERT_TRUE(server);
  const net::Address at = (*server)->address();
  auto busy = std::move(*run(loop, net::connect(loop, at, {.deadline = loop.now() + 30s})));
  auto idle = std::move(*run(loop, net::connect(loop, at, {.deadline = loop.now() + 30s})));
  run(loop, busy->write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(sleeps(loop));
  bool drained = false;
  const auto drain = [](Server& ending, bool& done) -> net::Task<void> {
    co_await ending.drain();
    done = true;
  };
  net::TaskScope scope;
  scope.spawn(drain(**server, drained));
  EXPECT_EQ(read_some(loop, *idle), "") << "without a request it ends at once";
  EXPECT_FALSE(run(loop, fetch(loop, at, {}, {.deadline = loop.now() + 30s})));
  EXPECT_FALSE(drained);
  run(loop, busy->write("x"));
  EXPECT_NE(read_some(loop, *busy).find("connection: close"), std::string::npos);
  while (!drained) loop.run_once(10s);
}

TEST(Targets, paths_and_queries_are_taken_apart_and_decoded) {
  EXPECT_EQ(path_of("/a/b?x=1"), "/a/b");
  EXPECT_EQ(query_parameter("/a?x=1&y=a%20b+c&z", "y"), "a b c");
  EXPECT_EQ(query_parameter("/a?x=1&z", "z"), "");
  EXPECT_EQ(query_parameter("/a?x=1", "y"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(percent_decode(percent_encode("a b/c%+\n")), "a b/c%+\n");
}

}  // namespace
}  // namespace weft::http
