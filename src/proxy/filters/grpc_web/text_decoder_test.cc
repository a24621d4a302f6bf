#include "proxy/filters/grpc_web/text_decoder.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

/// What the text decodes to, in pieces of `step`; "rejected"; or with "..." behind it where it may not end.
std::string decoded(std::string_view text, std::size_t step = 1) {
  TextDecoder decoder;
  std::string into;
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
    if (!decoder.decode(text.substr(0, step), into)) return "rejected";
  return decoder.whole() ? into : into + "...";
}

TEST(TextDecoder, decodes_a_text_wherever_it_is_cut) {
  for (std::size_t step = 1; step < 20; ++step)
    EXPECT_EQ(decoded("aGVsbG8gd29ybGQh", step), "hello world!") << step;
  EXPECT_EQ(decoded(""), "");
}

TEST(TextDecoder, padding_ends_a_group_and_not_the_text) {
  EXPECT_EQ(decoded("YQ=="), "a");
  EXPECT_EQ(decoded("YWI="), "ab");
  EXPECT_EQ(decoded("YQ==YWI=YWJj"), "aababc");
}

TEST(TextDecoder, a_group_that_is_not_over_is_no_end) {
  for (const char* text : {"Y", "YQ", "YWI", "YQ=", "YWJjY"})
    EXPECT_TRUE(decoded(text).ends_with("...")) << text;
}

TEST(TextDecoder, what_is_not_base64_is_rejected) {
  for (const char* text : {"=", "Y===", "YQ=a", "YW\n", "YW-_", "YW J", "\x80"})
    EXPECT_EQ(decoded(text), "rejected") << text;
}

}  // namespace
}  // namespace weft::proxy
