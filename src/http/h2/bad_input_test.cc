#include <gtest/gtest.h>

#include <algorithm>

#include "http/h2/testing/served.h"

/// Rows G and H of docs/bad-input.md: bytes in, what the server says and does.
namespace weft::http::h2 {
namespace {

using http::testing::block_of;
using http::testing::Fields;
using http::testing::four;
using http::testing::frame;
using http::testing::FrameType;
using http::testing::get;
using http::testing::headers;
using http::testing::kEndHeaders;
using http::testing::kEndStream;
using http::testing::kPreface;
using http::testing::literal_field;
using http::testing::post;
using http::testing::rst_stream;
using http::testing::setting;
using http::testing::window_update;
using http::testing::with;
using testing::ignore_body;
using testing::Served;
using Lines = std::vector<std::string>;
using enum http::testing::FrameType;

constexpr auto kPriority = static_cast<FrameType>(2), kPushPromise = static_cast<FrameType>(5),
               kWindowUpdate = static_cast<FrameType>(8), kUnknown = static_cast<FrameType>(99);

/// Counts what reaches a handler.
struct Counting {
  int served = 0, open = 0;
  net::Task<void> handle(ServerExchange& exchange) {
    ++served;
    ++open;
    struct Leave {
      int& count;
      ~Leave() { --count; }
    } const leave{open};
    for (;;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return exchange.reset();
      if (chunk->end) break;
    }
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, true));
  }
  Handler handler() {
    return [this](ServerExchange& exchange) { return handle(exchange); };
  }
};

Fields changed(Fields fields, std::string_view name, std::string value) {
  for (auto& [each, old] : fields)
    if (each == name) old = std::move(value);
  return fields;
}

Fields without(Fields fields, std::string_view name) {
  std::erase_if(fields, [name](const auto& each) { return each.first == name; });
  return fields;
}

struct Row {
  const char* id;
  std::string bytes;
  std::string says;  ///< "RST_STREAM 1 …", "GOAWAY … code" or a status; empty: nothing but good responses
  const char* rule = "";  ///< told to the observer
};

std::vector<Row> stream_rows() {
  const std::string reset = "RST_STREAM 1 PROTOCOL_ERROR";
  const auto bad = [](Fields fields) { return headers(1, fields, true); };
  return {
      {"G26 unknown", bad(with({{":nope", "1"}}, ":path", "/")), reset, "G26"},
      {"G26 response-only", bad(with(get(), ":status", "200")), reset, "G26"},
      {"G26 doubled", bad(with(get(), ":path", "/")), reset, "G26"},
      {"G26 missing", bad(without(get(), ":path")), reset, "G26"},
      {"G26 no scheme", bad(without(get(), ":scheme")), reset, "G26"},
      {"G26 empty path", bad(get("")), reset, "G26"},
      {"G26 no slash", bad(get("x")), reset, "G26"},
      {"G26 absolute path", bad(get("http://h/")), reset, "G26"},
      {"G26 asterisk of GET", bad(get("*")), reset, "G26"},
      {"G26 asterisk and more", bad(changed(get("*x"), ":method", "OPTIONS")), reset, "G26"},
      {"G26 late",
       bad({{":method", "GET"}, {"x", "1"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}), reset,
       "G26"},
      {"G26 upper case", bad(with(get(), "Upper", "1")), reset, "G26"},
      {"G26 no host", bad(without(get(), ":authority")), reset, "G26"},
      {"G26 two hosts", bad(with(get(), "host", "other")), reset, "G26"},
      {"G27 connection", bad(with(get(), "connection", "close")), reset, "G26"},
      {"G27 transfer-encoding", bad(with(get(), "transfer-encoding", "chunked")), reset, "G26"},
      {"G27 te", bad(with(get(), "te", "gzip")), reset, "G26"},
      {"G27 upgrade", bad(with(get(), "upgrade", "h2c")), reset, "G26"},
      {"G28 none", bad(with(post(), "content-length", "1")), reset, "G26"},
      {"G28 more", headers(1, with(post(), "content-length", "1"), false) + frame(kData, 1, 1, "ab"), reset,
       "G28"},
      {"G28 less", headers(1, with(post(), "content-length", "3"), false) + frame(kData, 1, 1, "ab"), reset,
       "G28"},
      {"G28 twice", bad(with(with(post(), "content-length", "0"), "content-length", "0")), reset, "G26"},
      {"G31 path", bad(get("/a b")), reset, "G26"},
      {"G31 line end", bad(get("/\r\nx: y")), reset, "G26"},
      {"G31 method", bad(changed(get(), ":method", "GE T")), reset, "G26"},
      {"G31 value", bad(with(get(), "x", "a\r\nb")), reset, "G26"},
      {"G31 authority", bad(changed(get(), ":authority", "h\r\nx")), reset, "G26"},
      {"G31 scheme", bad(changed(get(), ":scheme", "http://x/")), reset, "G26"},
      {"H11 empty name", bad(with(get(), "", "x")), reset, "G26"},
      {"F07 protocol", bad(with(changed(get(), ":method", "CONNECT"), ":protocol", "websocket")), reset,
       "G26"},
      {"F09 connect", bad(changed(get(), ":method", "CONNECT")), reset, "G26"},
      {"E02 trailers", headers(1, post(), false) + headers(1, {{"x", "1"}}, false), reset, "E02"},
      {"E02 pseudo", headers(1, post(), false) + headers(1, {{":path", "/"}}, true), reset, "G26"},
      {"G22 stream", headers(1, post(), false) + window_update(1, 0x7fffffff),
       "RST_STREAM 1 FLOW_CONTROL_ERROR"},
      // What HTTP/1 rejects with a status has the same here.
      {"B01 authority", bad(changed(get(), ":authority", "a,b")), ":status=400", "B01"},
      {"B01 CONNECT", bad({{":method", "CONNECT"}, {":authority", "h"}}), ":status=400", "B01"},
      {"B02 scheme", bad(changed(get(), ":scheme", "ftp")), ":status=400", "B02"},
      {"B16 fragment", bad(get("/a#b")), ":status=400", "B16"},
      {"B17 odd bytes", bad(get("/{}|^`\"")), ""},
      {"A16 underscore", bad(with(get(), "content_length", "1")), ":status=400", "A16"},
      {"A28 method", bad(changed(get(), ":method", std::string(65, 'M'))), ":status=501", "A28"},
      {"A33 expectation", bad(with(get(), "expect", "more")), ":status=417", "A33"},
      {"OPTIONS", bad(changed(get("*"), ":method", "OPTIONS")), ""},
  };
}

std::vector<Row> connection_rows() {
  const std::string protocol = "PROTOCOL_ERROR", size = "FRAME_SIZE_ERROR", flow = "FLOW_CONTROL_ERROR",
                    compression = "COMPRESSION_ERROR", calm = "ENHANCE_YOUR_CALM", closed = "STREAM_CLOSED";
  const std::string open = headers(1, post(), false);
  const std::string big(16'385, 'x');
  std::string too_many;
  for (unsigned char id = 1; id < 202; id = static_cast<unsigned char>(id + 2))
    too_many += headers(id, post(), false);
  std::string padded = open + frame(kData, 8, 1, std::string("\5ab", 3));
  std::vector<Row> rows = {
      {"G02", open + frame(kData, 0, 1, big), size},
      {"G03", frame(kHeaders, kEndHeaders, 1, big), size},
      {"G05", frame(kHeaders, 0, 1, block_of(get())) + frame(kUnknown, 0, 1, ""), protocol},
      {"G06 DATA", frame(kData, 0, 0, "x"), protocol},
      {"G06 HEADERS", headers(0, get(), true), protocol},
      {"G06 PRIORITY", frame(kPriority, 0, 0, "12345"), protocol},
      {"G06 RST_STREAM", rst_stream(0, 8), protocol},
      {"G06 CONTINUATION", frame(kContinuation, 4, 0, ""), protocol},
      {"G07 SETTINGS", frame(kSettings, 0, 1, ""), protocol},
      {"G07 PING", frame(kPing, 0, 1, "12345678"), protocol},
      {"G07 GOAWAY", frame(kGoAway, 0, 1, four(0) + four(0)), protocol},
      {"G08 PING", frame(kPing, 0, 0, "1234567"), size},
      {"G08 RST_STREAM", open + frame(kReset, 0, 1, "123"), size},
      {"G08 WINDOW_UPDATE", frame(kWindowUpdate, 0, 0, "123"), size},
      {"G08 SETTINGS", frame(kSettings, 0, 0, "12345"), size},
      {"G08 ACK", frame(kSettings, 1, 0, setting(4, 1)), size},
      {"G09", open + frame(kPriority, 0, 1, "1234"), size},
      {"G21 stream", open + window_update(1, 0), protocol},
      {"G10 DATA", padded, protocol},
      {"G10 HEADERS", frame(kHeaders, 8 | kEndHeaders, 1, "\5ab"), protocol},
      {"G11", frame(kHeaders, 0x20 | kEndHeaders, 1, "1234"), size},
      {"G12 even", headers(2, get(), true), protocol},
      {"G12 down", headers(5, get(), true) + headers(3, get(), true), protocol},
      {"G13", too_many, protocol},
      {"G14 DATA", frame(kData, 0, 1, "x"), protocol},
      {"G14 RST_STREAM", rst_stream(1, 8), protocol},
      {"G14 WINDOW_UPDATE", window_update(1, 1), protocol},
      {"G15 DATA", headers(1, get(), true) + frame(kData, 0, 1, "x"), closed},
      {"G15 HEADERS", headers(1, get(), true) + headers(1, get(), true), closed},
      {"G15 after RST_STREAM", open + rst_stream(1, 8) + frame(kData, 0, 1, "x"), closed},
      {"G17 interrupted", frame(kHeaders, 0, 1, block_of(get())) + frame(kPing, 0, 0, "12345678"), protocol},
      {"G17 alone", open + frame(kContinuation, 4, 1, ""), protocol},
      {"G18 push", frame(kSettings, 0, 0, setting(2, 2)), protocol},
      {"G18 small frame", frame(kSettings, 0, 0, setting(5, 16'383)), protocol},
      {"G18 large frame", frame(kSettings, 0, 0, setting(5, 1u << 24)), protocol},
      {"G19", frame(kSettings, 0, 0, setting(4, 0x80000000u)), flow},
      {"G21", window_update(0, 0), protocol},
      {"G22", window_update(0, 0x7fffffff), flow},
      {"G25", open + frame(kPushPromise, 4, 1, four(2)), protocol},
      {"G29 index 0", frame(kHeaders, kEndHeaders, 1, "\x80"), compression},
      {"G29 past the table", frame(kHeaders, kEndHeaders, 1, "\xfe"), compression},
      {"G29 Huffman", frame(kHeaders, kEndHeaders, 1, std::string("\0\x81\xff\x01x", 5)), compression},
      {"G29 table size", frame(kHeaders, kEndHeaders, 1, "\x3f\xe2\x1f"), compression},
      {"G29 overflow", frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff"), compression},
  };
  return rows;
}

TEST(Http2BadInput, what_breaks_a_rule_of_a_message_ends_its_stream_alone) {
  for (const Row& row : stream_rows())
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(std::string(row.id) + " in pieces of " + std::to_string(fragment));
      Counting counting;
      Served served(counting.handler());
      served.server->set_fragment(fragment);
      served.greet();
      served.send(row.bytes);
      Lines lines = served.take();
      const bool said = std::ranges::any_of(
          lines, [&](const std::string& line) { return line.find(row.says) != std::string::npos; });
      EXPECT_TRUE(said) << (lines.empty() ? "nothing" : lines[0]);
      if (*row.rule) EXPECT_EQ(served.rejected, Lines{row.rule});
      const bool head = row.bytes.size() > 9 && *row.rule && std::string_view(row.rule) != "G28" &&
                        std::string_view(row.id).substr(0, 2) != "E0";
      if (head) EXPECT_EQ(counting.served, 0);

      served.send(headers(7, get(), true));
      EXPECT_EQ(served.take(), Lines{"HEADERS 7 end :status=200"}) << "the connection goes on";
    }
}

TEST(Http2BadInput, what_breaks_a_rule_of_the_connection_ends_it_with_the_reason) {
  for (const Row& row : connection_rows())
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(std::string(row.id) + " in pieces of " + std::to_string(fragment));
      Counting counting;
      Served served(counting.handler());
      served.server->set_fragment(fragment);
      served.greet();
      served.send(row.bytes);
      const Lines lines = served.take();
      ASSERT_FALSE(lines.empty());
      EXPECT_TRUE(lines.back().starts_with("GOAWAY") && lines.back().ends_with(" " + row.says))
          << lines.back();
      EXPECT_TRUE(served.client->peer_ended());
      served.loop->advance(2s);
      EXPECT_TRUE(served.over());
      EXPECT_EQ(counting.open, 0);
    }
}

TEST(Http2BadInput, G01_what_is_not_http_2_is_told_so_and_closed) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), std::string(40, '\xff'),
                                   std::string(kPreface) + frame(kPing, 0, 0, "12345678")})
    for (const std::size_t fragment : {1u, 5u, 4096u}) {
      SCOPED_TRACE(fragment);
      Counting counting;
      Served served(counting.handler());
      served.server->set_fragment(fragment);
      served.send(bytes);
      const Lines lines = served.take();
      ASSERT_FALSE(lines.empty());
      EXPECT_EQ(lines.back(), "GOAWAY 0 PROTOCOL_ERROR");
      EXPECT_TRUE(served.client->peer_ended());
    }
}

TEST(Http2BadInput, G04_what_is_not_known_is_ignored) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    Counting counting;
    Served served(counting.handler());
    served.server->set_fragment(fragment);
    served.greet(setting(0x99, 7));
    served.send(frame(kUnknown, 0xff, 0, "abc") + frame(kUnknown, 0, 9, "") +
                frame(kHeaders, 0xff & ~0x28, 1, block_of(get())));
    EXPECT_EQ(served.take(), Lines{"HEADERS 1 end :status=200"});
  }
}

TEST(Http2BadInput, G13_a_stream_above_the_limit_is_rejected_and_may_be_sent_again) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    Counting counting;
    ServerSessionOptions options;
    options.http2.max_concurrent_streams = 2;
    Served served(counting.handler(), options);
    served.server->set_fragment(fragment);
    served.send(std::string(kPreface) + frame(kSettings, 0, 0, ""));  // ours is not acknowledged yet
    served.send(headers(1, post(), false) + headers(3, post(), false) + headers(5, get(), true));
    EXPECT_EQ(served.take(), Lines{"RST_STREAM 5 REFUSED_STREAM"});
    EXPECT_EQ(counting.served, 2);
    served.send(frame(kData, 1, 1, ""));
    served.send(headers(7, get(), true));
    EXPECT_EQ(counting.served, 3);
  }
}

TEST(Http2BadInput, G20_a_client_that_does_not_acknowledge_our_settings_is_left) {
  Counting counting;
  Served served(counting.handler());
  served.send(std::string(kPreface) + frame(kSettings, 0, 0, ""));
  served.loop->advance(9s);
  EXPECT_EQ(served.take(), Lines{});
  served.loop->advance(2s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 0 SETTINGS_TIMEOUT"});
}

TEST(Http2BadInput, G23_data_beyond_the_window_of_the_connection_ends_it) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    ServerSessionOptions options;
    options.http2.connection_window = 65'535;
    net::Loop* loop = nullptr;
    Served served([&loop](ServerExchange&) -> net::Task<void> { co_await loop->sleep(1h); }, options);
    loop = served.loop.get();
    served.server->set_fragment(fragment);
    served.greet();
    const auto part = [](unsigned char id, std::size_t size) {
      return frame(kData, 0, id, std::string(size, 'x'));
    };
    served.send(headers(1, post(), false) + headers(3, post(), false));
    served.send(part(1, 16'384) + part(3, 16'384) + part(1, 16'384) + part(3, 16'383));
    EXPECT_EQ(served.take(), Lines{}) << fragment;
    served.send(part(3, 1));
    EXPECT_EQ(served.take(), Lines{"GOAWAY 3 FLOW_CONTROL_ERROR"}) << fragment;
    EXPECT_TRUE(served.client->peer_ended());
  }
}

TEST(Http2BadInput, G24_a_window_that_shrinks_below_what_is_out_is_waited_for) {
  const auto handler = [](ServerExchange& exchange) -> net::Task<void> {
    ResponseHead head;
    head.status = 200;
    static_cast<void>(co_await exchange.send_head(head, false));
    static_cast<void>(co_await exchange.send_body(std::string(20, 'x'), true));
  };
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    Served served(handler);
    served.server->set_fragment(fragment);
    served.greet(setting(4, 10));
    served.send(headers(1, get(), true));
    EXPECT_EQ(served.take().back(), "DATA 1 10 xxxxxxxxxx");
    served.send(frame(kSettings, 0, 0, setting(4, 2)));
    served.send(window_update(1, 8));
    EXPECT_EQ(served.take(), Lines{});
    served.send(window_update(1, 3));
    EXPECT_EQ(served.take(), Lines{"DATA 1 3 xxx"});
  }
}

TEST(Http2BadInput, G30_the_head_of_a_refused_stream_still_counts_for_what_is_remembered) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    Counting counting;
    ServerSessionOptions options;
    options.http2.max_concurrent_streams = 1;
    Served served(counting.handler(), options);
    served.server->set_fragment(fragment);
    served.send(std::string(kPreface) + frame(kSettings, 0, 0, ""));
    const std::string insert("\x40\x03x-a\x01y", 7), use("\xbe", 1);
    served.send(headers(1, post(), false) + frame(kHeaders, 5, 3, block_of(get()) + insert));
    EXPECT_EQ(served.take(), Lines{"RST_STREAM 3 REFUSED_STREAM"});
    served.send(frame(kData, 1, 1, ""));
    served.send(frame(kHeaders, 5, 5, block_of(get()) + use));
    EXPECT_EQ(served.take().back(), "HEADERS 5 end :status=200");
  }
}

TEST(Http2BadInput, B11_B12_a_head_beyond_the_limits_is_rejected_and_one_far_beyond_ends_the_connection) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    ServerSessionOptions options;
    options.limits.fields = 10;
    options.limits.request_line_bytes = 100;
    Fields few = get(), many = get();
    for (int i = 0; i < 11; ++i) few = with(few, "a", "b");
    for (int i = 0; i < 21; ++i) many = with(many, "a", "b");
    Counting counting;
    Served served(counting.handler(), options);
    served.server->set_fragment(fragment);
    served.greet();
    served.send(headers(1, few, true));
    EXPECT_EQ(served.take()[0], "HEADERS 1 :status=431 content-type=text/plain content-length=21");
    served.send(headers(3, get('/' + std::string(100, 'x')), true));
    EXPECT_TRUE(served.take()[0].starts_with("HEADERS 3 :status=414 "));
    EXPECT_EQ(served.rejected, (Lines{"B12", "B11"}));
    served.send(headers(5, many, true));
    EXPECT_EQ(served.take().back(), "GOAWAY 5 ENHANCE_YOUR_CALM");
    EXPECT_EQ(counting.served, 0);
  }
}

TEST(Http2BadInput, E03_trailers_beyond_their_limit_are_rejected) {
  for (const std::size_t fragment : {1u, 5u, 4096u}) {
    SCOPED_TRACE(fragment);
    ServerSessionOptions options;
    options.limits.trailer_bytes = 100;
    Counting counting;
    Served served(counting.handler(), options);
    served.server->set_fragment(fragment);
    served.greet();
    served.send(headers(1, post(), false) + headers(1, {{"a", std::string(90, 'x')}}, true));
    EXPECT_EQ(served.rejected, Lines{"E03"});
    EXPECT_EQ(served.take(), Lines{"RST_STREAM 1 INTERNAL_ERROR"});
  }
}

TEST(Http2Floods, H01_H02_resets_are_counted_on_whichever_side_they_are_sent) {
  // Each opens a stream and ends it at once, in one of the ways there are.
  const auto with_reset = [](unsigned char id) { return headers(id, post(), false) + rst_stream(id, 8); };
  const auto with_window = [](unsigned char id) {
    return headers(id, post(), false) + window_update(id, 0x7fffffff);
  };
  const auto malformed = [](unsigned char id) { return headers(id, with(get(), "connection", "x"), true); };
  for (const std::function<std::string(unsigned char)>& make :
       {std::function<std::string(unsigned char)>(with_reset), {with_window}, {malformed}}) {
    Counting counting;
    ServerSessionOptions options;
    options.http2.max_resets = 50;
    Served served(counting.handler(), options);
    served.greet();
    for (int id = 1; id < 255; id += 2) served.send(make(static_cast<unsigned char>(id)));
    const Lines lines = served.take();
    EXPECT_TRUE(std::ranges::any_of(lines, [](const std::string& line) {
      return line.starts_with("GOAWAY") && line.ends_with("ENHANCE_YOUR_CALM");
    }));
    EXPECT_LE(counting.served, 51);
    served.loop->advance(2s);
    EXPECT_EQ(counting.open, 0);
    EXPECT_TRUE(served.over());
  }
}

TEST(Http2Floods, resets_within_their_rate_go_on_forever) {
  Counting counting;
  ServerSessionOptions options;
  options.http2.max_resets = 10;
  Served served(counting.handler(), options);
  served.greet();
  for (int id = 1; id < 255; id += 2) {
    served.send(headers(static_cast<unsigned char>(id), post(), false));
    served.send(rst_stream(static_cast<unsigned char>(id), 8));
    served.loop->advance(150ms);
  }
  EXPECT_FALSE(served.client->peer_ended());
  EXPECT_EQ(counting.served, 127);
}

/// Clients of gRPC reset a stream whose trailers came before they had said the end of their messages.
TEST(Http2Floods, H01_the_reset_of_a_stream_whose_response_is_out_is_no_rapid_reset) {
  for (const bool reads_on : {false, true}) {
    Served served([reads_on](ServerExchange& exchange) -> net::Task<void> {
      co_await ignore_body(exchange);
      if (reads_on) static_cast<void>(co_await exchange.read_body());
    });
    served.greet();
    for (unsigned id = 1; id <= 2 * 110; id += 2) {
      served.send(headers(id, post(), false));
      served.send(rst_stream(id, 8));
    }
    EXPECT_FALSE(served.over()) << reads_on;
    for (const std::string& line : served.take()) EXPECT_FALSE(line.starts_with("GOAWAY")) << line;
  }
}

TEST(Http2Floods, H01_resets_of_streams_that_are_gone_are_borne_as_often_as_frames_without_data) {
  ServerSessionOptions options;
  options.http2.max_frames_without_data = 10;
  Served served(ignore_body, options);
  served.greet();
  served.send(headers(1, get(), true) + headers(3, get(), true));
  int borne = -1;
  for (Lines lines; borne < 100 && (lines.empty() || !lines.back().starts_with("GOAWAY")); ++borne) {
    lines = served.take();
    served.send(rst_stream(1, 8));
  }
  EXPECT_LT(borne, 20);
  EXPECT_GT(borne, 5);
}

TEST(Http2Floods, H03_H04_a_head_in_endless_pieces_ends_the_connection) {
  for (const std::string& piece : {std::string(), literal_field("a", "b")}) {
    Counting counting;
    Served served(counting.handler());
    served.greet();
    std::string bytes = frame(kHeaders, 0, 1, block_of(get()));
    for (int i = 0; i < 1000; ++i) bytes += frame(kContinuation, 0, 1, piece);
    served.send(bytes);
    const Lines lines = served.take();
    ASSERT_FALSE(lines.empty());
    EXPECT_TRUE(lines.back().starts_with("GOAWAY")) << lines.back();
    EXPECT_EQ(counting.served, 0);
  }
}

TEST(Http2Floods, a_head_within_its_limit_may_come_in_as_many_pieces_as_it_needs) {
  Counting counting;
  ServerSessionOptions options;
  options.limits.head_bytes = 512 * 1024;
  Served served(counting.handler(), options);
  served.greet();
  std::string bytes = frame(kHeaders, 1, 1, block_of(get()));
  // A field whose value is 16,000 octets long (RFC 7541 §5.1, §6.2.2).
  const std::string field = std::string("\x00\x01x\x7f\x81\x7c", 6) + std::string(16'000, 'v');
  for (int i = 0; i < 30; ++i) bytes += frame(kContinuation, i == 29 ? kEndHeaders : 0, 1, field);
  served.send(bytes);
  EXPECT_EQ(counting.served, 1);
}

TEST(Http2Floods, H05_to_H10_frames_that_bring_nothing_end_the_connection) {
  const std::string open = headers(1, post(), false);
  const std::pair<const char*, std::string> floods[] = {
      {"H05 PING", frame(kPing, 0, 0, "12345678")},
      {"H05 PING ack", frame(kPing, 1, 0, "12345678")},
      {"H06 SETTINGS", frame(kSettings, 0, 0, "")},
      {"H08 DATA", frame(kData, 0, 1, "")},
      {"H08 padded DATA", frame(kData, 8, 1, std::string("\0", 1))},
      {"H09 PRIORITY", frame(kPriority, 0, 1, std::string("\0\0\0\0\1", 5))},
      {"H10 WINDOW_UPDATE", window_update(1, 1)},
      {"unknown", frame(kUnknown, 0, 0, "")},
  };
  for (const auto& [name, flood] : floods) {
    SCOPED_TRACE(name);
    Counting counting;
    ServerSessionOptions options;
    options.http2.stream_window = 1u << 20;
    Served served(counting.handler(), options, 16u << 20);
    served.greet();
    served.send(open);
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += flood;
    std::size_t sent = 0;
    while (!served.client->peer_ended() && ++sent < 2000) served.send(bytes);
    EXPECT_LT(sent, 2000u);
    const std::vector<std::string> frames = served.take();
    ASSERT_FALSE(frames.empty());
    EXPECT_TRUE(frames.back().starts_with("GOAWAY"));
    served.loop->advance(2s);
    EXPECT_TRUE(served.over());
  }
}

TEST(Http2Floods, H06_settings_with_more_entries_than_there_are_names_end_the_connection) {
  Counting counting;
  Served served(counting.handler());
  served.greet();
  std::string entries;
  for (int i = 0; i < 33; ++i) entries += setting(4, 100);
  served.send(frame(kSettings, 0, 0, entries));
  EXPECT_EQ(served.take(), Lines{"GOAWAY 0 ENHANCE_YOUR_CALM"});
}

/// A library of gRPC makes a frame of each message.
TEST(Http2Floods, H12_pieces_of_one_octet_are_a_body_and_leave_each_turn_to_others_too) {
  Counting counting;
  Served served(counting.handler());
  served.greet();
  served.send(headers(1, post(), false));
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += frame(kData, 0, 1, "x");
  for (int i = 0; i < 200; ++i) served.send(many);
  EXPECT_FALSE(served.client->peer_ended());
  served.send(frame(kData, kEndStream, 1, "x"));
  EXPECT_EQ(counting.served, 1);
  EXPECT_EQ(counting.open, 0);
}

TEST(Http2Floods, H13_a_head_that_unpacks_to_far_more_ends_the_connection) {
  Counting counting;
  Served served(counting.handler());
  served.greet();
  const std::string large = std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  served.send(frame(kHeaders, 5, 1, block_of(get()) + large + std::string(12'000, '\xbe')));
  EXPECT_EQ(served.take(), Lines{"GOAWAY 1 ENHANCE_YOUR_CALM"});
  EXPECT_EQ(counting.served, 0);
}

TEST(Http2Floods, H16_a_head_that_does_not_end_ends_the_connection_in_time) {
  Counting counting;
  Served served(counting.handler());
  served.greet();
  served.send(frame(kHeaders, 0, 1, block_of(get())));
  served.loop->advance(9s);
  EXPECT_EQ(served.take(), Lines{});
  served.loop->advance(2s);
  EXPECT_EQ(served.take(), Lines{"GOAWAY 1 ENHANCE_YOUR_CALM"});
}

}  // namespace
}  // namespace weft::http::h2
