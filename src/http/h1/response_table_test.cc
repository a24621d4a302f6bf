#include <gtest/gtest.h>

#include "http/h1/body_decoder.h"
#include "http/h1/head_parser.h"

namespace weft::http::h1 {
namespace {

using Asked = ResponseParser::Asked;

struct Row {
  std::string name, bytes;
  bool rejected = false;
  bool keep_alive = true;
  std::string body = {};
  Asked asked = Asked::kMessage;
};

void expect_row(const Row& row) {
  for (std::size_t cut = 0; cut <= row.bytes.size(); ++cut) {
    const Limits limits;
    ResponseParser parser(limits);
    BodyDecoder decoder(limits);
    ResponseHead head;
    parser.start(head, row.asked);
    std::string waiting, body;
    bool done = false, rejected = false;
    for (const std::string& piece : {row.bytes.substr(0, cut), row.bytes.substr(cut)}) {
      waiting += piece;
      if (!done && !rejected) {
        const HeadStep step = parser.feed(waiting);
        waiting.erase(0, step.consumed);
        rejected = static_cast<bool>(step.rejection);
        done = step.done;
        if (done) decoder.start(parser.framing());
      }
      while (done && !waiting.empty() && !decoder.done()) {
        const BodyStep step = decoder.decode(waiting);
        body += step.data;
        waiting.erase(0, step.consumed);
        if (step.rejection || step.consumed == 0) break;
      }
    }
    ASSERT_EQ(rejected, row.rejected) << row.name << " cut at " << cut << ": " << row.bytes;
    if (rejected) continue;
    ASSERT_TRUE(done) << row.name << " cut at " << cut;
    EXPECT_EQ(parser.keep_alive(), row.keep_alive) << row.name << ": " << row.bytes;
    EXPECT_EQ(body, row.body) << row.name << " cut at " << cut;
  }
}

TEST(ResponseTable, upstream_answers_are_framed_in_one_way_or_rejected_at_every_split_point) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<Row> rows{
      {"plain", ok + "Content-Length: 2\r\n\r\nok", false, true, "ok"},
      {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, true, "ok"},
      {"until close", ok + "\r\nall of it", false, false, "all of it"},
      {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, "ok"},
      {"1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", false, true,
       "ok"},
      {"close", ok + "Connection: close\r\nContent-Length: 0\r\n\r\n", false, false},
      {"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"},
      {"A37", ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false,
       false, "ok"},
      {"A38", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", true},
      {"A38", ok + "Transfer-Encoding: gzip\r\n\r\n", true},
      {"A38", ok + "X-A: b\r\n c\r\n\r\n", true},
      {"A38", "HTTP/1.1 20 OK\r\n\r\n", true},
      {"A38", "HTTP/1.1 099 OK\r\n\r\n", true},
      {"A38", "ICY 200 OK\r\n\r\n", true},
      {"A40 head", ok + "Content-Length: 2\r\n\r\n", false, true, "", Asked::kHead},
      {"tunnel", ok + "Content-Length: 2\r\n\r\n", false, false, "", Asked::kTunnel},
      {"tunnel", ok + "Transfer-Encoding: chunked\r\n\r\n", false, false, "", Asked::kTunnel},
      {"no tunnel", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false, true, "no",
       Asked::kTunnel},
      {"A38", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
      {"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", false, false},
      {"of the connection",
       ok + "Keep-Alive: timeout=5\r\nProxy-Connection: a\r\nTrailer: b\r\nContent-Length: 0\r\n\r\n"},
      {"204", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"},
  };
  for (const Row& row : rows) expect_row(row);
}

TEST(ResponseTable, a38_a_status_line_over_the_limit_is_rejected_before_it_ends) {
  const Limits limits;
  ResponseParser parser(limits);
  ResponseHead head;
  parser.start(head, Asked::kMessage);
  const HeadStep step = parser.feed("HTTP/1.1 200 " + std::string(70 * 1024, 'a'));
  EXPECT_TRUE(step.rejection);
  EXPECT_FALSE(step.done);
}

}  // namespace
}  // namespace weft::http::h1
