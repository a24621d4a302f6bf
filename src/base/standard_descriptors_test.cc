#include "base/standard_descriptors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace weft {
namespace {

bool is_null(int descriptor) {
  struct stat of_it{}, of_null{};
  return ::fstat(descriptor, &of_it) == 0 && ::stat("/dev/null", &of_null) == 0 &&
         of_it.st_rdev == of_null.st_rdev;
}

/// In a child, which has the streams of `closed` closed; what it finds is its exit code.
int found_in_a_child(int closed) {
  const pid_t child = ::fork();
  if (child == 0) {
    struct stat before{};
    const int kept = closed == STDIN_FILENO ? STDOUT_FILENO : STDIN_FILENO;
    ::fstat(kept, &before);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      if (stream == closed || closed < 0) ::close(stream);
    open_standard_descriptors();
    bool right = closed < 0 ? is_null(0) && is_null(1) && is_null(2) : is_null(closed);
    struct stat after{};
    ::fstat(kept, &after);
    if (closed >= 0) right = right && before.st_ino == after.st_ino && before.st_dev == after.st_dev;
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardDescriptors, that_are_closed_are_opened_and_others_are_left_alone) {
  for (const int closed : {-1, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    EXPECT_EQ(found_in_a_child(closed), 0) << closed;
}

}  // namespace
}  // namespace weft
