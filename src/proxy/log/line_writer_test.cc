#include "proxy/log/line_writer.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

TEST(LineWriter, pieces_of_every_size_come_whole_and_in_order) {
  std::string out = "before ", expected = out;
  {
    LineWriter line(out);
    for (std::size_t size = 0; size < 1200; size += 7) {
      const std::string piece(size, static_cast<char>('a' + size % 26));
      line.add(piece);
      line.add('.');
      line.add_number(size);
      expected += piece + "." + std::to_string(size);
    }
    line.flushed() += " directly ";
    line.add("and on");
    expected += " directly and on";
  }
  EXPECT_EQ(out, expected);
}

TEST(LineWriter, the_value_of_a_field_keeps_tabs_and_loses_what_would_end_it) {
  std::string out;
  {
    LineWriter line(out);
    line.add_field_value("a\tb\r\nc\x7f\"\xff");
  }
  EXPECT_EQ(out, "a\tb  c \"\xff");
}

}  // namespace
}  // namespace weft::proxy
