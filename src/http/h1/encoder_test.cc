#include "http/h1/encoder.h"

#include <gtest/gtest.h>

namespace weft::http::h1 {
namespace {

TEST(Encoder, writes_no_framing_but_its_own_whatever_stands_in_the_fields) {
  for (const std::string_view name : {"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive",
                                      "Trailer", "Upgrade", "Proxy-Connection"}) {
    RequestHead request;
    request.method = "POST";
    request.path = "/";
    request.authority = "h";
    request.headers.add("x", "1");
    request.headers.add(name, "3");
    std::string out;
    ASSERT_TRUE(write_request_head(out, request, BodyForm::kChunked));
    EXPECT_EQ(out, "POST / HTTP/1.1\r\nhost: h\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n") << name;
    ResponseHead response;
    response.status = 200;
    response.content_length = 5;
    response.headers.add(name, "3");
    out.clear();
    ASSERT_TRUE(write_response_head(out, response, {.body = BodyForm::kLength}));
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n") << name;
  }
}

TEST(Encoder, a_wish_to_close_may_stand_in_the_fields) {
  RequestHead request;
  request.method = "GET";
  request.path = "/";
  request.authority = "h";
  request.headers.add("connection", "close");
  std::string out;
  ASSERT_TRUE(write_request_head(out, request, BodyForm::kNone));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
}

ResponseHead response_with(std::string_view value) {
  ResponseHead head;
  head.status = 200;
  head.headers.add("x", value);
  return head;
}

TEST(Encoder, a_control_byte_anywhere_in_a_head_of_any_size_leaves_nothing_written) {
  for (std::size_t size = 1; size < 1100; size += size < 40 ? 1 : 53) {
    for (std::size_t at = 0; at < size; at += size < 40 ? 1 : 13) {
      for (const char control : {'\0', '\n', '\r', '\x1f', '\x7f'}) {
        std::string value(size, 'a');
        value[at] = control;
        std::string out = "before";
        ASSERT_FALSE(write_response_head(out, response_with(value), {})) << size << " " << at;
        ASSERT_EQ(out, "before");
      }
    }
    std::string value(size, '\xff');
    value[size / 2] = '\t';
    std::string out;
    ASSERT_TRUE(write_response_head(out, response_with(value), {})) << size;
    ASSERT_EQ(out, "HTTP/1.1 200 OK\r\nx: " + value + "\r\n\r\n");
  }
}

TEST(Encoder, a_head_has_as_many_lines_as_it_has_fields) {
  ResponseHead head;
  head.status = 200;
  std::string expected = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i) {
    const std::string value = std::to_string(i);
    head.headers.add("x", value);
    expected += "x: " + value + "\r\n";
  }
  std::string out;
  ASSERT_TRUE(write_response_head(out, head, {}));
  EXPECT_EQ(out, expected + "\r\n");
  // As many control bytes as fill any block of counting.
  for (std::size_t size = 250; size < 600; ++size) {
    std::string none;
    EXPECT_FALSE(write_response_head(none, response_with(std::string(size, '\n')), {})) << size;
  }
  // One byte too many beside all those line ends.
  head.headers.add("x", "\n");
  EXPECT_FALSE(write_response_head(out, head, {}));
}

}  // namespace
}  // namespace weft::http::h1
