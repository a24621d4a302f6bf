#include "http/h1/server_connection.h"

#include <gtest/gtest.h>

#include "http/testing/served.h"
#include "net/event.h"

namespace weft::http::h1 {
namespace {

class Served : public http::testing::Served {
 public:
  explicit Served(Handler handler, ServerSessionOptions options = {}, std::size_t capacity = 256 * 1024)
      : http::testing::Served(Protocol::kHttp1, std::move(handler), std::move(options), capacity) {}
};

net::Task<void> echo(ServerExchange& exchange) {
  std::string body;
  for (;;) {
    auto chunk = co_await exchange.read_body();
    if (!chunk) co_return exchange.reset();
    body.append(chunk->data);
    if (chunk->end) break;
  }
  ResponseHead head;
  head.status = 200;
  const std::string text = exchange.request().path + ":" + body;
  head.content_length = text.size();
  if (!co_await exchange.send_head(head, false)) co_return;
  static_cast<void>(co_await exchange.send_body(text, true));
}

net::Task<void> ignore_body(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  head.content_length = 0;
  static_cast<void>(co_await exchange.send_head(head, true));
}

net::Task<void> in_pieces(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  static_cast<void>(co_await exchange.send_head(head, false));
  static_cast<void>(co_await exchange.send_body("ab", false));
  static_cast<void>(co_await exchange.send_body("cde", false));
  static_cast<void>(co_await exchange.send_body({}, true));
}

net::Task<void> respond_after(ServerExchange& exchange, const std::unique_ptr<net::Event>& event) {
  co_await event->wait();
  co_await ignore_body(exchange);
}

const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(ServerConnection, answers_pipelined_requests_in_order_whatever_pieces_they_come_in) {
  for (const std::size_t fragment : {1u, 2u, 3u, 7u, 4096u}) {
    Served served(echo);
    served.server->set_fragment(fragment);
    served.send(
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n" +
        kGet);
    EXPECT_EQ(served.take(),
              "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n/1:abc"
              "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n/2:de"
              "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n/a:");
    EXPECT_FALSE(served.over());
  }
}

TEST(ServerConnection, sends_a_body_of_unknown_length_in_chunks_or_until_close) {
  Served served(in_pieces);
  served.send(kGet);
  EXPECT_EQ(served.take(),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
  served.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(served.take(), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcde");
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, keeps_an_http_1_0_connection_only_when_asked) {
  Served kept(echo);
  kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.take(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n/:");
  EXPECT_FALSE(kept.over());
  Served closed(echo);
  closed.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_NE(closed.take().find("connection: close"), std::string::npos);
  EXPECT_TRUE(closed.over());
}

TEST(ServerConnection, gives_a_head_request_the_head_alone) {
  Served served(in_pieces);
  served.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(served.take(), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_FALSE(served.over());
}

TEST(ServerConnection, a_204_tells_no_length_to_a_head_request_either) {
  Served served([](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 204;
    head.content_length = 0;
    static_cast<void>(co_await exchange.send_head(head, true));
  });
  for (const char* method : {"HEAD", "GET"}) {
    served.send(std::string(method) + " / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(served.take(), "HTTP/1.1 204 No Content\r\n\r\n") << method;
  }
  EXPECT_FALSE(served.over());
}

TEST(ServerConnection, a33_asks_for_the_body_only_when_somebody_reads_it) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  Served reading(echo);
  reading.send(head);
  EXPECT_EQ(reading.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  reading.send("ab");
  EXPECT_EQ(reading.take(), "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n/:ab");
  Served ignoring(ignore_body);
  ignoring.send(head);
  EXPECT_EQ(ignoring.take(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(ServerConnection, reads_past_an_unwanted_body_that_is_short_and_ends_a_connection_with_an_endless_one) {
  Served served(ignore_body);
  served.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + kGet);
  EXPECT_EQ(served.take(),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  served.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
  int seconds = 0;
  for (; seconds < 60 && !served.over(); ++seconds) {
    served.send(std::string(100'000, 'x'));
    served.loop->advance(1s);
  }
  EXPECT_GE(seconds, 30) << "a client that goes on sending has the time to take its answer";
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, waits_seconds_and_not_minutes_for_an_unwanted_body_that_has_stopped) {
  Served served(ignore_body, {.limits = {}, .body_timeout = 300s});
  served.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(served.take(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  served.loop->advance(11s);
  EXPECT_TRUE(served.over());
}

net::Task<void> sleep_on(net::Loop& loop) { co_await loop.sleep(1h); }

TEST(ServerConnection, a_handler_that_only_reads_is_cancelled_when_its_client_has_gone) {
  for (const std::string_view method : {"GET", "HEAD", "POST"}) {
    net::Loop* loop = nullptr;
    Served served([&loop](ServerExchange&) { return sleep_on(*loop); }, {.cancel_reads_when_gone = true});
    loop = served.loop.get();
    served.send(std::string(method) + " / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_FALSE(served.over());
    served.client->shutdown_write();
    served.loop->settle();
    EXPECT_EQ(served.over(), method != "POST");
    served.loop->advance(2h);
    EXPECT_TRUE(served.over());
  }
}

net::Task<void> answer_later(ServerExchange& exchange, net::Loop& loop, int& disconnected) {
  exchange.on_disconnect([&disconnected] { ++disconnected; });
  co_await loop.sleep(1s);
  if (disconnected) co_return exchange.reset();
  co_await ignore_body(exchange);
}

TEST(ServerConnection, a_client_that_ends_its_side_after_its_last_request_gets_its_answer) {
  for (const std::string_view fields : {"Connection: close\r\n", ""}) {
    net::Loop* loop = nullptr;
    int disconnected = 0;
    Served served([&](ServerExchange& exchange) { return answer_later(exchange, *loop, disconnected); });
    loop = served.loop.get();
    served.send("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n");
    served.client->shutdown_write();
    served.loop->advance(2s);
    EXPECT_TRUE(served.over());
    EXPECT_EQ(disconnected, fields.empty() ? 1 : 0);
    EXPECT_EQ(served.take().empty(), fields.empty());
    EXPECT_FALSE(served.client->peer_broken()) << "the end is an end, not a reset";
  }
}

net::Task<void> echo_later(ServerExchange& exchange, net::Loop& loop, int& disconnected) {
  exchange.on_disconnect([&disconnected] { ++disconnected; });
  co_await loop.sleep(1s);
  if (disconnected) co_return exchange.reset();
  co_await echo(exchange);
}

TEST(ServerConnection, a_client_that_ends_its_side_behind_the_body_of_its_last_request_gets_its_answer) {
  net::Loop* loop = nullptr;
  int disconnected = 0;
  Served served([&](ServerExchange& exchange) { return echo_later(exchange, *loop, disconnected); });
  loop = served.loop.get();
  served.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  served.client->shutdown_write();
  served.loop->advance(2s);
  EXPECT_EQ(disconnected, 0);
  EXPECT_TRUE(served.take().ends_with("/:abc"));
  EXPECT_TRUE(served.over());
}

net::Task<void> send_much(ServerExchange& exchange, TimePoint until, std::vector<std::string>& outcomes) {
  ResponseHead head;
  head.status = 200;
  const std::string body(4096, 'x');
  head.content_length = body.size();
  exchange.set_response_deadline(until);
  Result<void> sent = co_await exchange.send_head(head, false);
  if (sent) sent = co_await exchange.send_body(body, true);
  outcomes.push_back(sent ? "sent" : sent.error().text);
}

TEST(ServerConnection, a_response_that_is_not_taken_ends_at_its_deadline_or_when_patience_does) {
  std::vector<std::string> outcomes;
  Duration limit{};
  Served* of = nullptr;
  const auto handler = [&](ServerExchange& exchange) {
    return send_much(exchange, limit == 0s ? kNever : of->loop->now() + limit, outcomes);
  };
  for (const auto& [until, standstill, takes] : {std::tuple{Duration(5s), Duration(300s), Duration(5s)},
                                                 {Duration(0s), Duration(300s), Duration(300s)},
                                                 {Duration(5s), Duration(0s), Duration(5s)}}) {
    outcomes.clear();
    limit = until;
    Served served(handler, {.limits = {}, .body_timeout = standstill}, 1024);
    of = &served;
    served.send(kGet);
    served.loop->advance(takes - 1ms);
    EXPECT_TRUE(outcomes.empty());
    served.loop->advance(1ms);
    EXPECT_EQ(outcomes, std::vector<std::string>{"writing the response: timed out"});
    EXPECT_TRUE(served.over());
  }
}

TEST(ServerConnection, a_patience_that_was_lifted_ends_no_later_response) {
  std::vector<std::string> outcomes;
  Served served([&](ServerExchange& exchange) { return send_much(exchange, kNever, outcomes); },
                {.limits = {}, .body_timeout = 300s}, 1024);
  const auto take_all = [&] {
    for (int i = 0; i < 10; ++i) served.take();
  };
  served.send(kGet);
  served.loop->advance(1s);
  take_all();
  served.options_.body_timeout = 0s;
  served.connection->follow_options();
  served.send(kGet);
  served.loop->advance(2h);
  take_all();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"sent", "sent"}));
}

TEST(ServerConnection, the_first_byte_has_a_time_of_its_own) {
  Served served(echo, {.limits = {}, .idle_timeout = 60s, .first_byte_timeout = 5s});
  served.loop->advance(6s);
  EXPECT_TRUE(served.over());
  Served kept(echo, {.limits = {}, .idle_timeout = 60s, .first_byte_timeout = 5s});
  kept.send(kGet);
  kept.loop->advance(50s);
  EXPECT_FALSE(kept.over());
}

TEST(ServerConnection, a_body_that_does_not_fit_its_length_cuts_the_connection) {
  for (const char* body : {"abcd", "ab"}) {
    Served served([body](ServerExchange& exchange) -> net::Task<void> {
      ResponseHead head;
      head.status = 200;
      head.content_length = 3;
      EXPECT_TRUE(co_await exchange.send_head(head, false));
      const auto sent = co_await exchange.send_body(body, true);
      EXPECT_FALSE(sent);
      EXPECT_EQ(sent.error().code, Code::kInternal);
    });
    served.send(kGet);
    EXPECT_TRUE(served.over()) << body;
    EXPECT_TRUE(served.client->peer_broken()) << "what came must not look whole";
  }
}

/// Begins a response of eight bytes or of unknown length, and cannot go on after four.
net::Task<void> cut(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  if (exchange.request().path == "/length") head.content_length = 8;
  EXPECT_TRUE(co_await exchange.send_head(head, false));
  EXPECT_TRUE(co_await exchange.send_body("half", false));
  exchange.reset();
}

TEST(ServerConnection, a_cut_response_whose_framing_shows_it_ends_in_order_and_one_until_close_by_a_reset) {
  for (const std::string path : {"/length", "/chunks"}) {
    Served served(cut);
    served.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(served.over()) << path;
    EXPECT_FALSE(served.client->peer_broken()) << path << ": a reset overtakes what is on its way";
    EXPECT_TRUE(served.client->peer_ended());
    const std::string got = served.take();
    EXPECT_TRUE(got.ends_with(path == "/length" ? "\r\nhalf" : "4\r\nhalf\r\n")) << got;
  }
  Served until_close(cut);
  until_close.send("GET /close HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(until_close.over());
  EXPECT_TRUE(until_close.client->peer_broken()) << "an end would look like the end of the body";
}

TEST(ServerConnection, who_is_still_sending_when_its_response_is_cut_is_heard_for_seconds_only) {
  Served served(cut);
  served.send("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_FALSE(served.over()) << "unread bytes would turn the end into a reset";
  served.send("def");
  served.loop->advance(6s);
  EXPECT_TRUE(served.over());
  EXPECT_FALSE(served.client->peer_broken());
}

TEST(ServerConnection, passes_interim_responses_on_and_100_only_to_who_waits_for_it) {
  Served served([](ServerExchange& exchange) -> net::Task<void> {
    for (const int status : {100, 103}) {
      ResponseHead interim;
      interim.status = status;
      EXPECT_TRUE(co_await exchange.send_interim(interim));
    }
    co_await echo(exchange);
  });
  served.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(served.take(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n");
  served.send("x");
  EXPECT_TRUE(served.take().ends_with("/a:x"));
  served.send(kGet);
  EXPECT_TRUE(served.take().starts_with("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"));
  served.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(served.take().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(ServerConnection, hands_over_the_stream_and_what_came_behind_the_head_of_a_switch) {
  std::string ahead;
  Served served([&ahead](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 101;
    head.upgrade = exchange.request().upgrade;
    EXPECT_TRUE(co_await exchange.send_head(head, false));
    EXPECT_TRUE(co_await exchange.flush());
    ahead = exchange.upgrade().read_ahead;
  });
  served.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello");
  EXPECT_EQ(ahead, "hello");
  EXPECT_EQ(served.take(),
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n");
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, says_with_426_what_to_upgrade_to) {
  Served served(echo, {.limits = {}, .accept_http10 = false});
  served.send("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = served.take();
  EXPECT_EQ(answer.find("HTTP/1.1 426 "), 0u) << answer;
  EXPECT_NE(answer.find("connection: upgrade, close\r\nupgrade: HTTP/1.1\r\n"), std::string::npos) << answer;
}

net::Task<void> answer_with_a_line_end(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  head.headers.add("x-a", "b\r\nset-cookie: c");
  head.content_length = 0;
  static_cast<void>(co_await exchange.send_head(head, true));
}

TEST(ServerConnection, a_value_that_would_end_a_line_is_500_and_nothing_of_it_is_sent) {
  Served served(answer_with_a_line_end);
  served.send(kGet);
  EXPECT_EQ(served.take(), "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
}

TEST(ServerConnection, rejects_once_tells_why_and_never_reads_what_follows) {
  Served served(echo);
  served.send(kGet + "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n" + kGet);
  const std::string answer = served.take();
  EXPECT_EQ(answer.find("HTTP/1.1 200"), 0u);
  EXPECT_NE(answer.find("HTTP/1.1 400 Bad Request\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("HTTP/1.1", answer.find("400")), std::string::npos) << answer;
  EXPECT_EQ(served.rejected, std::vector<std::string>{"B08"});
  served.loop->advance(6s);
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, a_bad_chunk_after_the_head_ends_the_exchange) {
  Served served(echo);
  served.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
  EXPECT_EQ(served.rejected, std::vector<std::string>{"D02"});
  served.loop->advance(6s);
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, holds_heads_and_idle_connections_to_their_times) {
  Served slow(echo, {.limits = {}, .idle_timeout = 60s, .header_timeout = 10s});
  slow.send("GET / HT");
  slow.loop->advance(9s);
  EXPECT_FALSE(slow.over());
  slow.loop->advance(3s);
  EXPECT_EQ(slow.take().substr(0, 12), "HTTP/1.1 408");
  slow.loop->advance(6s);
  EXPECT_TRUE(slow.over());
  Served idle(echo, {.limits = {}, .idle_timeout = 60s});
  idle.loop->advance(61s);
  EXPECT_TRUE(idle.over());
  EXPECT_EQ(idle.take(), "");
}

TEST(ServerConnection, drains_an_idle_connection_at_once_and_a_busy_one_after_its_answer) {
  Served idle(echo);
  idle.send(kGet);
  idle.connection->drain();
  idle.loop->settle();
  EXPECT_TRUE(idle.over());
  Served busy(echo);
  busy.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  busy.connection->drain();
  busy.loop->settle();
  EXPECT_FALSE(busy.over());
  busy.send("b");
  EXPECT_NE(busy.take().find("connection: close"), std::string::npos);
  EXPECT_TRUE(busy.over());
}

TEST(ServerConnection, closes_after_its_last_allowed_request) {
  Served served(echo, {.limits = {}, .max_requests = 2});
  served.send(kGet);
  EXPECT_EQ(served.take().find("connection: close"), std::string::npos);
  served.send(kGet);
  EXPECT_NE(served.take().find("connection: close"), std::string::npos);
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, a_client_whose_next_request_is_unread_when_its_last_response_is_out_can_take_that) {
  std::unique_ptr<net::Event> may_respond;
  Served served([&](ServerExchange& exchange) { return respond_after(exchange, may_respond); },
                {.limits = {}, .max_requests = 1});
  may_respond = std::make_unique<net::Event>(*served.loop);
  served.send(kGet);
  served.send(kGet);
  may_respond->set();
  EXPECT_NE(served.take().find("connection: close"), std::string::npos);
  EXPECT_EQ(served.server->pending(), 0u) << "what is unread would turn the end into a reset";
  EXPECT_FALSE(served.over());
  served.client->close(false);
  served.loop->settle();
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, a_body_that_nobody_wants_and_that_comes_by_the_byte_has_five_seconds) {
  Served served(ignore_body);
  served.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_TRUE(served.take().starts_with("HTTP/1.1 200 OK"));
  EXPECT_TRUE(served.connection->is_idle()) << "its place may be given to another";
  for (int second = 1; second < 5; ++second) {
    served.loop->advance(1s);
    served.send("x");
    EXPECT_FALSE(served.server->closed()) << second;
  }
  for (int second = 5; second < 40 && !served.over(); ++second) {
    served.loop->advance(1s);
    if (!served.over()) served.send("x");
  }
  EXPECT_TRUE(served.over());
}

TEST(ServerConnection, does_not_take_more_of_an_unread_body_than_one_buffer) {
  const auto never_reads = [](ServerExchange& exchange) { return ignore_body(exchange); };
  static net::Loop* waiting_on = nullptr;
  Served served(Handler([&](ServerExchange&) -> net::Task<void> {
                  return [](net::Loop* loop) -> net::Task<void> { co_await loop->sleep(1h); }(waiting_on);
                }),
                {}, 1 << 20);
  waiting_on = served.loop.get();
  static_cast<void>(never_reads);
  served.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n" + std::string(900'000, 'x'));
  EXPECT_GT(served.server->pending(), 900'000u - 32 * 1024);
}

/// How often others of the loop had their turn while `bytes`, sent at once, were served to their end.
int turns_of_others(const std::string& bytes, std::uint64_t requests) {
  int turns = 0;
  std::uint64_t ended = 0;
  Served served(Handler([&ended](ServerExchange& exchange) -> net::Task<void> {
                  return [](ServerExchange& to, std::uint64_t& count) -> net::Task<void> {
                    co_await echo(to);
                    ++count;
                  }(exchange, ended);
                }),
                {}, 1 << 20);
  std::unique_ptr<net::Deferred> other;
  other = std::make_unique<net::Deferred>(*served.loop, [&] {
    ++turns;
    if (ended < requests && turns < 10'000) other->schedule();
  });
  other->schedule();
  served.send(bytes);
  EXPECT_EQ(ended, requests);
  return turns;
}

TEST(ServerConnection, many_small_requests_sent_at_once_leave_others_their_turns) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += kGet;
  EXPECT_GE(turns_of_others(bytes, 1000), 1000 / 32);
}

TEST(ServerConnection, a_body_in_pieces_of_a_byte_leaves_others_their_turns) {
  std::string bytes = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5000; ++i) bytes += "1\r\nx\r\n";
  EXPECT_GE(turns_of_others(bytes + "0\r\n\r\n", 1), 5000 / 128);
}

net::Task<void> read_into(ServerExchange& exchange, std::string& body) {
  for (;;) {
    const auto chunk = co_await exchange.read_body();
    if (!chunk) co_return;
    body.append(chunk->data);
    if (chunk->end) co_return;
  }
}

TEST(ServerConnection, a_reader_that_is_cancelled_while_others_have_their_turn_takes_no_piece_with_it) {
  std::string want, got, bytes = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1000; ++i) {
    want.push_back(static_cast<char>('a' + i % 26));
    bytes.append("1\r\n").append(1, want.back()).append("\r\n");
  }
  int cancelled = 0;
  Served served(Handler([&](ServerExchange& exchange) -> net::Task<void> {
    return [](ServerExchange& from, std::string& body, int& count) -> net::Task<void> {
      for (; count < 5; ++count) {
        net::TaskScope reading;
        reading.spawn(read_into(from, body));
        if (reading.active() == 0) break;
        reading.cancel_all();
      }
      co_await read_into(from, body);
      co_await ignore_body(from);
    }(exchange, got, cancelled);
  }));
  served.send(bytes + "0\r\n\r\n");
  EXPECT_EQ(cancelled, 5);
  EXPECT_EQ(got, want);
}

TEST(ServerConnection, waits_for_a_slow_reader_without_holding_what_it_does_not_take) {
  std::size_t sent = 0;
  Served served(Handler([&sent](ServerExchange& exchange) -> net::Task<void> {
                  return [](ServerExchange& to, std::size_t& total) -> net::Task<void> {
                    ResponseHead head;
                    head.status = 200;
                    static_cast<void>(co_await to.send_head(head, false));
                    const std::string block(16 * 1024, 'y');
                    while (co_await to.send_body(block, false)) total += block.size();
                  }(exchange, sent);
                }),
                {.limits = {}, .body_timeout = 30s}, 64 * 1024);
  served.send(kGet);
  EXPECT_LE(sent, 64u * 1024);
  served.loop->advance(31s);
  EXPECT_TRUE(served.over());
}

}  // namespace
}  // namespace weft::http::h1
