#include "http/h2/server_connection.h"

#include <gtest/gtest.h>

#include "http/h2/testing/served.h"

namespace weft::http::h2 {
namespace {

using http::testing::block_of;
using http::testing::Fields;
using http::testing::frame;
using http::testing::get;
using http::testing::headers;
using http::testing::kPreface;
using http::testing::post;
using http::testing::rst_stream;
using http::testing::setting;
using http::testing::window_update;
using http::testing::with;
using testing::ignore_body;
using testing::Served;
using Lines = std::vector<std::string>;
using enum http::testing::FrameType;

/// "path:body", and the request's trailers as its own.
net::Task<void> echo(ServerExchange& exchange) {
  std::string body;
  Headers trailers;
  for (;;) {
    auto chunk = co_await exchange.read_body();
    if (!chunk) co_return exchange.reset();
    body.append(chunk->data);
    if (chunk->trailers) trailers = *chunk->trailers;
    if (chunk->end) break;
  }
  ResponseHead& head = exchange.response();
  head.status = 200;
  const std::string text = exchange.request().path + ":" + body;
  if (trailers.empty()) head.content_length = text.size();
  if (!co_await exchange.send_head(head, false)) co_return;
  if (!co_await exchange.send_body(text, trailers.empty())) co_return;
  if (!trailers.empty()) static_cast<void>(co_await exchange.send_trailers(trailers));
}

/// What a handler sees of a head, as a body.
net::Task<void> show_head(ServerExchange& exchange) {
  const RequestHead& request = exchange.request();
  std::string text = request.method + " " + request.scheme + " " + request.authority + " " + request.path;
  if (!request.upgrade.empty()) text += " upgrade:" + request.upgrade;
  for (const Headers::Field field : request.headers)
    text += " " + std::string(field.name) + ":" + std::string(field.value);
  ResponseHead head;
  head.status = 200;
  static_cast<void>(co_await exchange.send_head(head, false));
  static_cast<void>(co_await exchange.send_body(text, true));
}

/// And keeps it, until its stream is over.
net::Task<void> read_one_piece(ServerExchange& exchange) {
  static_cast<void>(co_await exchange.read_body());
  ResponseHead head;
  head.status = 200;
  static_cast<void>(co_await exchange.send_head(head, false));
  while (co_await exchange.send_body(std::string(100'000, 'x'), false)) {
  }
}

struct Waiting {
  std::vector<std::string> events;
  net::Task<void> handle(ServerExchange& exchange) {
    exchange.on_disconnect([this] { events.emplace_back("gone"); });
    const Result<BodyChunk> chunk = co_await exchange.read_body();
    events.emplace_back(!chunk ? "error" : chunk->end ? "end" : "piece");
  }
  Handler handler() {
    return [this](ServerExchange& exchange) { return handle(exchange); };
  }
};

TEST(Http2Server, answers_requests_whatever_pieces_they_come_in) {
  for (const std::size_t fragment : {1u, 2u, 3u, 7u, 100u, 4096u}) {
    Served served(echo);
    served.server->set_fragment(fragment);
    served.greet();
    served.send(headers(1, post("/1"), false) + frame(kData, 0, 1, "abc") + headers(3, get("/3"), true) +
                frame(kData, 1, 1, "de"));
    Lines lines = served.take();
    std::ranges::sort(lines);
    EXPECT_EQ(lines,
              (Lines{"DATA 1 end 8 /1:abcde", "DATA 3 end 3 /3:", "HEADERS 1 :status=200 content-length=8",
                     "HEADERS 3 :status=200 content-length=3"}))
        << fragment;
    EXPECT_FALSE(served.over());
  }
}

TEST(Http2Server, a_response_leaves_in_one_write_with_everything_of_its_turn) {
  Served served(echo);
  served.greet();
  static_cast<void>(served.take());
  served.send(headers(1, get("/a"), true) + headers(3, get("/b"), true));
  // The pipe joins what was written; that nothing is left between two turns is all a test can see.
  EXPECT_EQ(served.take().size(), 4u);
}

TEST(Http2Server, a_head_is_read_as_that_of_http_1_is) {
  Served served(show_head);
  served.greet();
  Fields fields = with(with(with(get("/p?q=1"), "cookie", "a=1"), "x-one", "1"), "cookie", "b=2");
  served.send(headers(1, with(fields, "te", "trailers"), true));
  EXPECT_EQ(served.take()[1], "DATA 1 end 53 GET http h /p?q=1 x-one:1 te:trailers cookie:a=1; b=2");
  served.send(headers(3, {{":method", "GET"}, {":scheme", "HTTPS"}, {":path", "/"}, {"host", "x:80"}}, true));
  EXPECT_EQ(served.take()[1], "DATA 3 end 16 GET https x:80 /");
  served.send(headers(5, {{":method", "CONNECT"}, {":authority", "x:80"}}, false));
  EXPECT_EQ(served.take()[1], "DATA 5 end 18 CONNECT http x:80 ");
}

TEST(Http2Server, trailers_pass_in_both_directions_as_far_as_they_may) {
  Served served(echo);
  served.greet();
  served.send(headers(1, post(), false) + frame(kData, 0, 1, "x") +
              headers(1, {{"grpc-status", "0"}, {"authorization", "no"}}, true));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 :status=200", "DATA 1 3 /:x", "HEADERS 1 end grpc-status=0"}));
}

TEST(Http2Server, a_client_that_waits_for_it_is_told_to_continue_when_the_body_is_read) {
  Served served(echo);
  served.greet();
  served.send(headers(1, with(post(), "expect", "100-continue"), false));
  EXPECT_EQ(served.take(), Lines{"HEADERS 1 :status=100"});
  served.send(frame(kData, 1, 1, "x"));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 :status=200 content-length=3", "DATA 1 end 3 /:x"}));
}

TEST(Http2Server, a_response_that_is_complete_before_its_request_ends_it_without_an_error) {
  Served served(ignore_body);
  served.greet();
  served.send(headers(1, post(), false) + frame(kData, 0, 1, "x"));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 end :status=200", "RST_STREAM 1 NO_ERROR"}));
  // G16: what has crossed the reset on its way is no fault, and its window comes back.
  served.send(frame(kData, 0, 1, std::string(600, 'x')) + headers(3, get(), true));
  EXPECT_EQ(served.take(), Lines{"HEADERS 3 end :status=200"});
}

TEST(Http2Server, no_body_follows_the_head_of_a_response_to_head_nor_a_304) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = exchange.request().path == "/304" ? 304 : 200;
    head.content_length = 5;
    static_cast<void>(co_await exchange.send_head(head, false));
    static_cast<void>(co_await exchange.send_body("hello", true));
  };
  Served served(handler);
  served.greet();
  Fields fields = get("/");
  fields[0].second = "HEAD";
  served.send(headers(1, fields, true) + headers(3, get("/304"), true));
  Lines lines = served.take();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"HEADERS 1 end :status=200 content-length=5",
                          "HEADERS 3 end :status=304 content-length=5"}));
}

TEST(Http2Server, a_body_of_another_length_than_was_said_is_an_error_of_the_handler) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 200;
    head.content_length = 5;
    static_cast<void>(co_await exchange.send_head(head, false));
    EXPECT_FALSE(co_await exchange.send_body("four", true));
  };
  Served served(handler);
  served.greet();
  served.send(headers(1, get(), true));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 :status=200 content-length=5", "RST_STREAM 1 INTERNAL_ERROR"}));
}

TEST(Http2Server, a_handler_that_says_nothing_gives_500_and_one_that_stops_gives_a_reset) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    if (exchange.request().path == "/nothing") co_return;
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    static_cast<void>(co_await exchange.send_body("half", false));
  };
  Served served(handler);
  served.greet();
  served.send(headers(1, get("/nothing"), true));
  EXPECT_EQ(served.take(), Lines{"HEADERS 1 end :status=500"});
  served.send(headers(3, get("/half"), true));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 3 :status=200", "DATA 3 4 half", "RST_STREAM 3 INTERNAL_ERROR"}));
}

TEST(Http2Server, a_body_that_is_not_read_stops_at_its_window_and_holds_up_no_other) {
  ServerSessionOptions options;
  options.http2.stream_window = 1000;
  Served served(
      [](ServerExchange& exchange) {
        return exchange.request().path == "/echo" ? echo(exchange) : read_one_piece(exchange);
      },
      options);
  served.greet(setting(4, 100));
  served.send(headers(1, post("/slow"), false));
  // It reads one piece, whose bytes it keeps until it would read the next.
  served.send(frame(kData, 0, 1, std::string(1000, 'x')));
  for (const std::string& line : served.take(false))
    EXPECT_FALSE(line.starts_with("WINDOW_UPDATE 1")) << line;
  served.send(headers(3, post("/echo"), false) + frame(kData, 1, 3, "hi"));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 3 :status=200 content-length=8", "DATA 3 end 8 /echo:hi"}));
  served.send(frame(kData, 0, 1, "y"));
  EXPECT_EQ(served.take(), Lines{"RST_STREAM 1 FLOW_CONTROL_ERROR"}) << "G23";
}

TEST(Http2Server, what_is_read_goes_back_to_the_window_exactly) {
  ServerSessionOptions options;
  options.http2.stream_window = 1000;
  options.http2.connection_window = 100'000;
  Served served(echo, options);
  served.greet();
  static_cast<void>(served.take());
  served.send(headers(1, post(), false));
  std::uint64_t sent = 0, returned = 0;
  for (int i = 0; i < 50; ++i) {
    served.send(frame(kData, 0, 1, std::string(700, 'x')));
    sent += 700;
    for (const std::string& line : served.take(false))
      if (line.starts_with("WINDOW_UPDATE 1 ")) returned += std::stoul(line.substr(16));
    ASSERT_LE(sent, 1000 + returned);
    ASSERT_GE(returned + 500, sent) << "less than half of the window is owed";
  }
  served.send(frame(kData, 1, 1, ""));
  EXPECT_EQ(served.take()[0], "HEADERS 1 :status=200 content-length=35002");
}

/// A call whose request is over may take its time to respond; others need the window meanwhile.
TEST(Http2Server, the_last_piece_goes_back_to_the_window_once_its_reader_is_done_with_it) {
  net::Loop* loop = nullptr;
  const auto handler = [&loop](ServerExchange& exchange) -> net::Task<void> {
    while (!exchange.request_complete()) static_cast<void>(co_await exchange.read_body());
    const Result<BodyChunk> behind = co_await exchange.read_body();
    EXPECT_TRUE(behind && behind->end && behind->data.empty());
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    co_await loop->sleep(24h);
  };
  ServerSessionOptions options;
  options.http2.connection_window = 100'000;
  Served served(handler, options);
  loop = served.loop.get();
  served.greet();
  static_cast<void>(served.take(false));
  for (const unsigned char id : {1, 3, 5, 7})
    served.send(headers(id, post(), false) + frame(kData, 1, id, std::string(14'000, 'x')));
  std::uint64_t returned = 0;
  for (const std::string& line : served.take(false))
    if (line.starts_with("WINDOW_UPDATE 0 ")) returned += std::stoul(line.substr(16));
  EXPECT_EQ(returned, 56'000u);
}

TEST(Http2Server, a_client_that_gives_no_window_gets_what_fits_and_then_a_timeout) {
  Result<void> outcome;
  const auto handler = [&outcome](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    outcome = co_await exchange.send_body("0123456789", true);
    if (!outcome) exchange.reset();
  };
  ServerSessionOptions options;
  options.body_timeout = 10s;
  Served served(handler, options);
  served.greet(setting(4, 4));
  served.send(headers(1, get(), true));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 :status=200", "DATA 1 4 0123"}));
  served.loop->advance(9s);
  served.send(window_update(1, 3));
  EXPECT_EQ(served.take(), Lines{"DATA 1 3 456"});
  served.loop->advance(9s);
  EXPECT_EQ(served.take(), Lines{}) << "the time between two pieces is what is limited";
  served.loop->advance(11s);
  EXPECT_EQ(served.take(), Lines{"RST_STREAM 1 INTERNAL_ERROR"}) << "H14";
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kTimeout);
}

TEST(Http2Server, a_client_that_reads_no_heads_is_not_read_either_until_it_does) {
  int calls = 0;
  const auto handler = [&calls](ServerExchange& exchange) -> net::Task<void> {
    ++calls;
    ResponseHead head;
    head.status = 200;
    head.headers.add("x-large", std::string(8000, 'x'));
    static_cast<void>(co_await exchange.send_head(head, true));
  };
  Served served(handler, {}, 64 * 1024);
  served.greet();
  constexpr int kRequests = 120;
  for (int i = 0; i < kRequests; ++i)
    served.send(headers(static_cast<unsigned char>(2 * i + 1), get(), true));
  EXPECT_LT(calls, 60) << "64 KiB are on their way, 256 KiB wait";
  std::size_t heads = 0;
  for (int i = 0; i < 200 && heads < kRequests; ++i) heads += served.take().size();
  EXPECT_EQ(heads, std::size_t{kRequests});
  EXPECT_EQ(calls, kRequests);
}

TEST(Http2Server, a_client_that_breaks_a_rule_and_reads_nothing_is_left_in_a_moment) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 200;
    if (!co_await exchange.send_head(head, false)) co_return;
    static_cast<void>(co_await exchange.send_body(std::string(1'000'000, 'x'), true));
  };
  Served served(handler, {}, 1000);
  served.greet(setting(4, 10'000'000));
  served.send(headers(1, get(), true));
  served.loop->advance(20ms);
  EXPECT_FALSE(served.over());
  served.send(frame(kData, 0, 0, "data of the connection"));
  served.loop->advance(3s);
  EXPECT_TRUE(served.over());
}

TEST(Http2Server, a_body_that_does_not_come_in_time_is_a_timeout_of_its_own_stream) {
  Waiting waiting;
  ServerSessionOptions options;
  options.body_timeout = 5s;
  Served served(waiting.handler(), options);
  served.greet();
  served.send(headers(1, post(), false));
  served.loop->advance(6s);
  EXPECT_EQ(waiting.events, Lines{"error"});
  EXPECT_EQ(served.take(), (Lines{"HEADERS 1 end :status=500", "RST_STREAM 1 NO_ERROR"}));
  EXPECT_FALSE(served.over());
}

TEST(Http2Server, a_reset_ends_its_own_exchange_only) {
  std::vector<std::string> events;
  const auto handler = [&events](ServerExchange& exchange) -> net::Task<void> {
    const std::string path = exchange.request().path;
    exchange.on_disconnect([&events, path] { events.push_back(path + " gone"); });
    if (path == "/read") {
      if (!co_await exchange.read_body()) events.push_back(path + " error");
      co_return;
    }
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    while (co_await exchange.send_body(std::string(40'000, 'x'), false)) {
    }
    events.push_back(path + " not sent");
  };
  Served served(handler);
  served.greet();
  served.send(headers(1, post("/read"), false) + headers(3, get("/write"), true));
  served.send(rst_stream(1, 8));
  EXPECT_EQ(events, Lines{"/read error"}) << "a reader is told by its error";
  served.send(rst_stream(3, 8));
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"/read error", "/write gone", "/write not sent"}));
  EXPECT_FALSE(served.over());
}

TEST(Http2Server, the_end_of_the_connection_is_the_end_of_every_exchange) {
  for (const bool reset : {false, true}) {
    Waiting waiting;
    Served served(waiting.handler());
    served.greet();
    served.send(headers(1, post(), false) + headers(3, post(), false));
    served.client->close(reset);
    served.loop->settle();
    EXPECT_EQ(waiting.events, (Lines{"error", "error"}));
    EXPECT_TRUE(served.over());
  }
}

TEST(Http2Server, a_handler_that_only_reads_is_cancelled_when_its_client_has_gone) {
  struct Guard {
    bool& gone;
    ~Guard() { gone = true; }
  };
  bool destroyed = false;
  const auto handler = [&destroyed](ServerExchange& exchange) -> net::Task<void> {
    const Guard guard{destroyed};
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    while (co_await exchange.send_body(std::string(100'000, 'x'), false)) {
    }
    ADD_FAILURE() << "it was resumed";
  };
  ServerSessionOptions options;
  options.cancel_reads_when_gone = true;
  Served served(handler, options);
  served.greet();
  served.send(headers(1, get(), true));
  EXPECT_FALSE(destroyed);
  served.loop->settle();
  served.client->close(true);
  served.loop->settle();
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(served.over());
}

TEST(Http2Server, drains_in_two_steps_and_serves_what_was_on_its_way) {
  Served served(echo);
  served.greet();
  served.send(headers(1, post("/1"), false));
  static_cast<void>(served.take());
  served.connection->drain();
  EXPECT_EQ(served.take(false), (Lines{"PING", "GOAWAY 2147483647 NO_ERROR"}));
  served.send(headers(3, get("/3"), true));
  EXPECT_EQ(served.take(), (Lines{"HEADERS 3 :status=200 content-length=3", "DATA 3 end 3 /3:"}));
  served.send(frame(kPing, 1, 0, std::string("\1\0\0\0\0\0\0\0", 8)));
  EXPECT_EQ(served.take(), Lines{"GOAWAY 3 NO_ERROR"});
  served.send(headers(5, get("/5"), true));
  EXPECT_EQ(served.take(), Lines{}) << "it was said that it is not processed";
  served.send(frame(kData, 1, 1, "x"));
  EXPECT_EQ(served.take(),
            (Lines{"HEADERS 1 :status=200 content-length=4", "DATA 1 end 4 /1:x", "GOAWAY 3 NO_ERROR"}));
  served.client->close();
  served.loop->settle();
  EXPECT_TRUE(served.over());
}

TEST(Http2Server, a_client_that_does_not_acknowledge_is_drained_in_time) {
  ServerSessionOptions options;
  options.drain_timeout = 5s;
  Served served(echo, options);
  served.greet();
  served.send(headers(1, post("/1"), false));
  static_cast<void>(served.take());
  served.connection->end_with_next_response();
  served.loop->advance(4s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 2147483647 NO_ERROR"});
  served.loop->advance(2s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 1 NO_ERROR"});
}

TEST(Http2Server, an_idle_connection_is_drained_at_once_and_closed_when_the_client_has_read_why) {
  Served served(echo);
  served.greet();
  static_cast<void>(served.take());
  served.connection->drain();
  EXPECT_EQ(served.take(), Lines{"GOAWAY 0 NO_ERROR"});
  EXPECT_TRUE(served.client->peer_ended());
  EXPECT_FALSE(served.over());
  served.loop->advance(2s);
  EXPECT_TRUE(served.over()) << "a client that stays has a second";
}

TEST(Http2Server, trailers_have_the_time_of_a_head_from_their_own_beginning) {
  Served served(echo);
  served.greet();
  served.send(headers(1, post(), false));
  served.loop->advance(11s);
  static_cast<void>(served.take());
  const std::string trailers = headers(1, {{"x", "1"}}, true);
  served.send(trailers.substr(0, 12));
  served.loop->advance(1ms);
  EXPECT_EQ(served.take(), Lines{});
  served.send(trailers.substr(12));
  EXPECT_EQ(served.take().size(), 3u);
  served.send(headers(3, post(), false));
  served.send(headers(3, {{"x", "1"}}, true).substr(0, 12));
  served.loop->advance(11s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 3 ENHANCE_YOUR_CALM"});
}

TEST(Http2Server, ends_when_nothing_comes_for_long) {
  ServerSessionOptions options;
  options.first_byte_timeout = 2s;
  options.idle_timeout = 60s;
  Served silent(echo, options);
  silent.loop->advance(3s);
  EXPECT_EQ(silent.take().back(), "GOAWAY 0 NO_ERROR");
  Served served(echo, options);
  served.greet();
  served.send(headers(1, get(), true));
  served.loop->advance(59s);
  EXPECT_EQ(served.take().size(), 2u);
  served.loop->advance(2s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 1 NO_ERROR"});
}

TEST(Http2Server, the_last_of_max_requests_begins_the_drain) {
  ServerSessionOptions options;
  options.max_requests = 2;
  Served served(ignore_body, options);
  served.greet();
  served.send(headers(1, get(), true));
  EXPECT_EQ(served.take(), Lines{"HEADERS 1 end :status=200"});
  served.send(headers(3, get(), true));
  Lines lines = served.take();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"GOAWAY 2147483647 NO_ERROR", "HEADERS 3 end :status=200"}));
}

TEST(Http2Server, a_silent_client_is_asked_and_then_missed) {
  ServerSessionOptions options;
  options.http2.ping_interval = 30s;
  options.http2.ping_timeout = 10s;
  Waiting waiting;
  Served served(waiting.handler(), options);
  served.greet();
  served.send(headers(1, post(), false));
  static_cast<void>(served.take());
  served.loop->advance(31s);
  EXPECT_EQ(served.take(false), Lines{"PING"});
  served.send(frame(kPing, 1, 0, std::string(8, '\0')));
  served.loop->advance(31s);
  EXPECT_EQ(served.take(false), Lines{"PING"});
  served.loop->advance(11s);
  EXPECT_TRUE(served.over());
  EXPECT_EQ(waiting.events, Lines{"error"});
}

/// RFC 8441: an extended CONNECT is an Upgrade to the handler, and its 101 the client's 200.
TEST(Http2Server, an_extended_connect_becomes_a_stream_of_bytes) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    EXPECT_EQ(exchange.request().method, "GET");
    EXPECT_EQ(exchange.request().upgrade, "websocket");
    ResponseHead head;
    head.status = 101;
    head.upgrade = "websocket";
    if (!co_await exchange.send_head(head, false)) co_return;
    net::Stream& stream = *exchange.upgrade().stream;
    char block[64];
    for (;;) {
      const net::IoResult got = co_await stream.read(block);
      if (!got.ok()) break;
      static_cast<void>(co_await stream.write(std::string_view(block, got.bytes)));
    }
    static_cast<void>(co_await stream.write("bye"));
    stream.shutdown_write();
  };
  ServerSessionOptions options;
  options.http2.extended_connect = true;
  Served served(handler, options);
  served.greet();
  Fields fields = get("/chat");
  fields[0].second = "CONNECT";
  served.send(headers(1, with(fields, ":protocol", "websocket"), false));
  EXPECT_EQ(served.take(), Lines{"HEADERS 1 :status=200"});
  served.send(frame(kData, 0, 1, "hello"));
  EXPECT_EQ(served.take(), Lines{"DATA 1 5 hello"});
  served.send(frame(kData, 1, 1, ""));
  EXPECT_EQ(served.take(), (Lines{"DATA 1 3 bye", "DATA 1 end 0 "}));
}

TEST(Http2Server, the_reset_of_a_tunnel_is_a_broken_stream) {
  net::IoError seen = net::IoError::kNone;
  const auto handler = [&seen](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 200;
    if (!co_await exchange.send_head(head, false)) co_return;
    char block[64];
    seen = (co_await exchange.upgrade().stream->read(block)).error;
  };
  Served served(handler);
  served.greet();
  served.send(headers(1, {{":method", "CONNECT"}, {":authority", "x:80"}}, false));
  served.send(rst_stream(1, 8));
  EXPECT_EQ(seen, net::IoError::kReset);
  EXPECT_FALSE(served.over());
}

}  // namespace
}  // namespace weft::http::h2
