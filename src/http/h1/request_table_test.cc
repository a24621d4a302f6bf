#include <gtest/gtest.h>

#include "http/h1/body_decoder.h"
#include "http/h1/head_parser.h"

namespace weft::http::h1 {
namespace {

struct Row {
  std::string name;
  std::string bytes;
  int status;  ///< 0: taken
  std::string body = {};
  std::string rest = {};  ///< bytes that belong to the next message
};

struct Outcome {
  int status = 0;
  bool head_done = false, body_done = false;
  std::string body, rest, method, path, authority;
  std::vector<std::pair<std::string, std::string>> fields;
  bool operator==(const Outcome&) const = default;
};

/// Everything the codec says of `bytes` when they arrive as `bytes[0, cut)` and then the rest.
Outcome read(std::string_view bytes, std::size_t cut) {
  Outcome outcome;
  const Limits limits;
  RequestParser parser(limits);
  BodyDecoder decoder(limits);
  RequestHead head;
  parser.start(head);
  std::string waiting;
  for (const std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    waiting += piece;
    if (!outcome.head_done) {
      const HeadStep step = parser.feed(waiting);
      waiting.erase(0, step.consumed);
      if (step.rejection) {
        outcome.status = step.rejection.status;
        return outcome;
      }
      if (!step.done) continue;
      outcome.head_done = true;
      decoder.start(parser.framing());
      outcome.method = head.method;
      outcome.path = head.path;
      outcome.authority = head.authority;
      for (const Headers::Field field : head.headers) outcome.fields.emplace_back(field.name, field.value);
    }
    while (!waiting.empty() && !decoder.done()) {
      const BodyStep step = decoder.decode(waiting);
      outcome.body += step.data;
      waiting.erase(0, step.consumed);
      if (step.rejection) {
        outcome.status = step.rejection.status;
        return outcome;
      }
      if (step.consumed == 0) break;
    }
  }
  outcome.body_done = outcome.head_done && decoder.done();
  outcome.rest = waiting;
  return outcome;
}

const std::string kHost = "Host: a\r\n";

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + kHost + fields + "\r\n"; }
std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST / HTTP/1.1\r\n" + kHost + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::vector<Row> framing_rows() {
  std::vector<Row> rows{
      {"A01", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"A01", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {"A02", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"A03", post("Content-Length: 5, 5\r\n"), 400},
      {"A03", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"A05", post("Content-Length:\r\n"), 400},
      {"A05", post("Content-Length:\r\nContent-Length: 5\r\n"), 400},
      {"A06", post("Content-Length: 18446744073709551617\r\n"), 400},
      {"A06", post("Content-Length: 9223372036854775808\r\n"), 400},
      {"A07", post("Content-Length: 010\r\n", "0123456789next"), 0, "0123456789", "next"},
      {"A08", post("Transfer-Encoding: chunked, gzip\r\n"), 400},
      {"A08", post("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"A09", post("Transfer-Encoding: gzip\r\n"), 501},
      {"A09", post("Transfer-Encoding: identity\r\n"), 501},
      {"A10", post("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"A10", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"A12", post("tRANSFER-eNCODING: cHuNkEd\r\n", "5\r\nhello\r\n0\r\n\r\n"), 0, "hello"},
      {"A13", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"A16", post("Transfer_Encoding: chunked\r\n"), 400},
      {"A16", post("Content_Length: 5\r\n"), 400},
  };
  for (const char* value : {"+5", "-5", "0x5", "5_0", "5;a", "5 5", "5,", "\xd9\xa5"})
    rows.push_back({"A04", post("Content-Length: " + std::string(value) + "\r\n"), 400});
  for (const char* value : {"xchunked", "\"chunked\"", "chunked;a=1", ",chunked", "chunked\x0b",
                            "\xa0"
                            "chunked",
                            "chunked, xchunked"})
    rows.push_back({"A11", post("Transfer-Encoding: " + std::string(value) + "\r\n"), 400});
  return rows;
}

std::vector<Row> syntax_rows() {
  std::vector<Row> rows{
      {"A14", get("X-A : b\r\n"), 400},
      {"A14", get("X-A\t: b\r\n"), 400},
      {"A15", get("X-A: b\r\n c\r\n"), 400},
      {"A15", post("Transfer-Encoding:\r\n chunked\r\n"), 400},
      {"A17", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"A17", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"A18", get("X-A: b\rc\r\n"), 400},
      {"A18", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\rX", 400},
      {"A19", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"A20", get("nocolon\r\n"), 400},
      {"A20", "GET / HTTP/1.1\r\nHo\r\nst: a\r\n\r\n", 400},
      {"A21", "\r\n" + get(""), 0},
      {"A21 twice", "\r\n\r\n" + get(""), 400},
      {"A23", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"A23", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"A23", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"A24", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0},
      {"A25", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"A25", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505},
      {"A27", "GET /\r\n", 400},
      {"A28", "G=\":<> / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"A28", std::string(1024, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"A33", get("Expect: y 100-continue\r\n"), 417},
      {"A33", "GET / HTTP/1.0\r\nHost: a\r\nExpect: other\r\n\r\n", 0},
      {"F13", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 1\r\n\r\na", 400},
      {"F13", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"F13 none", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\nab", 0, "", "ab"},
      {"A35", get("") + "GET / HTTP/1.1\r\n", 0, "", "GET / HTTP/1.1\r\n"},
      {"B01", "GET / HTTP/1.1\r\n\r\n", 400},
      {"B01", "GET / HTTP/1.0\r\n\r\n", 0},
      {"B01", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 0},
      {"B01", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"B02", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"B02", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"B05", get(": v\r\n"), 400},
      {"B06", get(std::string("X-A: b\0c\r\n", 10)), 400},
      {"B15", get("Connection: x-request-id\r\n"), 400},
  };
  for (const char* version : {"HTTP/1.10", "HTTP/01.1", "HTTP/+1.1", "http/1.1", "HTTP/4294967297.1"})
    rows.push_back({"A26", "GET / " + std::string(version) + "\r\nHost: a\r\n\r\n", 400});
  for (const char* host :
       {"Host: a\r\nHost: b\r\n", "Host: a, b\r\n",    "Host: a b\r\n",    "Host: u@b\r\n",
        "Host: a/b\r\n",          "Host: a:b:c:d\r\n", "Host: a:b\r\n",    "Host: a:123456\r\n",
        "Host: :80\r\n",          "Host: [::1\r\n",    "Host: [::1]x\r\n", "Host: [::1]:x\r\n",
        "Host: [1.2.3.4]\r\n",    "Host: ::1\r\n",     "Host: a]\r\n",     "Host: a%2\r\n",
        "Host: a%zz\r\n",         "Host: a#b\r\n",     "Host: a|b^{}\r\n", "Host: a\"b\r\n"})
    rows.push_back({"B01", "GET / HTTP/1.1\r\n" + std::string(host) + "\r\n", 400});
  for (const char* host :
       {"a", "a:", "a:80", "[::1]", "[::ffff:1.2.3.4]:80", "1.2.3.4:65535", "a%20b", "a_b~!$&'()*+;=", ""})
    rows.push_back({"B01", "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", 0});
  for (const char* target :
       {"http://a|b^{}/", "http://a#b/", "http://a:b:c/", "http://u@a/", "http:///", "http://[::1/"})
    rows.push_back({"B02", "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n", 400});
  for (const auto& [target, status] : {std::pair{"a", 400},
                                       {"a:", 400},
                                       {"[::1]", 400},
                                       {"*", 400},
                                       {"/", 400},
                                       {"a:80", 0},
                                       {"[::1]:80", 0}})
    rows.push_back({"B01", "CONNECT " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n", status});
  for (const char* target : {"/a#x", "/#", "*#", "http://a/b#c"})
    rows.push_back({"B16", "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n", 400});
  for (const char* target : {"/a\"b", "/a\\b", "/a{b}?c|d^e`f"})
    rows.push_back({"B17", "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n", 0});
  std::string names;
  for (int i = 0; i <= 100; ++i) names += "a,";
  rows.push_back({"B12", get("Connection: " + names + "\r\n"), 431});
  for (const char c : {'\x01', '\x08', '\x0b', '\x1f', '\x7f'})
    rows.push_back({"B07", get("X-A: b" + std::string(1, c) + "c\r\n"), 400});
  for (const char c : {' ', '"', '(', '\x80', '\xff'})
    rows.push_back({"B08", get("X" + std::string(1, c) + "A: b\r\n"), 400});
  return rows;
}

std::vector<Row> chunk_rows() {
  std::vector<Row> rows{
      {"D01", chunked("11111111111111111\r\n"), 400},
      {"D01", chunked("ffffffffffffffff\r\n"), 400},
      {"D03", chunked("\r\nhello\r\n0\r\n\r\n"), 400},
      {"D04", chunked("5;\r\nhello\r\n0\r\n\r\n"), 400},
      {"D05", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400},
      {"D05", chunked("5;a\nhello\r\n0\r\n\r\n"), 400},
      {"D05", chunked(std::string("5;a\0b\r\nhello\r\n0\r\n\r\n", 19)), 400},
      {"D05", chunked("5\nhello\r\n0\r\n\r\n"), 400},
      {"D06", chunked("5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"), 400},
      {"D08", chunked("5\r\nhello!\r\n0\r\n\r\n"), 400},
      {"D09", chunked("5\r\nhello\n0\r\n\r\n"), 400},
      {"D09", chunked("5\r\nhelloXX0\r\n\r\n"), 400},
      {"D12", chunked(std::string(1024, '0') + "\r\n\r\n"), 400},
      {"D13", chunked("5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n"), 0, "hello"},
      {"D14", chunked("5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\nnext"), 0, "hello", "next"},
      {"D13", chunked("5;a=\"\\\"x\\\\\"\r\nhello\r\n0\r\n\r\n"), 0, "hello"},
      {"D06", chunked("5;a=\"\\\r\n\"\r\nhello\r\n0\r\n\r\n"), 400},
      {"D05", chunked("0\r\nX Y: a\r\n\r\n"), 400},
      {"D05", chunked("0\r\n: a\r\n\r\n"), 400},
      {"D05", chunked("0\r\nX: a\x01\r\n\r\n"), 400},
      {"D05", chunked("0\r\nX: a\rb\r\n\r\n"), 400},
      {"D16", chunked("0\r\n\r\n"), 0},
  };
  for (const char* size : {"0x5", "+5", "-5", "5_0", " 5", "5\t", "5g"})
    rows.push_back({"D02", chunked(std::string(size) + "\r\nhello\r\n0\r\n\r\n"), 400});
  return rows;
}

void expect_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Outcome whole = read(row.bytes, row.bytes.size());
    EXPECT_EQ(whole.status, row.status) << row.name << ": " << row.bytes;
    if (row.status == 0) {
      EXPECT_TRUE(whole.body_done) << row.name << ": " << row.bytes;
      EXPECT_EQ(whole.body, row.body) << row.name;
      EXPECT_EQ(whole.rest, row.rest) << row.name;
    }
    for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
      const Outcome cut_in_two = read(row.bytes, cut);
      ASSERT_EQ(cut_in_two.status, whole.status) << row.name << " cut at " << cut << ": " << row.bytes;
      if (row.status == 0)
        ASSERT_TRUE(cut_in_two == whole) << row.name << " cut at " << cut << ": " << row.bytes;
    }
  }
}

TEST(RequestTable, what_could_be_framed_in_two_ways_is_rejected_at_every_split_point) {
  expect_rows(framing_rows());
}
TEST(RequestTable, what_breaks_the_grammar_is_rejected_at_every_split_point) { expect_rows(syntax_rows()); }
TEST(RequestTable, chunks_are_taken_exactly_or_rejected_at_every_split_point) { expect_rows(chunk_rows()); }

TEST(RequestTable, b02_an_absolute_target_replaces_the_host) {
  const Outcome outcome = read("GET http://real:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n", 9);
  EXPECT_EQ(outcome.authority, "real:81");
  EXPECT_EQ(outcome.path, "/p?q");
}

TEST(RequestTable, b15_fields_that_connection_names_are_removed) {
  const Outcome outcome = read(get("Connection: x-user, close\r\nX-User: me\r\nX-Kept: yes\r\n"), 3);
  ASSERT_EQ(outcome.fields.size(), 1u);
  EXPECT_EQ(outcome.fields[0].first, "X-Kept");
}

TEST(RequestTable, b15_fields_of_the_connection_do_not_reach_the_next_and_an_upgrade_is_told) {
  const std::string bytes =
      get("TE: gzip, deflate\r\nKeep-Alive: 5\r\nProxy-Connection: a\r\nTrailer: b\r\nUpgrade: one\r\n"
          "Connection: upgrade\r\nUpgrade: two\r\n");
  EXPECT_TRUE(read(bytes, 30).fields.empty());
  for (const char* said : {"TE: Trailers\r\n", "TE: trailers, gzip\r\n", "TE: trailers\r\nTE: gzip\r\n",
                           "TE: gzip\r\nTE: deflate;q=0.5,trailers\r\n"}) {
    const Outcome te = read(get(said), 20);
    ASSERT_EQ(te.fields.size(), 1u) << said;
    EXPECT_EQ(te.fields[0].second, "trailers");
  }
  const Limits limits;
  RequestParser parser(limits);
  RequestHead head;
  parser.start(head);
  ASSERT_TRUE(parser.feed(bytes).done);
  EXPECT_EQ(head.upgrade, "one, two");
}

TEST(RequestTable, b11_a_request_line_over_the_limit_gets_414_however_it_is_cut) {
  const std::string bytes = "GET /" + std::string(70 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::size_t cut : {std::size_t{1}, std::size_t{100}, std::size_t{59'000}, bytes.size() - 3})
    EXPECT_EQ(read(bytes, cut).status, 414) << cut;
}

TEST(RequestTable, b11_b12_heads_over_a_limit_get_431_and_no_truncated_name) {
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "X-" + std::to_string(i) + ": a\r\n";
  for (const std::string& bytes :
       {get(std::string(70 * 1024, 'X') + ": v\r\n"), get("X-A: " + std::string(1 << 20, 'v') + "\r\n"),
        get(fields), get("X-A: " + std::string(60 * 1024 + 1, 'v') + "\r\n")})
    for (const std::size_t cut : {std::size_t{1}, std::size_t{100}, std::size_t{59000}, bytes.size() - 3})
      EXPECT_EQ(read(bytes, std::min(cut, bytes.size())).status, 431)
          << bytes.substr(0, 80) << " cut at " << cut;
}

TEST(RequestTable, d07_extensions_have_a_limit_over_the_whole_body) {
  EXPECT_EQ(read(chunked("5;" + std::string(17000, 'a') + "\r\n"), 40).status, 400);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "1;abcdefghi\r\nx\r\n";
  EXPECT_EQ(read(chunked(many), 40).status, 400);
}

TEST(RequestTable, an_unfinished_line_is_looked_at_once) {
  const Limits limits;
  RequestParser parser(limits);
  RequestHead head;
  parser.start(head);
  std::string bytes = "GET / HTTP/1.1\r\nX-A: ";
  std::size_t consumed = parser.feed(bytes).consumed;
  bytes.erase(0, consumed);
  for (int i = 0; i < 1000; ++i) {
    bytes += 'v';
    EXPECT_FALSE(parser.feed(bytes).rejection);
  }
  bytes += "\r\nHost: a\r\n\r\n";
  EXPECT_TRUE(parser.feed(bytes).done);
  EXPECT_EQ(head.headers.get("x-a")->size(), 1000u);
}

TEST(RequestTable, an_options_target_without_a_path_asks_about_the_server) {
  const Limits limits;
  for (const auto& [target, path] :
       {std::pair{"*", "*"}, {"http://a", "*"}, {"http://a/", "/"}, {"http://a?b", "/?b"}}) {
    RequestParser parser(limits);
    RequestHead head;
    parser.start(head);
    ASSERT_TRUE(parser.feed("OPTIONS " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n").done)
        << target;
    EXPECT_EQ(head.path, path);
  }
}

}  // namespace
}  // namespace weft::http::h1
