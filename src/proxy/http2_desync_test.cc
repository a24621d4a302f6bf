#include <gtest/gtest.h>

#include "http/testing/http2_peer.h"
#include "proxy/testing/framed_client.h"
#include "proxy/testing/plane.h"

/// What an HTTP/2 client says, and an HTTP/1 endpoint could take for something else: more requests than one,
/// or another one. Rows E, G and H of docs/bad-input.md from end to end.
namespace weft::proxy {
namespace {

using namespace testing;
using http::testing::Fields;
using http::testing::frame;
using http::testing::get;
using http::testing::headers;
using http::testing::kData;
using http::testing::kEndStream;
using http::testing::post;
using http::testing::with;

constexpr std::string_view kWholeRequest = "GET /stolen HTTP/1.1\r\nhost: b\r\n\r\n";

enum class Outcome : std::uint8_t {
  kNothing,     ///< no byte of it goes upstream
  kUnfinished,  ///< never a whole request, on a connection that ends; or nothing
  kAtMostOne,   ///< as kUnfinished; or that one, with that body, and nothing behind it
  kOne,         ///< one request, with that body
};
struct Row {
  std::string name;
  std::string frames;  ///< on stream 1
  Outcome outcome = Outcome::kNothing;
  std::string body = {};
  std::string absent = {};  ///< no field of that name goes upstream
};

std::string body_of(std::string_view bytes, bool end = true) {
  return frame(kData, end ? kEndStream : 0, 1, bytes);
}

Fields changed(Fields fields, std::string_view name, const std::string& value) {
  for (auto& [each, old] : fields)
    if (each == name) old = value;
  return fields;
}

/// Bytes that end a line, a word or a string in HTTP/1 or in a server, in each place where a client can write
/// some.
std::vector<Row> rows_of_bytes() {
  std::vector<Row> rows;
  const std::vector<std::pair<std::string, std::string>> bytes = {
      {"CR", "\r"},
      {"LF", "\n"},
      {"NUL", std::string(1, '\0')},
      {"space", " "},
      {"line", "\r\nx-stolen: 1"},
      {"request", " HTTP/1.1\r\nhost: b\r\n\r\n" + std::string(kWholeRequest)}};
  for (const auto& [name, text] : bytes) {
    for (const std::string_view pseudo : {":method", ":path", ":authority", ":scheme"}) {
      const std::string usual = pseudo == ":method"      ? "GET"
                                : pseudo == ":path"      ? "/a"
                                : pseudo == ":authority" ? "h"
                                                         : "http";
      rows.push_back({std::string(pseudo) + " with " + name,
                      headers(1, changed(get(), pseudo, usual + text + "b"), true)});
    }
    rows.push_back({"name with " + name, headers(1, with(get(), "x" + text + "y", "1"), true)});
    if (name != "space" && name != "request")
      rows.push_back({"value with " + name, headers(1, with(get(), "x", "a" + text + "b"), true)});
  }
  rows.push_back({"path that is a request line", headers(1, get("/a HTTP/1.1\r\nHost: b"), true)});
  rows.push_back({"value that is a request", headers(1, with(get(), "x", "a\r\n\r\nGET / HTTP/1.1"), true)});
  rows.push_back({"value that ends in CR", headers(1, with(get(), "x", "a\r"), true)});
  rows.push_back({"cookie with a line", headers(1, with(get(), "cookie", "a\r\nx-stolen: 1"), true)});
  rows.push_back({"name with a colon", headers(1, with(get(), "transfer-encoding:x", "chunked"), true)});
  rows.push_back({"name in upper case", headers(1, with(get(), "Transfer-Encoding", "chunked"), true)});
  rows.push_back({"scheme with an authority", headers(1, changed(get(), ":scheme", "http://b/?x="), true)});
  return rows;
}

std::vector<Row> rows_of_heads() {
  const std::string hello = body_of("hello");
  const auto head = [](const Fields& fields) { return headers(1, fields, false); };
  return {
      {"transfer-encoding", head(with(post(), "transfer-encoding", "chunked")) + hello},
      {"transfer-encoding with a length",
       head(with(with(post(), "content-length", "5"), "transfer-encoding", "chunked")) + hello},
      {"transfer_encoding", head(with(post(), "transfer_encoding", "chunked")) + hello},
      {"connection", headers(1, with(get(), "connection", "x"), true)},
      {"connection that keeps", headers(1, with(get(), "connection", "keep-alive"), true)},
      {"keep-alive", headers(1, with(get(), "keep-alive", "timeout=5"), true)},
      {"proxy-connection", headers(1, with(get(), "proxy-connection", "close"), true)},
      {"upgrade", headers(1, with(get(), "upgrade", "websocket"), true)},
      {"host other than :authority", headers(1, with(get(), "host", "b"), true)},
      {"two hosts", headers(1, with(with(get(), "host", "h"), "host", "b"), true)},
      {"two lengths", head(with(with(post(), "content-length", "5"), "content-length", "0")) + hello},
      {"a list of lengths", head(with(post(), "content-length", "5, 5")) + hello},
      {"a length with a sign", head(with(post(), "content-length", "+5")) + hello},
      {"a length over 2^64", head(with(post(), "content-length", "18446744073709551621")) + hello},
      {"host as :authority", headers(1, with(get(), "host", "h"), true), Outcome::kOne},
      {"value with a space", headers(1, with(get(), "x", "a b"), true), Outcome::kOne},
      {"trailer field", headers(1, with(get(), "trailer", "x"), true), Outcome::kOne, "", "trailer"},
      {"expect", head(with(post(), "expect", "100-continue")) + hello, Outcome::kOne, "hello"},
  };
}

std::vector<Row> rows_of_bodies() {
  const std::string whole(kWholeRequest), size = std::to_string(whole.size());
  const auto head = [](const Fields& fields) { return headers(1, fields, false); };
  const auto trailers = [](const std::string& name, const std::string& value) {
    return headers(1, post(), false) + body_of("hello", false) + headers(1, {{name, value}}, true);
  };
  return {
      {"length over the data", head(with(post(), "content-length", "9")) + body_of("hello"),
       Outcome::kUnfinished},
      {"length without data", headers(1, with(post(), "content-length", "5"), true)},
      {"length 0 with data", head(with(post(), "content-length", "0")) + body_of(whole), Outcome::kAtMostOne},
      {"length under the data", head(with(post(), "content-length", "2")) + body_of("he" + whole),
       Outcome::kAtMostOne, "he"},
      {"length of GET over the data", head(with(get(), "content-length", "99")) + body_of("x"),
       Outcome::kUnfinished},
      {"body that is a request", head(post()) + body_of(whole), Outcome::kOne, whole},
      {"body that is a request with its length", head(with(post(), "content-length", size)) + body_of(whole),
       Outcome::kOne, whole},
      {"GET with a body that is a request", head(get()) + body_of(whole), Outcome::kOne, whole},
      {"GET with a body and its length", head(with(get(), "content-length", size)) + body_of(whole),
       Outcome::kOne, whole},
      {"body that is a last chunk", head(post()) + body_of("0\r\n\r\n" + whole), Outcome::kOne,
       "0\r\n\r\n" + whole},
      {"body in two frames", head(post()) + body_of("he", false) + body_of("llo"), Outcome::kOne, "hello"},
      {"empty frame at the end", head(post()) + body_of("hello", false) + body_of(""), Outcome::kOne,
       "hello"},
      {"trailers with another length", trailers("content-length", "0"), Outcome::kUnfinished},
      {"trailers with its length", trailers("content-length", "5"), Outcome::kOne, "hello", "content-length"},
      {"trailers host", trailers("host", "b"), Outcome::kOne, "hello", ""},
      {"trailers transfer-encoding", trailers("transfer-encoding", "chunked"), Outcome::kUnfinished},
      {"trailers connection", trailers("connection", "close"), Outcome::kUnfinished},
      {"trailers with a line", trailers("x", "a\r\n\r\n" + whole), Outcome::kUnfinished},
  };
}

/// A client of HTTP/2, the plane, and an endpoint of HTTP/1 that counts.
struct Line {
  Line() {
    WEFT_ASSERT(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {simulated_endpoint(1)})}));
    client = std::make_unique<FramedClient>(plane);
  }
  SimulatedPlane plane;
  CountingUpstream upstream{plane};
  std::unique_ptr<FramedClient> client;
};

void expect_one(const Row& row, const CountingUpstream& upstream, const std::string& heard) {
  ASSERT_EQ(upstream.requests.size(), 1u) << upstream.raw();
  const SeenRequest& seen = upstream.requests.front();
  EXPECT_TRUE(seen.line == "GET / HTTP/1.1" || seen.line == "POST / HTTP/1.1") << seen.line;
  EXPECT_EQ(seen.body, row.body);
  EXPECT_EQ(seen.count("host"), 1u);
  EXPECT_LE(seen.count("content-length") + seen.count("transfer-encoding"), 1u) << upstream.raw();
  if (!row.absent.empty()) EXPECT_EQ(seen.count(row.absent), 0u) << upstream.raw();
  EXPECT_NE(heard.find("HEADERS 1 :status=200"), heard.npos) << heard;
}

/// What has become of the row's own request.
void expect_outcome(const Row& row, const CountingUpstream& upstream, const std::string& heard) {
  if (row.outcome == Outcome::kOne) return expect_one(row, upstream, heard);
  const bool rejected = heard.find("RST_STREAM 1") != heard.npos || heard.find(":status=4") != heard.npos;
  EXPECT_TRUE(rejected) << heard;
  EXPECT_LE(upstream.requests.size(), row.outcome == Outcome::kAtMostOne ? 1u : 0u) << upstream.raw();
  for (const SeenRequest& seen : upstream.requests) EXPECT_EQ(seen.body, row.body);
  if (row.outcome == Outcome::kNothing) EXPECT_EQ(upstream.raw(), "");
  for (const auto& connection : upstream.connections)
    EXPECT_TRUE(connection.ended || connection.understood == connection.raw.size())
        << "half a request, and room for another: " << connection.raw;
}

void run(const Row& row, std::size_t step) {
  Line line;
  line.client->say(row.frames, step);
  expect_outcome(row, line.upstream, line.client->heard());
  const std::size_t before = line.upstream.requests.size();
  line.client->say(headers(3, get("/honest"), true), step);
  const std::string heard = line.client->heard();
  ASSERT_EQ(line.upstream.requests.size(), before + 1) << line.upstream.raw();
  EXPECT_EQ(line.upstream.requests.back().line, "GET /honest HTTP/1.1");
  EXPECT_NE(heard.find("HEADERS 3 :status=200"), heard.npos) << heard;
  EXPECT_NE(heard.find("DATA 3 end 7 /honest"), heard.npos) << heard;
  for (const auto& connection : line.upstream.connections)
    EXPECT_TRUE(connection.ended || connection.understood == connection.raw.size()) << connection.raw;
}

void run_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (const std::size_t step : {FramedClient::kWhole, std::size_t{1}}) {
      SCOPED_TRACE(row.name + (step == 1 ? ", byte by byte" : ""));
      run(row, step);
    }
  }
}

TEST(Http2Desync, bytes_that_end_a_line_or_a_word_in_http_1_go_nowhere) { run_all(rows_of_bytes()); }

TEST(Http2Desync, a_head_is_rejected_or_is_one_request_with_one_framing) { run_all(rows_of_heads()); }

TEST(Http2Desync, a_body_is_the_body_of_one_request_and_never_another_request) { run_all(rows_of_bodies()); }

}  // namespace
}  // namespace weft::proxy
