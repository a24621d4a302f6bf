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

}  // namespace
}  // namespace weft::http::h1
