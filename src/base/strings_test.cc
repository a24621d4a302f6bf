#include "base/strings.h"

#include <gtest/gtest.h>

#include <array>

#include "base/text_table.h"

namespace weft {
namespace {

TEST(Strings, splitting_keeps_empty_parts_and_joining_undoes_it) {
  const auto parts = split("a,,b,", ',');
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[1], "");
  EXPECT_EQ(parts[2], "b");
  EXPECT_EQ(join(std::vector<std::string>(parts.begin(), parts.end()), ","), "a,,b,");
  EXPECT_EQ(split("", ',').size(), 1u);
}

TEST(Strings, trimming_leaves_inner_blanks) {
  EXPECT_EQ(trim("\t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Strings, a_swap_of_neighbours_is_one_edit) {
  EXPECT_EQ(edit_distance("apply", "aplpy"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("delete", "delte"), 1u);
}

TEST(Strings, the_nearest_word_is_suggested_and_a_far_one_is_not) {
  constexpr std::array<std::string_view, 4> kCommands = {"up", "apply", "delete", "describe"};
  EXPECT_EQ(nearest("aply", kCommands), "apply");
  EXPECT_EQ(nearest("Descirbe", kCommands), "describe");
  EXPECT_EQ(nearest("install", kCommands), "");
  EXPECT_EQ(nearest("xy", kCommands), "");
}

TEST(TextTable, columns_are_three_spaces_apart_and_at_least_six_wide) {
  TextTable table({"NAME", "A", "AGE"});
  table.add({"reviews-v1-7f99cc4496-abcde", "1", "5s"});
  table.add({"x", "10", "2m3s"});
  EXPECT_EQ(table.take(),
            "NAME                          A     AGE\n"
            "reviews-v1-7f99cc4496-abcde   1     5s\n"
            "x                             10    2m3s\n");
}

TEST(TextTable, later_rows_line_up_with_the_heading_printed_before_them) {
  TextTable table({"NAME", "AGE"});
  table.add({"long-name", "5s"});
  EXPECT_EQ(table.take(), "NAME        AGE\nlong-name   5s\n");
  table.add({"x", "6s"});
  EXPECT_EQ(table.take(), "x           6s\n");
}

TEST(TextTable, width_counts_characters_and_not_bytes) {
  TextTable table;
  table.add({"größer", "1"});
  table.add({"abcdef", "2"});
  EXPECT_EQ(table.take(), "größer   1\nabcdef   2\n");
}

}  // namespace
}  // namespace weft
