#include <gtest/gtest.h>

#include <list>

#include "http/h2/testing/asking.h"

/// Rows G and H of docs/bad-input.md where it is the server that sends the bytes.
namespace weft::http::h2 {
namespace {

using http::testing::block_of;
using http::testing::Fields;
using http::testing::four;
using http::testing::frame;
using http::testing::FrameType;
using http::testing::headers;
using http::testing::kEndHeaders;
using http::testing::kEndStream;
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

constexpr auto kPriority = static_cast<FrameType>(2), kPushPromise = static_cast<FrameType>(5),
               kWindowUpdate = static_cast<FrameType>(8), kUnknown = static_cast<FrameType>(99);

struct Row {
  const char* id;
  std::string bytes;
  std::string code;
};

std::string block(const char* code = "200") { return block_of(status(code)); }

std::string head(unsigned char stream = 1) { return headers(stream, status("200"), false); }

/// To a client whose request 1 waits for the window of its body.
std::vector<Row> frame_rows() {
  const std::string protocol = "PROTOCOL_ERROR", size = "FRAME_SIZE_ERROR", closed = "STREAM_CLOSED";
  const std::string big(16'385, 'x');
  const std::string ended = headers(1, status("200"), true);
  return {
      {"G02", head() + frame(kData, 0, 1, big), size},
      {"G03", frame(kHeaders, kEndHeaders, 1, big), size},
      {"G05", frame(kHeaders, 0, 1, block()) + frame(kUnknown, 0, 1, ""), protocol},
      {"G06 DATA", frame(kData, 0, 0, "x"), protocol},
      {"G06 HEADERS", headers(0, status("200"), true), protocol},
      {"G06 PRIORITY", frame(kPriority, 0, 0, "12345"), protocol},
      {"G06 RST_STREAM", rst_stream(0, 8), protocol},
      {"G06 CONTINUATION", frame(kContinuation, 4, 0, ""), protocol},
      {"G07 SETTINGS", frame(kSettings, 0, 1, ""), protocol},
      {"G07 PING", frame(kPing, 0, 1, "12345678"), protocol},
      {"G07 GOAWAY", frame(kGoAway, 0, 1, four(0) + four(0)), protocol},
      {"G08 PING", frame(kPing, 0, 0, "1234567"), size},
      {"G08 RST_STREAM", frame(kReset, 0, 1, "123"), size},
      {"G08 WINDOW_UPDATE", frame(kWindowUpdate, 0, 0, "123"), size},
      {"G08 SETTINGS", frame(kSettings, 0, 0, "12345"), size},
      {"G08 ACK", frame(kSettings, 1, 0, setting(4, 1)), size},
      {"G08 GOAWAY", frame(kGoAway, 0, 0, four(0)), size},
      {"G09", frame(kPriority, 0, 1, "1234"), size},
      {"G10 DATA", head() + frame(kData, 8, 1, "\5ab"), protocol},
      {"G10 HEADERS", frame(kHeaders, 8 | kEndHeaders, 1, "\5ab"), protocol},
      {"G11", frame(kHeaders, 0x20 | kEndHeaders, 1, "1234"), size},
      {"G12 even", headers(2, status("200"), true), protocol},
      {"G12 of no request", headers(3, status("200"), true), protocol},
      {"G14 DATA", frame(kData, 0, 3, "x"), protocol},
      {"G14 RST_STREAM", rst_stream(3, 8), protocol},
      {"G14 WINDOW_UPDATE", window_update(3, 1), protocol},
      {"G15 DATA", ended + frame(kData, 0, 1, "x"), closed},
      {"G15 HEADERS", ended + headers(1, {{"x", "1"}}, true), closed},
      {"G17 interrupted", frame(kHeaders, 0, 1, block()) + frame(kPing, 0, 0, "12345678"), protocol},
      {"G17 another stream", frame(kHeaders, 0, 1, block()) + frame(kContinuation, 4, 3, ""), protocol},
      {"G17 alone", head() + frame(kContinuation, 4, 1, ""), protocol},
      {"G25", frame(kPushPromise, 4, 1, four(2)), protocol},
  };
}

std::vector<Row> value_rows() {
  const std::string protocol = "PROTOCOL_ERROR", flow = "FLOW_CONTROL_ERROR",
                    compression = "COMPRESSION_ERROR", calm = "ENHANCE_YOUR_CALM";
  const auto packed = [](std::string_view bytes) { return frame(kHeaders, kEndHeaders, 1, bytes); };
  std::string entries, pieces = frame(kHeaders, 0, 1, block()), fields = pieces;
  Fields many = status("200");
  for (int i = 0; i < 201; ++i) many = with(many, "a", "b");
  for (int i = 0; i < 33; ++i) entries += setting(4, 100);
  for (int i = 0; i < 30; ++i) {
    pieces += frame(kContinuation, 0, 1, "");
    fields += frame(kContinuation, 0, 1, block_of({{"a", "b"}}));
  }
  return {
      {"G18 push", frame(kSettings, 0, 0, setting(2, 1)), protocol},
      {"G18 push 2", frame(kSettings, 0, 0, setting(2, 2)), protocol},
      {"G18 small frame", frame(kSettings, 0, 0, setting(5, 16'383)), protocol},
      {"G18 large frame", frame(kSettings, 0, 0, setting(5, 1u << 24)), protocol},
      {"G19", frame(kSettings, 0, 0, setting(4, 0x80000000u)), flow},
      {"G21", window_update(0, 0), protocol},
      {"G21 stream", window_update(1, 0), protocol},
      {"G22", window_update(0, 0x7fffffff), flow},
      {"G29 index 0", packed("\x80"), compression},
      {"G29 past the table", packed("\xfe"), compression},
      {"G29 Huffman", packed(std::string("\0\x81\xff\x01x", 5)), compression},
      {"G29 table size", packed("\x3f\xe2\x1f"), compression},
      {"G29 overflow", packed("\xff\xff\xff\xff\xff\xff\xff"), compression},
      {"H03", pieces, calm},
      {"H04", fields, calm},
      {"H06", frame(kSettings, 0, 0, entries), calm},
      {"H13", headers(1, many, true), calm},
  };
}

/// One that is beside a connection under test, on its loop.
struct Beside {
  explicit Beside(const Asking& asking) : connection({}, asking.loop) {
    connection.greet();
    connection.ask(outcome);
  }
  void expect_that_it_goes_on() {
    connection.send(headers(1, status("200"), false) + frame(kData, 1, 1, "fine"));
    EXPECT_TRUE(outcome.over);
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(outcome.body, "fine");
    EXPECT_EQ(connection.client->capacity(), 100u);
  }
  Asking connection;
  Outcome outcome;
};

/// With GOAWAY of that code, and its exchange with it.
void expect_end(Asking& asking, const Outcome& outcome, const std::string& code) {
  const Lines lines = asking.take();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "GOAWAY 0 " + code);
  EXPECT_TRUE(asking.client->over());
  EXPECT_EQ(asking.client->capacity(), 0u);
  EXPECT_TRUE(outcome.over);
  asking.loop->advance(2s);
  EXPECT_TRUE(asking.server->peer_ended());
}

TEST(Http2BadUpstream, what_breaks_a_rule_of_the_connection_ends_it_with_the_reason_and_no_other) {
  std::vector<Row> rows = frame_rows();
  for (Row& row : value_rows()) rows.push_back(std::move(row));
  for (const Row& row : rows)
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(std::string(row.id) + " in pieces of " + std::to_string(fragment));
      Asking asking;
      Beside beside(asking);
      asking.transport->set_fragment(fragment);
      asking.greet(setting(4, 0));
      Outcome outcome;
      asking.ask(outcome, Asking::request("POST"), "body");
      asking.send(row.bytes);
      expect_end(asking, outcome, row.code);
      beside.expect_that_it_goes_on();
    }
}

TEST(Http2BadUpstream, G01_what_is_not_http_2_ends_the_connection) {
  for (const std::string& bytes : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(40, '\xff'),
                                   frame(kPing, 0, 0, "12345678"), frame(kSettings, 1, 0, "")})
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(bytes.substr(0, 9) + " in pieces of " + std::to_string(fragment));
      Asking asking;
      Beside beside(asking);
      asking.transport->set_fragment(fragment);
      Outcome outcome;
      asking.ask(outcome);
      asking.send(bytes);
      expect_end(asking, outcome, "PROTOCOL_ERROR");
      ASSERT_TRUE(outcome.error);
      EXPECT_EQ(outcome.error->code, Code::kReset);
      beside.expect_that_it_goes_on();
    }
}

TEST(Http2BadUpstream, G04_what_is_not_known_is_ignored) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    Asking asking;
    asking.transport->set_fragment(fragment);
    asking.greet(setting(0x99, 7));
    Outcome outcome;
    asking.ask(outcome);
    asking.send(frame(kUnknown, 0xff, 0, "abc") + frame(kUnknown, 0, 9, "") +
                frame(kHeaders, 0xff & ~0x28, 1, block("204")));
    EXPECT_TRUE(outcome.over && !outcome.error) << fragment;
    EXPECT_EQ(outcome.head.status, 204);
    EXPECT_FALSE(asking.client->over());
  }
}

/// RFC 9113 §5.1: what has crossed our RST_STREAM; what it adds to the table of HPACK is used afterwards.
TEST(Http2BadUpstream, G16_G30_the_head_of_a_stream_that_was_reset_still_counts_for_what_is_remembered) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    Asking asking;
    asking.transport->set_fragment(fragment);
    asking.greet();
    Outcome one, two;
    asking.ask(one).cancel();
    asking.ask(two);
    const std::string insert("\x40\x03x-a\x01y", 7), use("\xbe", 1);
    asking.send(frame(kHeaders, kEndHeaders, 1, block() + insert) + frame(kData, 1, 1, "late"));
    asking.send(frame(kHeaders, kEndHeaders | 1, 3, block() + use));
    EXPECT_TRUE(two.over && !two.error) << fragment;
    EXPECT_EQ(two.head.headers.get("x-a"), "y");
  }
}

TEST(Http2BadUpstream, G22_G23_windows_of_a_stream_that_are_exceeded_end_it_alone) {
  ClientLimits limits;
  limits.http2.stream_window = 10;
  for (const std::string& bytes :
       {window_update(1, 0x7fffffff), head() + frame(kData, 0, 1, std::string(11, 'x'))})
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(fragment);
      Asking asking(limits);
      asking.transport->set_fragment(fragment);
      asking.greet(setting(4, 10));
      Outcome one, two;
      asking.ask(one, Asking::request("POST"), "body");
      asking.ask(two);
      static_cast<void>(asking.take());
      asking.send(bytes);
      EXPECT_EQ(asking.take(), Lines{"RST_STREAM 1 FLOW_CONTROL_ERROR"});
      ASSERT_TRUE(one.error);
      EXPECT_EQ(one.error->blame, Blame::kUpstream);
      asking.send(headers(3, status("200"), true));
      EXPECT_TRUE(two.over && !two.error);
    }
}

TEST(Http2BadUpstream, G24_a_window_that_shrinks_below_what_is_out_is_waited_for) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    Asking asking;
    asking.transport->set_fragment(fragment);
    asking.greet(setting(4, 10));
    Outcome outcome;
    asking.ask(outcome, Asking::request("POST"), std::string(13, 'x'));
    EXPECT_EQ(asking.take().back(), "DATA 1 10 xxxxxxxxxx");
    asking.send(frame(kSettings, 0, 0, setting(4, 2)) + window_update(1, 8));
    EXPECT_EQ(asking.take(), Lines{}) << fragment;
    asking.send(window_update(1, 3));
    EXPECT_EQ(asking.take(), Lines{"DATA 1 end 3 xxx"}) << fragment;
  }
}

TEST(Http2BadUpstream, H02_a_server_that_resets_every_request_loses_its_connection) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    Asking asking;
    Beside beside(asking);
    asking.transport->set_fragment(fragment);
    asking.greet();
    std::list<Outcome> outcomes;
    unsigned id = 1;
    for (; id < 255 && !asking.client->over(); id += 2) {
      asking.ask(outcomes.emplace_back());
      asking.send(rst_stream(static_cast<unsigned char>(id), 8));
      EXPECT_TRUE(outcomes.back().error);
    }
    EXPECT_EQ(outcomes.size(), 101u) << fragment;
    expect_end(asking, outcomes.back(), "ENHANCE_YOUR_CALM");
    beside.expect_that_it_goes_on();
  }
}

TEST(Http2BadUpstream, H05_to_H10_frames_that_bring_nothing_end_the_connection) {
  struct Flood {
    const char* id;
    std::string frame;
    int borne;
  };
  const Flood floods[] = {
      {"H05 PING ack", frame(kPing, 1, 0, "12345678"), 1'000},
      {"H08 padded DATA", frame(kData, 8, 1, std::string("\0", 1)), 50'000},
      {"H09 PRIORITY", frame(kPriority, 0, 1, std::string("\0\0\0\0\1", 5)), 1'000},
      {"unknown", frame(kUnknown, 0, 0, ""), 1'000},
      {"RST_STREAM of a stream that is over", rst_stream(1, 8), 1'000},
  };
  for (const Flood& flood : floods)
    for (const std::size_t fragment : {4096u, 1u, 5u}) {
      if (flood.borne > 1'000 && fragment < 4096) break;  // they take seconds
      SCOPED_TRACE(std::string(flood.id) + " in pieces of " + std::to_string(fragment));
      Asking asking;
      Beside beside(asking);
      asking.transport->set_fragment(fragment);
      asking.greet();
      Outcome outcome;
      asking.ask(outcome);
      asking.send(head());
      std::string hundred;
      for (int i = 0; i < 100; ++i) hundred += flood.frame;
      int sent = 0;
      for (; sent < 2 * flood.borne && !asking.client->over(); sent += 100) asking.send(hundred);
      EXPECT_GE(sent, flood.borne);
      EXPECT_LT(sent, flood.borne + flood.borne / 50 + 200);
      expect_end(asking, outcome, "ENHANCE_YOUR_CALM");
      beside.expect_that_it_goes_on();
    }
}

TEST(Http2BadUpstream, H12_pieces_of_one_octet_are_a_body) {
  Asking asking;
  asking.greet();
  Outcome outcome;
  asking.ask(outcome);
  asking.send(head());
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += frame(kData, 0, 1, "x");
  for (int i = 0; i < 200; ++i) asking.send(many);
  asking.send(frame(kData, kEndStream, 1, "x"));
  EXPECT_EQ(outcome.body, std::string(200'001, 'x'));
  EXPECT_FALSE(outcome.error);
}

}  // namespace
}  // namespace weft::http::h2
