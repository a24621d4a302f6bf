#include "net/socket.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <memory>
#include <thread>

namespace {
std::atomic<int> epoll_additions_to_fail{0};
}

/// Before the C library's: what a test has no other way to use up.
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (operation == EPOLL_CTL_ADD && epoll_additions_to_fail > 0) {
    --epoll_additions_to_fail;
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

namespace weft::net {
namespace {

bool run_until(Loop& loop, const std::function<bool()>& condition) {
  for (const TimePoint end = loop.now() + 20s; !condition() && loop.now() < end;) loop.run_once(10ms);
  return condition();
}

Fd connected_to(const Address& at) {
  Fd fd(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), at.data(), at.size()), 0);
  return fd;
}

Task<void> accept_all(Listener& listener, std::vector<std::unique_ptr<Socket>>& into) {
  for (;;) {
    auto socket = co_await listener.accept();
    if (!socket) co_return;
    into.push_back(std::move(*socket));
  }
}

TEST(Listener, goes_on_when_a_connection_could_not_be_watched) {
  Loop loop;
  auto listener = *Listener::listen(loop, *Address::parse_ip("127.0.0.1", 0));
  std::vector<std::unique_ptr<Socket>> accepted;
  TaskScope scope;
  scope.spawn(accept_all(*listener, accepted));
  epoll_additions_to_fail = 3;
  const Fd lost = connected_to(listener->local_address()), kept = connected_to(listener->local_address());
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 1; }));
  EXPECT_EQ(epoll_additions_to_fail, 0);
  listener->close();
  EXPECT_EQ(scope.active(), 0u);
}

/// No descriptor can be had as long as this is there.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Listener, rests_while_there_are_no_descriptors_also_when_others_accept_from_it_too) {
  Loop loop;
  Fd fd = *make_listening_fd(*Address::parse_ip("127.0.0.1", 0));
  auto listener = *Listener::adopt(loop, std::move(fd), true);
  std::vector<std::unique_ptr<Socket>> accepted;
  TaskScope scope;
  scope.spawn(accept_all(*listener, accepted));
  loop.run_once(0ms);
  const Fd client = connected_to(listener->local_address());
  int turns = 0;
  {
    const NoDescriptors none;
    const TimePoint end = loop.now() + 500ms;
    while (loop.now() < end) {
      loop.run_once(100ms);
      ++turns;
    }
  }
  EXPECT_LT(turns, 40);
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 1; }));
}

/// Without a rest the first turn never ends.
TEST(Listener, rests_when_it_can_accept_nothing) {
  Loop loop;
  auto listener = *Listener::listen(loop, *Address::parse_ip("127.0.0.1", 0));
  ASSERT_EQ(::shutdown(listener->fd(), SHUT_RD), 0);
  std::vector<std::unique_ptr<Socket>> accepted;
  TaskScope scope;
  scope.spawn(accept_all(*listener, accepted));
  for (int turn = 0; turn < 5; ++turn) loop.run_once(0ms);
  EXPECT_TRUE(accepted.empty());
  EXPECT_EQ(scope.active(), 1u);
}

constexpr std::size_t kFlood = 64 * 1024 * 1024;

Task<void> take_all(Stream& stream, std::size_t& taken) {
  char block[4096];
  for (;;) {
    const IoResult got = co_await stream.read(block);
    if (!got.ok()) co_return;
    taken += got.bytes;
  }
}

/// A socket whose peer writes from a thread of its own, as fast as it can.
class Flooded {
 public:
  explicit Flooded(Loop& loop, std::size_t bytes = std::numeric_limits<std::size_t>::max()) {
    int ends[2];
    WEFT_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    far_.reset(ends[0]);
    socket = *Socket::adopt(loop, Fd(ends[1]));
    flood_ = std::thread([this, bytes] {
      const std::string block(256 * 1024, 'x');
      for (std::size_t sent = 0; sent < bytes;) {
        const ssize_t step = ::send(far_.get(), block.data(), block.size(), MSG_NOSIGNAL);
        if (step <= 0) return;
        sent += static_cast<std::size_t>(step);
      }
      ::shutdown(far_.get(), SHUT_WR);
    });
  }
  ~Flooded() {
    socket.reset();
    flood_.join();
  }
  std::unique_ptr<Socket> socket;

 private:
  Fd far_;
  std::thread flood_;
};

TEST(Socket, one_that_is_never_empty_leaves_every_turn_of_the_loop_to_others_too) {
  Loop loop;
  Flooded flooded(loop, kFlood);
  std::size_t taken = 0, max_in_a_turn = 0;
  TaskScope scope;
  scope.spawn(take_all(*flooded.socket, taken));
  while (scope.active()) {
    const std::size_t before = taken;
    loop.run_once(10s);
    max_in_a_turn = std::max(max_in_a_turn, taken - before);
  }
  EXPECT_EQ(taken, kFlood) << "and nothing is lost or forgotten";
  EXPECT_LE(max_in_a_turn, 2u * 1024 * 1024);
}

Task<void> close_after(Stream& stream, std::size_t most) {
  char block[4096];
  for (std::size_t taken = 0; taken < most;) {
    const IoResult got = co_await stream.read(block);
    if (!got.ok()) co_return;
    taken += got.bytes;
  }
  stream.close();
}

Task<void> note_readable(Stream& stream, bool& noted) {
  co_await stream.readable();
  noted = true;
}

TEST(Socket, that_is_asked_whether_anything_has_come_holds_its_reader_back_as_before) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd far(ends[0]);
  const std::unique_ptr<Socket> socket = *Socket::adopt(loop, Fd(ends[1]));
  const std::string block(16'000, 'x');
  std::vector<char> into(64 * 1024);
  IoResult got{0, IoError::kNone};
  for (int i = 0; i < 100 && got.ok(); ++i) {
    ASSERT_EQ(::send(far.get(), block.data(), block.size(), MSG_NOSIGNAL), 16'000);
    got = socket->try_read(into);
  }
  ASSERT_EQ(got.error, IoError::kWouldBlock) << "it has taken enough for one turn";
  EXPECT_FALSE(socket->quiet());
  bool readable = false;
  TaskScope scope;
  scope.spawn(note_readable(*socket, readable));
  EXPECT_FALSE(readable);
  for (int i = 0; i < 10 && !readable; ++i) loop.run_once(1s);
  EXPECT_TRUE(readable);
}

TEST(Socket, may_be_closed_or_destroyed_while_its_reader_is_held_back) {
  for (const std::size_t most : {512u * 1024, 1024u * 1024, 1024u * 1024 + 1}) {
    Loop loop;
    Flooded flooded(loop);
    TaskScope scope;
    scope.spawn(close_after(*flooded.socket, most));
    while (scope.active()) loop.run_once(10s);
    flooded.socket.reset();
    loop.run_once(0ms);
  }
}

}  // namespace
}  // namespace weft::net
