#include "http/websocket.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace weft::http::websocket {
namespace {

TEST(WebSocket, the_accept_value_is_that_of_the_rfc) {
  EXPECT_EQ(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 §1.3
}

TEST(WebSocket, each_key_is_another_one_of_sixteen_bytes) {
  const std::string one = new_key(), other = new_key();
  EXPECT_EQ(decode_base64(one)->size(), 16u);
  EXPECT_NE(one, other);
}

TEST(WebSocket, its_token_is_known_in_any_letter_case) {
  EXPECT_TRUE(is_token_of("WebSocket"));
  EXPECT_FALSE(is_token_of("h2c"));
  EXPECT_FALSE(is_token_of(""));
}

}  // namespace
}  // namespace weft::http::websocket
