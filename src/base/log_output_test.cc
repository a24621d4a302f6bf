#include "base/log_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace weft::log {
namespace {

std::string read_all(int fd) {
  std::string all;
  char bytes[4096];
  ssize_t size = 0;
  while ((size = ::read(fd, bytes, sizeof bytes)) > 0) all.append(bytes, static_cast<std::size_t>(size));
  return all;
}

/// Lines that differ, so that a torn or lost one shows.
std::string numbered_lines(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += "line " + std::to_string(i) + std::string(90, '.') + "\n";
  return all;
}

TEST(LogOutput, a_pipe_without_a_reader_takes_whole_lines_until_it_is_full_and_more_when_it_is_read) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  LogOutput output(ends[1]);
  const std::string lines = numbered_lines(3000);
  const std::size_t taken = output.write(lines);
  EXPECT_EQ(output.error(), EAGAIN);
  ASSERT_GT(taken, 0u);
  ASSERT_LT(taken, lines.size());
  EXPECT_EQ(lines[taken - 1], '\n');
  EXPECT_EQ(output.write(lines.substr(taken)), 0u);
  EXPECT_EQ(::fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0) << "the mode of a descriptor that others share";
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  std::string got = read_all(ends[0]);
  EXPECT_EQ(got, lines.substr(0, taken));
  EXPECT_GT(output.write(lines.substr(taken)), 0u);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_IGN);  // as every program of ours does
  EXPECT_EQ(output.write("unread\n"), 0u);
  ::close(ends[1]);
}

TEST(LogOutput, a_fifo_without_a_reader_is_a_full_one_and_opens_when_a_reader_comes) {
  char folder[] = "/tmp/weft-fifo-XXXXXX";
  ASSERT_TRUE(::mkdtemp(folder));
  const std::string path = std::string(folder) + "/log";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  LogOutput output(path);
  EXPECT_EQ(output.write("early\n"), 0u);
  EXPECT_EQ(output.error(), ENXIO);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_EQ(output.write("late\n"), 5u);
  EXPECT_EQ(read_all(reader), "late\n");
  ::close(reader);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST(LogOutput, a_socket_whose_peer_does_not_read_takes_what_fits) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  LogOutput output(ends[1]);
  const std::string lines = numbered_lines(20'000);
  const std::size_t taken = output.write(lines);
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, lines.size());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(LogOutput, a_descriptor_that_is_redirected_is_followed) {
  int one[2], two[2];
  ASSERT_EQ(::pipe2(one, O_CLOEXEC | O_NONBLOCK), 0);
  ASSERT_EQ(::pipe2(two, O_CLOEXEC | O_NONBLOCK), 0);
  const int shared = ::fcntl(one[1], F_DUPFD_CLOEXEC, 100);
  LogOutput output(shared);
  EXPECT_EQ(output.write("first\n"), 6u);
  ASSERT_EQ(::dup3(two[1], shared, O_CLOEXEC), shared);
  EXPECT_EQ(output.write("second\n"), 7u);
  EXPECT_EQ(read_all(one[0]), "first\n");
  EXPECT_EQ(read_all(two[0]), "second\n");
  for (const int fd : {one[0], one[1], two[0], two[1], shared}) ::close(fd);
}

TEST(LogOutput, a_file_is_appended_to_and_a_path_that_cannot_be_opened_says_why) {
  char path[] = "/tmp/weft-output-XXXXXX";
  const int made = ::mkstemp(path);
  ASSERT_EQ(::write(made, "old\n", 4), 4);
  {
    LogOutput output{std::string(path)};
    EXPECT_EQ(output.write("new\n"), 4u);
    EXPECT_EQ(output.error(), 0);
  }
  ::lseek(made, 0, SEEK_SET);
  EXPECT_EQ(read_all(made), "old\nnew\n");
  ::close(made);
  ::unlink(path);
  LogOutput nowhere{std::string("/no/such/folder/log")};
  EXPECT_EQ(nowhere.write("x\n"), 0u);
  EXPECT_EQ(nowhere.error(), ENOENT);
}

TEST(LogOutput, a_file_that_was_moved_away_is_created_again_under_its_path) {
  char folder[] = "/tmp/weft-output-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/access.log", old = path + ".1";
  const auto text_of = [](const std::string& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text = fd < 0 ? "" : read_all(fd);
    ::close(fd);
    return text;
  };
  LogOutput output{path};
  EXPECT_EQ(output.write("one\n"), 4u);
  ASSERT_EQ(::rename(path.c_str(), old.c_str()), 0);
  EXPECT_EQ(output.write("two\n"), 4u);
  EXPECT_EQ(text_of(old), "one\n");
  EXPECT_EQ(text_of(path), "two\n");
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_EQ(output.write("three\n"), 6u);
  EXPECT_EQ(text_of(path), "three\n");
  for (const std::string& file : {path, old}) ::unlink(file.c_str());
  ::rmdir(folder);
}

}  // namespace
}  // namespace weft::log
