#include "http/h2/client_connection.h"

#include <gtest/gtest.h>

#include <list>

#include "http/h2/testing/asking.h"

namespace weft::http::h2 {
namespace {

using http::testing::Fields;
using http::testing::four;
using http::testing::frame;
using http::testing::headers;
using http::testing::rst_stream;
using http::testing::setting;
using http::testing::window_update;
using http::testing::with;
using testing::Asking;
using testing::goaway;
using testing::Outcome;
using testing::status;
using Lines = std::vector<std::string>;
using enum http::testing::FrameType;

TEST(Http2Client, asks_and_reads_whatever_pieces_the_response_comes_in) {
  for (const std::size_t fragment : {1u, 2u, 3u, 7u, 100u, 4096u}) {
    Asking asking;
    asking.transport->set_fragment(fragment);
    asking.greet();
    Outcome one, two;
    RequestHead head = Asking::request("POST", "/x?y=z");
    head.headers.add("X-Upper", " trimmed ");
    head.headers.add("connection", "close");
    head.content_length = 5;
    asking.ask(one, head, "hello");
    asking.ask(two);
    EXPECT_EQ(
        asking.take(),
        (Lines{
            "HEADERS 1 :method=POST :scheme=http :path=/x?y=z :authority=h x-upper=trimmed content-length=5",
            "DATA 1 end 5 hello", "HEADERS 3 end :method=GET :scheme=http :path=/ :authority=h"}));
    asking.send(headers(3, status("204"), true) + headers(1, status("103"), false) +
                headers(1, with(status("200"), "content-length", "4"), false) + frame(kData, 0, 1, "ab") +
                frame(kData, 0, 1, "cd") + headers(1, {{"grpc-status", "0"}}, true));
    EXPECT_TRUE(one.over && two.over);
    EXPECT_FALSE(one.error) << one.error->text;
    EXPECT_EQ(one.interims, std::vector<int>{103});
    EXPECT_EQ(one.body, "abcd");
    EXPECT_EQ(one.trailers, "grpc-status=0");
    EXPECT_EQ(one.head.content_length, 4u);
    EXPECT_EQ(two.head.status, 204);
    EXPECT_FALSE(asking.client->over());
    EXPECT_EQ(asking.take(), Lines{});
  }
}

TEST(Http2Client, as_many_as_the_server_lets_go_at_once) {
  Asking asking;
  EXPECT_EQ(asking.client->capacity(), 100u) << "before the server has said";
  asking.greet(setting(3, 2));
  EXPECT_EQ(asking.client->capacity(), 2u);
  EXPECT_EQ(asking.changes, 1);
  Outcome one, two;
  asking.ask(one);
  asking.ask(two);
  EXPECT_EQ(asking.client->capacity(), 0u);
  EXPECT_FALSE(asking.client->over());
  asking.send(headers(1, status("200"), true));
  EXPECT_EQ(asking.client->capacity(), 1u);
  asking.send(frame(kSettings, 0, 0, setting(3, 0)) + headers(3, status("200"), true));
  EXPECT_EQ(asking.client->capacity(), 0u);
  EXPECT_FALSE(asking.client->over()) << "it may let more go later";
}

TEST(Http2Client, a_request_that_begins_when_the_server_lets_none_go_may_be_sent_elsewhere) {
  Asking asking;
  asking.greet(setting(3, 0));
  Outcome outcome;
  asking.ask(outcome);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->retry, Retry::kFreshConnection);
  EXPECT_EQ(outcome.taken, ClientExchange::Taken::kNot);
  EXPECT_EQ(asking.take(), Lines{});
}

TEST(Http2Client, cancelling_one_exchange_touches_no_other) {
  Asking asking;
  asking.greet();
  Outcome one, two;
  ClientExchange& first = asking.ask(one);
  asking.ask(two);
  static_cast<void>(asking.take());
  first.cancel();
  asking.loop->settle();
  ASSERT_TRUE(one.error);
  EXPECT_EQ(one.error->code, Code::kCancelled);
  EXPECT_EQ(asking.take(), Lines{"RST_STREAM 1 CANCEL"});
  asking.send(headers(1, status("200"), false) + frame(kData, 0, 1, "late") +
              headers(3, status("200"), true));
  EXPECT_FALSE(two.error);
  EXPECT_EQ(two.head.status, 200);
}

TEST(Http2Client, G32_what_the_server_has_not_processed_may_be_sent_again_and_nothing_else) {
  struct Case {
    const char* name;
    std::string says;
    bool again;
    Code code;
  };
  const Case cases[] = {
      {"REFUSED_STREAM", rst_stream(1, 7), true, Code::kReset},
      {"GOAWAY below", goaway(0, 0), true, Code::kReset},
      {"GOAWAY below, for a fault", goaway(0, 2), true, Code::kReset},
      {"CANCEL", rst_stream(1, 8), false, Code::kCancelled},
      {"INTERNAL_ERROR", rst_stream(1, 2), false, Code::kUnavailable},
      {"ENHANCE_YOUR_CALM", rst_stream(1, 11), false, Code::kExhausted},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    Asking asking;
    asking.greet();
    Outcome outcome;
    asking.ask(outcome, Asking::request("POST"), "body");
    asking.send(each.says);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->blame, Blame::kUpstream);
    EXPECT_EQ(outcome.error->code, each.code);
    EXPECT_EQ(outcome.error->retry == Retry::kFreshConnection, each.again);
    EXPECT_EQ(outcome.taken == ClientExchange::Taken::kNot, each.again);
  }
}

TEST(Http2Client, what_goaway_does_not_name_goes_on_to_its_end) {
  Asking asking;
  asking.greet();
  Outcome one, two;
  asking.ask(one);
  asking.ask(two);
  asking.send(goaway(1, 0));
  EXPECT_TRUE(asking.client->over());
  EXPECT_EQ(asking.client->capacity(), 0u);
  ASSERT_TRUE(two.error);
  EXPECT_EQ(two.taken, ClientExchange::Taken::kNot);
  EXPECT_FALSE(one.over);
  asking.send(headers(1, status("200"), true));
  EXPECT_TRUE(one.over);
  EXPECT_FALSE(one.error);
  EXPECT_EQ(one.head.status, 200);
}

TEST(Http2Client, an_idle_connection_that_the_server_ends_is_noticed) {
  for (const int how : {0, 1, 2}) {
    Asking asking;
    asking.greet();
    asking.changes = 0;
    if (how == 0) asking.send(goaway(0x7fffffff, 0));
    if (how > 0) asking.server->close(how == 2);
    asking.loop->settle();
    EXPECT_GE(asking.changes, 1);
    EXPECT_TRUE(asking.client->over());
    EXPECT_EQ(asking.client->capacity(), 0u);
  }
}

TEST(Http2Client, a_connection_that_ends_without_a_word_may_have_taken_each_of_its_requests) {
  for (const bool reused : {false, true}) {
    Asking asking;
    asking.greet();
    Outcome before, outcome, beside;
    if (reused) {
      asking.ask(before);
      asking.send(headers(1, status("200"), true));
    }
    asking.ask(outcome, Asking::request("POST"), "body");
    asking.ask(beside, Asking::request("POST"), std::string(300'000, 'x'));
    asking.server->close();
    asking.loop->settle();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->retry, Retry::kNever);
    EXPECT_EQ(outcome.taken, ClientExchange::Taken::kPerhaps);
  }
}

TEST(Http2Client, the_end_of_a_tunnel_waits_for_the_windows_of_its_last_bytes) {
  ClientLimits limits;
  limits.http2.extended_connect = true;
  Asking asking(limits);
  asking.greet(setting(8, 1) + setting(4, 10));
  RequestHead head = Asking::request("GET", "/chat");
  head.upgrade = "websocket";
  ClientExchange& exchange = asking.client->start();
  bool over = false;
  const auto talk = [](ClientExchange& with, RequestHead asked, bool& ended) -> net::Task<void> {
    ResponseHead answered;
    if (!co_await with.send_head(asked, false) || !co_await with.read_head(answered)) co_return;
    net::Stream& stream = *with.upgrade().stream;
    static_cast<void>(co_await stream.write("0123456789abcdef"));
    stream.close();
    EXPECT_TRUE(co_await with.flush());
    ended = true;
  };
  net::TaskScope tasks;
  tasks.spawn(talk(exchange, head, over));
  asking.loop->settle();
  asking.send(headers(1, status("200"), false));
  EXPECT_EQ(asking.take().back(), "DATA 1 10 0123456789");
  EXPECT_FALSE(over);
  asking.send(window_update(1, 100));
  EXPECT_EQ(asking.take(), Lines{"DATA 1 end 6 abcdef"});
  EXPECT_TRUE(over);
  asking.client->finish(exchange);
}

TEST(Http2Client, a_malformed_response_ends_its_exchange_alone) {
  const std::string bad[] = {
      headers(1, {{"x", "1"}}, true),
      headers(1, status("abc"), true),
      headers(1, status("099"), true),
      headers(1, status("101"), false),
      headers(1, with(status("200"), "connection", "close"), true),
      headers(1, with(status("200"), "Upper", "1"), true),
      headers(1, with(status("200"), "x", "a\nb"), true),
      headers(1, with(status("200"), "content-length", "3"), false) + frame(kData, 1, 1, "ab"),
      headers(1, with(status("200"), "content-length", "1"), false) + frame(kData, 1, 1, "ab"),
      headers(1, status("103"), true),
      headers(1, status("200"), false) + headers(1, {{"x", "1"}}, false),
      headers(1, status("200"), false) + headers(1, status("200"), true),
  };
  for (const std::string& bytes : bad)
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      Asking asking;
      asking.transport->set_fragment(fragment);
      asking.greet();
      Outcome one, two;
      asking.ask(one);
      asking.ask(two);
      asking.send(bytes);
      ASSERT_TRUE(one.error) << one.head.status;
      EXPECT_EQ(one.error->code, Code::kInvalid);
      EXPECT_EQ(one.error->blame, Blame::kUpstream);
      EXPECT_FALSE(two.over);
      asking.send(headers(3, status("200"), true));
      EXPECT_TRUE(two.over && !two.error);
    }
}

TEST(Http2Client, H18_floods_of_a_server_end_the_connection) {
  const std::pair<const char*, std::string> floods[] = {
      {"PING", frame(kPing, 0, 0, "12345678")},
      {"SETTINGS", frame(kSettings, 0, 0, "")},
      {"WINDOW_UPDATE", window_update(0, 1)},
      {"DATA", frame(kData, 0, 1, "")},
      {"HEADERS of no stream", headers(1, status("200"), true)},
  };
  for (const auto& [name, flood] : floods) {
    SCOPED_TRACE(name);
    Asking asking;
    asking.greet();
    Outcome outcome;
    asking.ask(outcome);
    asking.send(headers(1, status("200"), false));
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += flood;
    int sent = 0;
    while (!asking.client->over() && ++sent < 1000) asking.send(bytes);
    EXPECT_TRUE(asking.client->over());
    EXPECT_TRUE(outcome.over);
  }
  Asking asking;
  asking.greet();
  Outcome outcome;
  asking.ask(outcome);
  std::string interims;
  for (int i = 0; i < 17; ++i) interims += headers(1, status("103"), false);
  asking.send(interims);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, Code::kInvalid);
}

TEST(Http2Client, G25_a_push_ends_the_connection) {
  Asking asking;
  asking.greet();
  Outcome outcome;
  asking.ask(outcome);
  static_cast<void>(asking.take());
  asking.send(frame(static_cast<http::testing::FrameType>(5), 4, 1, four(2)));
  EXPECT_TRUE(outcome.error);
  EXPECT_EQ(asking.take(), Lines{"GOAWAY 0 PROTOCOL_ERROR"});
  EXPECT_TRUE(asking.client->over());
}

TEST(Http2Client, a_response_that_does_not_come_in_time_is_a_timeout) {
  Asking asking;
  asking.greet();
  asking.deadline = asking.loop->now() + 5s;
  Outcome outcome;
  asking.ask(outcome);
  static_cast<void>(asking.take());
  asking.loop->advance(6s);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, Code::kTimeout);
  EXPECT_EQ(asking.take(), Lines{"RST_STREAM 1 CANCEL"});
  EXPECT_FALSE(asking.client->over());
}

TEST(Http2Client, a_server_that_does_not_answer_a_ping_is_missed) {
  ClientLimits limits;
  limits.http2.ping_interval = 30s;
  limits.http2.ping_timeout = 10s;
  Asking asking(limits);
  asking.greet();
  Outcome outcome;
  asking.ask(outcome);
  asking.loop->advance(31s);
  EXPECT_EQ(asking.take(false).back(), "PING");
  asking.loop->advance(11s);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, Code::kReset)
      << "it is the connection that is lost, and no one has cancelled";
  EXPECT_TRUE(asking.client->over());
}

TEST(Http2Client, a_server_that_never_says_a_word_is_missed_too) {
  ClientLimits limits;
  limits.http2.ping_interval = 5s;
  limits.http2.ping_timeout = 2s;
  Asking asking(limits);
  Outcome outcome;
  asking.ask(outcome);
  asking.loop->advance(8s);
  EXPECT_TRUE(outcome.over && asking.client->over());
}

TEST(Http2Client, settings_that_the_server_never_acknowledges_end_the_connection) {
  for (const bool says_its_own : {false, true}) {
    Asking asking;
    if (says_its_own) asking.send(frame(kSettings, 0, 0, ""));
    Outcome outcome;
    asking.ask(outcome);
    asking.loop->advance(9s);
    EXPECT_FALSE(outcome.over);
    asking.loop->advance(1001ms);
    EXPECT_EQ(asking.take().back(), "GOAWAY 0 SETTINGS_TIMEOUT") << says_its_own;
    EXPECT_TRUE(asking.client->over());
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Code::kReset) << "not a time of the request's own";
  }
}

/// What the requests wait for is no fault of the server's.
TEST(Http2Client, requests_that_wait_to_leave_do_not_end_their_connection) {
  Asking asking;
  std::list<Outcome> outcomes;
  RequestHead head = Asking::request();
  head.headers.add("x-large", std::string(16'000, 'x'));
  for (int i = 0; i < 100; ++i) asking.ask(outcomes.emplace_back(), head);
  asking.greet();
  EXPECT_FALSE(asking.client->over());
  for (const Outcome& outcome : outcomes) EXPECT_FALSE(outcome.over);
  std::size_t heads = 0;
  for (int i = 0; i < 10; ++i) heads += asking.take().size();
  EXPECT_EQ(heads, 100u);
}

TEST(Http2Client, what_a_server_causes_and_does_not_read_ends_the_connection_behind_heads_too) {
  Asking asking;
  std::list<Outcome> outcomes;
  RequestHead head = Asking::request();
  head.headers.add("x-large", std::string(16'000, 'x'));
  for (int i = 0; i < 80; ++i) asking.ask(outcomes.emplace_back(), head);
  asking.greet();
  std::string pings;
  for (int i = 0; i < 900; ++i) pings += frame(kPing, 0, 0, "12345678");
  int seconds = 0;
  for (; !asking.client->over() && seconds < 40; ++seconds) {
    asking.send(pings);
    asking.loop->advance(1s);
  }
  EXPECT_GE(seconds, 17) << "256 KiB of acknowledgements are borne";
  EXPECT_LT(seconds, 20);
  for (const Outcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Code::kReset);
  }
}

/// Such a server has responded before the end of the request, and wants no more of it (RFC 9113 §8.1).
TEST(Http2Client, the_reset_behind_a_response_that_is_complete_is_no_flood) {
  Asking asking;
  asking.greet();
  Outcome open;
  asking.ask(open);
  std::list<Outcome> outcomes;
  for (unsigned id = 3; id <= 2 * 102 + 1; id += 2) {
    asking.ask(outcomes.emplace_back(), Asking::request("POST"), "body");
    asking.send(headers(id, status("401"), true) + rst_stream(id, 0));
  }
  EXPECT_FALSE(asking.client->over());
  EXPECT_FALSE(open.over);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.head.status, 401);
}

TEST(Http2Client, an_upgrade_is_an_extended_connect_where_it_is_allowed_and_the_server_offers_it) {
  ClientLimits limits;
  limits.http2.extended_connect = true;
  Asking asking(limits);
  RequestHead head = Asking::request("GET", "/chat");
  head.upgrade = "websocket";
  ClientExchange& exchange = asking.client->start();
  std::string heard;
  const auto talk = [](ClientExchange& over, RequestHead asked, std::string& into) -> net::Task<void> {
    ResponseHead answered;
    if (!co_await over.send_head(asked, false)) co_return;
    if (!co_await over.read_head(answered)) co_return;
    EXPECT_EQ(answered.status, 101);
    EXPECT_EQ(answered.upgrade, "websocket");
    net::Stream& stream = *over.upgrade().stream;
    static_cast<void>(co_await stream.write("hello"));
    char block[64];
    for (;;) {
      const net::IoResult got = co_await stream.read(block);
      if (!got.ok()) break;
      into.append(block, got.bytes);
    }
    into += " end";
    stream.shutdown_write();
  };
  net::TaskScope tasks;
  tasks.spawn(talk(exchange, head, heard));
  asking.loop->settle();
  EXPECT_EQ(asking.take(), Lines{}) << "the SETTINGS of the server have to come first";
  asking.greet(setting(8, 1));
  EXPECT_EQ(asking.take(),
            Lines{"HEADERS 1 :method=CONNECT :scheme=http :path=/chat :authority=h :protocol=websocket"});
  asking.send(headers(1, status("200"), false) + frame(kData, 0, 1, "hi"));
  EXPECT_EQ(asking.take(), Lines{"DATA 1 5 hello"});
  asking.send(frame(kData, 1, 1, "!"));
  EXPECT_EQ(heard, "hi! end");
  EXPECT_EQ(asking.take(), Lines{"DATA 1 end 0 "});
  asking.client->finish(exchange);

  for (const bool allowed : {false, true}) {
    limits.http2.extended_connect = allowed;
    Asking other(limits);
    other.greet(allowed ? std::string() : setting(8, 1));
    Outcome outcome;
    other.ask(outcome, head);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code, Code::kUnsupported);
  }
}

TEST(Http2Client, F08_an_offer_of_extended_connect_that_is_none_ends_the_connection) {
  for (const std::uint32_t value : {2u, 0u}) {
    Asking asking;
    asking.greet(setting(8, 1));
    asking.send(frame(kSettings, 0, 0, setting(8, value)));
    EXPECT_TRUE(asking.client->over());
  }
}

TEST(Http2Client, sends_goaway_when_it_is_destroyed) {
  Asking asking;
  asking.greet();
  static_cast<void>(asking.take());
  asking.client.reset();
  EXPECT_EQ(asking.take(), Lines{"GOAWAY 0 NO_ERROR"});
  EXPECT_TRUE(asking.server->peer_ended());
}

}  // namespace
}  // namespace weft::http::h2
