#include "cli/console.h"

#include <gtest/gtest.h>

#include "cli/testing/fake_console.h"

namespace weft::cli {
namespace {

constexpr std::string_view kOrders = "a\x1b]0;owned\x07 \x1b[2J\r\x7f\xc2\x9b 31m\tb\n\xc3\xbc";

TEST(Console, NamesControlCharactersInsteadOfObeyingThem) {
  testing::FakeConsole console;
  console.out(kOrders);
  EXPECT_EQ(console.output, "a^[]0;owned^G ^[[2J^M^?^[[ 31m\tb\n\xc3\xbc");
  console.err(kOrders);
  EXPECT_EQ(console.errors, console.output);
}

TEST(Console, ColoursOnlyWhatPaintHasPainted) {
  testing::FakeConsole console;
  console.coloured = true;
  console.out("\x1b[32m" + paint(console, Colour::kRed, "r\x1b[0m") + "\xff");
  EXPECT_EQ(console.output, "^[[32m\x1b[31mr^[[0m\x1b[0m");
}

TEST(Console, GivesValuesToProgramsByteForByte) {
  testing::FakeConsole console;
  console.out_value(kOrders);
  EXPECT_EQ(console.output, kOrders);
  console.output.clear();
  console.terminal = true;
  console.out_value(kOrders);
  EXPECT_EQ(console.output.find('\x1b'), std::string::npos);
}

TEST(Console, LeavesAnApplicationItsColoursOnATerminalAndNothingElse) {
  testing::FakeConsole console;
  console.terminal = true;
  console.out_log("\x1b[1;31mred\x1b[0m\x1b[2Jgone\x1b[31");
  EXPECT_EQ(console.output, "\x1b[1;31mred\x1b[0m^[[2Jgone^[[31");
}

TEST(Console, RedrawsALineThatHoldsNoOrders) {
  testing::FakeConsole console;
  console.redraw("waiting for \x1b[2J");
  EXPECT_EQ(console.errors, "\r\x1b[Kwaiting for ^[[2J");
}

}  // namespace
}  // namespace weft::cli
