#include "http/h1/client_connection.h"

#include <gtest/gtest.h>

#include "net/testing/pipe.h"

namespace weft::http::h1 {
namespace {

struct Outcome {
  bool done = false;
  std::optional<Error> error;
  std::vector<int> statuses;
  std::string body;
};

/// A client connection whose server is the test.
struct Calling {
  Calling() {
    auto [client_end, server_end] = net::testing::make_pipe(*loop);
    server = std::move(server_end);
    connection = std::make_unique<ClientConnection>(std::move(client_end));
  }
  static net::Task<void> call(ClientConnection& connection, std::string method, std::string body,
                              Outcome& outcome) {
    ClientExchange& exchange = connection.start();
    const auto result = co_await perform(exchange, std::move(method), std::move(body), outcome);
    if (!result) outcome.error = result.error();
    outcome.done = true;
  }
  static net::Task<Result<void>> perform(ClientExchange& exchange, std::string method, std::string body,
                                         Outcome& outcome) {
    RequestHead head;
    head.method = method;
    head.path = "/";
    head.authority = "h";
    WEFT_CO_CHECK(co_await exchange.send_head(head, body.empty()));
    if (!body.empty()) WEFT_CO_CHECK(co_await exchange.send_body(body, true));
    ResponseHead response;
    do {
      WEFT_CO_CHECK(co_await exchange.read_head(response));
      outcome.statuses.push_back(response.status);
    } while (response.status < 200);
    for (;;) {
      WEFT_CO_TRY(const BodyChunk chunk, co_await exchange.read_body());
      outcome.body += chunk.data;
      if (chunk.end) co_return Result<void>{};
    }
  }
  Outcome& begin(std::string method = "GET", std::string body = {}) {
    outcomes.push_back(std::make_unique<Outcome>());
    tasks.spawn(call(*connection, std::move(method), std::move(body), *outcomes.back()));
    loop->settle();
    return *outcomes.back();
  }
  void answer(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    static_cast<void>(server->try_write({&part, 1}));
    loop->settle();
  }
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::unique_ptr<net::testing::PipeEnd> server;
  std::unique_ptr<ClientConnection> connection;
  std::vector<std::unique_ptr<Outcome>> outcomes;
  net::TaskScope tasks;
};

TEST(ClientConnection, sends_one_request_after_another_over_one_connection) {
  Calling calling;
  Outcome& first = calling.begin();
  EXPECT_EQ(calling.server->take(), "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  calling.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(first.done);
  EXPECT_EQ(first.body, "ok");
  ASSERT_TRUE(calling.connection->usable());
  Outcome& second = calling.begin("POST", "body");
  EXPECT_EQ(calling.connection->exchanges(), 2u);
  EXPECT_EQ(calling.server->take(),
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
  calling.answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(second.statuses, (std::vector<int>{100, 103, 204}));
  EXPECT_TRUE(calling.connection->usable());
}

TEST(ClientConnection, a39_bytes_behind_a_response_end_the_connection) {
  Calling calling;
  calling.begin();
  calling.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
  EXPECT_TRUE(calling.outcomes[0]->done);
  EXPECT_FALSE(calling.connection->usable());
}

TEST(ClientConnection, a40_a_body_nobody_asked_for_is_dropped_with_the_connection) {
  Calling calling;
  const Outcome& outcome = calling.begin("HEAD");
  calling.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.body, "");
  EXPECT_FALSE(calling.connection->usable());
}

TEST(ClientConnection, a_body_until_close_ends_in_order_and_one_with_a_length_is_cut) {
  Calling open_ended;
  Outcome& whole = open_ended.begin();
  open_ended.answer("HTTP/1.1 200 OK\r\n\r\nall");
  open_ended.server->shutdown_write();
  open_ended.loop->settle();
  EXPECT_TRUE(whole.done);
  EXPECT_FALSE(whole.error);
  EXPECT_EQ(whole.body, "all");
  Calling counted;
  Outcome& cut = counted.begin();
  counted.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall");
  counted.server->shutdown_write();
  counted.loop->settle();
  ASSERT_TRUE(cut.error);
  EXPECT_EQ(cut.error->code, Code::kReset);
  EXPECT_EQ(cut.error->blame, Blame::kUpstream);
}

TEST(ClientConnection, only_a_reused_connection_that_ends_in_order_before_any_answer_invites_another_try) {
  Calling calling;
  Outcome& fresh = calling.begin();
  calling.server->close(true);
  calling.loop->settle();
  ASSERT_TRUE(fresh.error);
  EXPECT_EQ(fresh.error->retry, Retry::kNever);
  for (const bool reset : {false, true}) {
    Calling again;
    again.begin();
    again.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    Outcome& reused = again.begin();
    again.server->close(reset);
    again.loop->settle();
    ASSERT_TRUE(reused.error);
    EXPECT_EQ(reused.error->retry, reset ? Retry::kNever : Retry::kFreshConnection);
  }
}

TEST(ClientConnection, one_that_has_waited_in_a_pool_counts_as_reused_also_when_it_never_carried_a_request) {
  Calling calling;
  calling.connection->park();
  Outcome& first = calling.begin();
  calling.server->close();
  calling.loop->settle();
  ASSERT_TRUE(first.error);
  EXPECT_EQ(first.error->retry, Retry::kFreshConnection);
}

TEST(ClientConnection, a_server_that_closes_an_idle_connection_makes_it_unusable) {
  Calling calling;
  calling.begin();
  calling.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(calling.connection->usable());
  calling.server->shutdown_write();
  calling.loop->settle();
  EXPECT_FALSE(calling.connection->usable());
}

TEST(ClientConnection, a39_bytes_behind_a_response_that_fills_the_read_buffer_end_the_connection) {
  for (const std::string_view behind : {"", "H", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"}) {
    Calling calling;
    calling.begin();
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 16345\r\n\r\n";
    const std::size_t body = ReadBuffer::kBlock - head.size();
    head.replace(head.find("16345"), 5, std::to_string(body));
    calling.answer(head + std::string(body, 'x') + std::string(behind));
    EXPECT_TRUE(calling.outcomes[0]->done);
    EXPECT_EQ(calling.outcomes[0]->body.size(), body);
    EXPECT_EQ(calling.connection->usable(), behind.empty());
  }
}

TEST(ClientConnection, a39_bytes_that_come_between_two_requests_end_the_connection) {
  Calling calling;
  calling.begin();
  calling.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(calling.connection->usable());
  calling.answer("H");
  EXPECT_FALSE(calling.connection->usable());
}

TEST(ClientConnection, a_head_or_a_body_that_breaks_the_grammar_is_an_error_and_the_connection_goes) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\nX A: b\r\n\r\n", "ICY 200 OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Calling calling;
    const Outcome& outcome = calling.begin();
    calling.answer(bytes);
    ASSERT_TRUE(outcome.done) << bytes;
    ASSERT_TRUE(outcome.error) << bytes;
    EXPECT_EQ(outcome.error->code, Code::kInvalid);
    EXPECT_EQ(outcome.error->blame, Blame::kUpstream);
    EXPECT_FALSE(calling.connection->usable());
  }
}

TEST(ClientConnection, a_head_that_is_larger_than_a_block_arrives_whole_in_pieces_of_any_size) {
  const std::string value(50'000, 'v');
  const std::string bytes =
      "HTTP/1.1 103 Early Hints\r\nLink: " + value + "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const std::size_t piece : {std::size_t{997}, std::size_t{16'384}, bytes.size()}) {
    Calling calling;
    const Outcome& outcome = calling.begin();
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      calling.answer(std::string_view(bytes).substr(at, piece));
    ASSERT_TRUE(outcome.done && !outcome.error) << piece;
    EXPECT_EQ(outcome.statuses, (std::vector<int>{103, 200}));
    EXPECT_EQ(outcome.body, "ok");
    EXPECT_TRUE(calling.connection->usable());
  }
}

TEST(ClientConnection, a_body_that_does_not_fit_its_length_is_not_sent_and_ends_the_connection) {
  for (const std::string body : {"abcd", "ab"}) {
    Calling calling;
    Outcome outcome;
    const auto send = [](ClientConnection& connection, std::string text, Outcome& into) -> net::Task<void> {
      ClientExchange& exchange = connection.start();
      RequestHead head;
      head.method = "POST";
      head.path = "/";
      head.authority = "h";
      head.content_length = 3;
      EXPECT_TRUE(co_await exchange.send_head(head, false));
      const auto sent = co_await exchange.send_body(text, true);
      if (!sent) into.error = sent.error();
      into.done = true;
    };
    calling.tasks.spawn(send(*calling.connection, body, outcome));
    calling.loop->settle();
    ASSERT_TRUE(outcome.done && outcome.error) << body;
    EXPECT_EQ(outcome.error->code, Code::kInternal);
    EXPECT_FALSE(calling.connection->usable());
    EXPECT_EQ(calling.server->take().find(body), std::string::npos);
  }
}

TEST(ClientConnection, hands_over_the_stream_and_what_came_behind_the_head_of_a_switch) {
  Calling calling;
  std::string ahead;
  const auto ask = [](ClientConnection& connection, std::string& into) -> net::Task<void> {
    ClientExchange& exchange = connection.start();
    RequestHead head;
    head.method = "GET";
    head.path = "/";
    head.authority = "h";
    head.upgrade = "chat";
    EXPECT_TRUE(co_await exchange.send_head(head, true));
    ResponseHead response;
    EXPECT_TRUE(co_await exchange.read_head(response));
    EXPECT_EQ(response.status, 101);
    into = exchange.upgrade().read_ahead;
  };
  calling.tasks.spawn(ask(*calling.connection, ahead));
  calling.loop->settle();
  EXPECT_NE(calling.server->take().find("connection: upgrade\r\nupgrade: chat\r\n"), std::string::npos);
  calling.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello");
  EXPECT_EQ(ahead, "hello");
  EXPECT_FALSE(calling.connection->usable()) << "it belongs to the other protocol now";
}

TEST(ClientConnection, sends_no_head_that_a_value_would_break) {
  const std::vector<std::string> values{"a\r\nb: c", "a\n", "a\r", std::string("a\0b", 3), "\x7f"};
  for (const std::string& bad : values) {
    Calling calling;
    ClientExchange& exchange = calling.connection->start();
    RequestHead head;
    head.method = "GET";
    head.path = "/";
    head.authority = "h";
    head.headers.add("x-a", bad);
    std::optional<Result<void>> sent;
    const auto send = [](ClientExchange& to, const RequestHead& what,
                         std::optional<Result<void>>& into) -> net::Task<void> {
      into = co_await to.send_head(what, true);
    };
    net::TaskScope scope;
    scope.spawn(send(exchange, head, sent));
    ASSERT_TRUE(sent);
    ASSERT_FALSE(*sent);
    EXPECT_EQ(sent->error().code, Code::kInternal);
    EXPECT_EQ(calling.server->take(), "");
    EXPECT_FALSE(calling.connection->usable());
  }
}

}  // namespace
}  // namespace weft::http::h1
