#include "proxy/log/format.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

std::string line_with_agent(std::string_view value) {
  http::RequestHead request;
  request.headers.add("user-agent", value);
  RequestInfo info;
  info.request = &request;
  std::string out;
  LogFormat::compile("<%REQ(USER-AGENT)%>")->append_to(out, info);
  return out;
}

TEST(LogFormat, a_byte_that_would_break_a_line_is_escaped_wherever_it_stands) {
  constexpr std::pair<char, std::string_view> kEscaped[] = {
      {'\0', "\\x00"}, {'\n', "\\x0a"},   {'\x1f', "\\x1f"}, {'"', "\\x22"},
      {'\\', "\\x5c"}, {'\x7f', "\\x7f"}, {'\x80', "\\x80"}, {'\xff', "\\xff"},
  };
  for (std::size_t size = 1; size < 70; ++size) {
    const std::string plain(size, '~');
    EXPECT_EQ(line_with_agent(plain), "<" + plain + ">");
    for (std::size_t at = 0; at < size; ++at)
      for (const auto& [byte, escaped] : kEscaped) {
        std::string value = plain;
        value[at] = byte;
        ASSERT_EQ(line_with_agent(value),
                  "<" + plain.substr(0, at) + std::string(escaped) + plain.substr(at + 1) + ">");
      }
  }
}

}  // namespace
}  // namespace weft::proxy
