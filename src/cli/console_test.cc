#include "cli/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/standard_output.h"
#include "cli/testing/fake_console.h"
#include "net/socket.h"

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

/// What a process says that has written to `target` as its standard output; empty: nothing was lost.
std::string lost_at(net::Fd target) {
  int said[2];
  EXPECT_EQ(::pipe(said), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    ::dup2(target.get(), STDOUT_FILENO);
    make_process_console()->out("lost\n");
    const bool known = !standard_output_written();
    const auto closed = close_standard_output();
    const std::string text = closed ? "" : (known ? "" : "late: ") + closed.error().text;
    ::_exit(::write(said[1], text.data(), text.size()) < 0 ? 1 : 0);
  }
  ::close(said[1]);
  char text[256];
  const ssize_t got = ::read(said[0], text, sizeof text);
  ::close(said[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0);
}

TEST(Console, SaysWhenStandardOutputCannotBeWritten) {
  EXPECT_EQ(lost_at(net::Fd(::open("/dev/full", O_WRONLY | O_CLOEXEC))),
            "standard output cannot be written: No space left on device");
  EXPECT_EQ(lost_at(net::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC))), "");
}

TEST(Console, TakesAClosedReaderForNoError) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(lost_at(net::Fd(ends[1])), "");
}

}  // namespace
}  // namespace weft::cli
