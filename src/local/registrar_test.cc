#include "local/registrar.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>
#include <sstream>

namespace weft::local {
namespace {

/// A registrar and the control plane's end of its channel.
class RegistrarTest : public ::testing::Test {
 protected:
  RegistrarTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours = net::Fd(ends[0]);
    theirs = net::Fd(ends[1]);
    ::fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  }
  void read() {
    char block[4096];
    for (ssize_t got = 0; (got = ::read(theirs.get(), block, sizeof block)) > 0;)
      said.append(block, static_cast<std::size_t>(got));
  }
  /// Reads until the registrar has nothing more to say.
  void read_all() {
    const TimePoint limit = SteadyClock::now() + 20s;
    do {
      loop.run_once(1ms);
      read();
    } while (registrar.waiting() > 0 && SteadyClock::now() < limit);
    read();
  }
  /// The pods that the control plane knows by what was said.
  std::set<int> known() const {
    std::set<int> pids;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::string verb;
      int pid = 0;
      fields >> verb >> pid;
      EXPECT_TRUE(verb == "add" || verb == "remove") << line;
      if (verb == "add") EXPECT_TRUE(line.ends_with(" 1 default pod account")) << line;
      if (verb == "add")
        pids.insert(pid);
      else
        pids.erase(pid);
    }
    return pids;
  }
  void add(pid_t pid) { registrar.add(pid, 1, "default", "pod", "account"); }

  net::Loop loop;
  Registrar registrar{loop};
  net::Fd ours, theirs;
  std::string said;
};

TEST_F(RegistrarTest, SaysAtOnceWhatThereIsRoomFor) {
  add(1);
  registrar.use(std::move(ours));
  add(2);
  registrar.remove(1);
  read();
  EXPECT_EQ(said, "add 1 1 default pod account\nadd 2 1 default pod account\nremove 1\n");
}

TEST_F(RegistrarTest, NeverBlocksOnAControlPlaneThatDoesNotReadAndSaysEverythingWhenItDoes) {
  constexpr int kMany = 3'000;
  std::set<int> expected;
  for (int pid = 1; pid <= kMany; ++pid) add(pid);
  registrar.use(std::move(ours));
  EXPECT_GT(registrar.waiting(), 0u);
  for (int pid = kMany + 1; pid <= kMany + 100; ++pid) add(pid);
  for (int pid = 1; pid <= kMany + 100; ++pid) {
    if (pid % 3 == 0)
      registrar.remove(pid);
    else
      expected.insert(pid);
  }
  read_all();
  EXPECT_EQ(known(), expected);
}

TEST_F(RegistrarTest, KeepsNoLineOfASidecarThatHasGoneBeforeTheControlPlaneHeardOfIt) {
  for (int pid = 1; pid <= 3'000; ++pid) add(pid);
  registrar.use(std::move(ours));
  const std::size_t before = registrar.waiting();
  for (int pid = 100'000; pid < 103'000; ++pid) {
    add(pid);
    registrar.remove(pid);
  }
  EXPECT_EQ(registrar.waiting(), before);
}

TEST_F(RegistrarTest, TellsTheNextControlPlaneWhatTheLastOneDidNotRead) {
  for (int pid = 1; pid <= 3'000; ++pid) add(pid);
  registrar.use(std::move(ours));
  theirs.reset();
  for (const TimePoint limit = SteadyClock::now() + 20s;
       registrar.waiting() > 0 && SteadyClock::now() < limit;)
    loop.run_once(1ms);
  EXPECT_EQ(registrar.waiting(), 0u);
  for (int pid = 3; pid <= 3'000; ++pid) registrar.remove(pid);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  theirs = net::Fd(ends[1]);
  ::fcntl(theirs.get(), F_SETFL, O_NONBLOCK);
  registrar.use(net::Fd(ends[0]));
  read_all();
  EXPECT_EQ(known(), (std::set<int>{1, 2}));
}

}  // namespace
}  // namespace weft::local
