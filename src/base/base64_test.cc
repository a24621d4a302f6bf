#include "base/base64.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Base64, writes_and_reads_the_vectors_of_rfc_4648) {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "Zg=="},
                                                                {"fo", "Zm8="},
                                                                {"foo", "Zm9v"},
                                                                {"foob", "Zm9vYg=="},
                                                                {"fooba", "Zm9vYmE="},
                                                                {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, every_byte_comes_back) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(all)), all);
}

TEST(Base64, reads_what_others_write) {
  EXPECT_EQ(decode_base64("-_8"), "\xfb\xff");
  EXPECT_EQ(decode_base64("Zm9v\nYmFy\r\n"), "foobar");
  EXPECT_EQ(decode_base64("Zm8"), "fo");
}

TEST(Base64, rejects_what_is_not_base64) {
  for (const std::string_view text : {"a", "ab c", "Zm9v!", "Zg=", "Z===", "Zg==Zg==", "====", "äöü"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

}  // namespace
}  // namespace weft
