#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "net/keepalive.h"
#include "net/signal_watch.h"
#include "net/socket.h"
#include "net/testing/pipe.h"

namespace weft::net {
namespace {

Task<void> echo(Stream& stream, std::string& log) {
  char buffer[64];
  for (;;) {
    const IoResult got = co_await stream.read(buffer);
    if (!got.ok()) {
      log += std::string("<") + std::string(to_string(got.error)) + ">";
      co_return;
    }
    log.append(buffer, got.bytes);
    co_await stream.write(std::string_view(buffer, got.bytes));
  }
}

TEST(Address, a_unix_path_ends_where_it_was_given_whatever_was_in_memory_before) {
  alignas(Address) unsigned char memory[sizeof(Address)];
  std::memset(memory, 'x', sizeof memory);
  auto* const address = new (memory) Address();
  *address = *Address::unix_path("/tmp/s");
  EXPECT_EQ(address->to_string(), "/tmp/s");
  EXPECT_EQ(Address::unix_path("/tmp/s")->to_string(), "/tmp/s");
}

TEST(Pipe, carries_bytes_both_ways_and_says_the_end) {
  auto loop = Loop::simulated();
  auto [client, server] = testing::make_pipe(*loop);
  std::string log;
  TaskScope scope;
  scope.spawn(echo(*server, log));
  const iovec part{const_cast<char*>("hello"), 5};
  EXPECT_EQ(client->try_write(std::span(&part, 1)).bytes, 5u);
  loop->settle();
  EXPECT_EQ(client->take(), "hello");
  client->shutdown_write();
  loop->settle();
  EXPECT_EQ(log, "hello<end of stream>");
  EXPECT_EQ(scope.active(), 0u);
}

TEST(Stream, a_read_deadline_passes_exactly_then_and_not_before) {
  auto loop = Loop::simulated();
  auto [client, server] = testing::make_pipe(*loop);
  std::string log;
  TaskScope scope;
  server->set_read_deadline(loop->now() + 15s);
  scope.spawn(echo(*server, log));
  loop->advance(14'999ms);
  EXPECT_EQ(log, "");
  loop->advance(1ms);
  EXPECT_EQ(log, "<timed out>");
}

TEST(Stream, an_arrival_that_nobody_waits_for_is_told_and_one_that_somebody_reads_is_not) {
  auto loop = Loop::simulated();
  auto [client, server] = testing::make_pipe(*loop);
  int bytes = 0, ends = 0;
  server->on_idle_event([&](ReadyHandler::Ready ready) { ++(ready.ended ? ends : bytes); });
  const iovec part{const_cast<char*>("hello"), 5};
  client->try_write(std::span(&part, 1));
  loop->settle();
  EXPECT_EQ(bytes, 1);
  std::string log;
  TaskScope scope;
  scope.spawn(echo(*server, log));
  client->try_write(std::span(&part, 1));
  loop->settle();
  EXPECT_EQ(bytes, 1);
  scope.cancel_all();
  client->close();
  loop->settle();
  EXPECT_EQ(ends, 1);
}

TEST(Stream, close_resumes_who_waits_and_destroying_the_task_takes_it_off_the_wait_point) {
  auto loop = Loop::simulated();
  auto [client, server] = testing::make_pipe(*loop);
  std::string log;
  {
    TaskScope scope;
    scope.spawn(echo(*server, log));
  }
  const iovec part{const_cast<char*>("x"), 1};
  client->try_write(std::span(&part, 1));
  loop->settle();
  EXPECT_EQ(log, "");
  TaskScope scope;
  scope.spawn(echo(*server, log));
  server->close();
  EXPECT_EQ(log, "x<closed>");
}

Task<Result<void>> fail_after(Loop& loop, Duration after, bool failing) {
  co_await loop.sleep(after);
  if (failing) co_return fail(Error::internal(Code::kInternal, "told to"));
  co_return Result<void>{};
}

Task<void> run_both(Loop& loop, Duration one, bool one_fails, Duration two, bool two_fails,
                    std::string& log) {
  auto result = co_await both(fail_after(loop, one, one_fails), fail_after(loop, two, two_fails));
  log += result ? "ok" : "failed";
}

TEST(Both, waits_for_the_slower_one_and_a_failure_cancels_the_other) {
  auto loop = Loop::simulated();
  std::string log;
  TaskScope scope;
  scope.spawn(run_both(*loop, 1s, false, 5s, false, log));
  loop->advance(4s);
  EXPECT_EQ(log, "");
  loop->advance(1s);
  EXPECT_EQ(log, "ok");
  log.clear();
  scope.spawn(run_both(*loop, 1s, true, 500s, false, log));
  loop->advance(1s);
  EXPECT_EQ(log, "failed");
  EXPECT_EQ(scope.active(), 0u);
}

Task<void> serve_one(Listener& listener, std::string& log) {
  auto accepted = co_await listener.accept();
  if (!accepted) co_return;
  std::unique_ptr<Socket> socket = std::move(*accepted);
  co_await echo(*socket, log);
}

Task<void> call(Loop& loop, Address to, std::string& answer) {
  auto connected = co_await connect(loop, to, ConnectOptions{});
  if (!connected) {
    answer = connected.error().text;
    loop.stop();
    co_return;
  }
  std::unique_ptr<Socket> socket = std::move(*connected);
  co_await socket->write("ping");
  char buffer[16];
  const IoResult got = co_await socket->read(buffer);
  answer.assign(buffer, got.bytes);
  loop.stop();
}

TEST(Socket, connects_over_loopback_and_echoes) {
  Loop loop;
  auto listener = Listener::listen(loop, *Address::parse_ip("127.0.0.1", 0));
  ASSERT_TRUE(listener) << listener.error().text;
  std::string log, answer;
  TaskScope scope;
  scope.spawn(serve_one(**listener, log));
  scope.spawn(call(loop, (*listener)->local_address(), answer));
  loop.run();
  EXPECT_EQ(answer, "ping");
}

TEST(Socket, a_port_in_use_is_named_and_a_refused_connect_says_where) {
  Loop loop;
  auto listener = Listener::listen(loop, *Address::parse_ip("127.0.0.1", 0));
  const Address address = (*listener)->local_address();
  auto second = Listener::listen(loop, address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().text.find(address.to_string()), std::string::npos);
  listener->reset();
  std::string answer;
  TaskScope scope;
  scope.spawn(call(loop, address, answer));
  loop.run();
  EXPECT_NE(answer.find("connect " + address.to_string()), std::string::npos) << answer;
}

TEST(Loop, runs_posted_work_from_another_thread) {
  Loop loop;
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&] { ++ran; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, 100);
}

TEST(Listening, takes_the_place_of_a_socket_that_nobody_listens_at_and_of_nothing_else) {
  char folder[] = "/tmp/weft-net-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/s";
  const Address at = *Address::unix_path(path);
  {
    const auto first = make_listening_fd(at);
    ASSERT_TRUE(first) << first.error().text;
    EXPECT_FALSE(make_listening_fd(at)) << "its port is in use";
  }
  EXPECT_TRUE(make_listening_fd(at)) << "nothing listens at the file that is left";
  ::unlink(path.c_str());
  const Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_FALSE(make_listening_fd(at)) << "a file is no socket";
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST(Listening, a_unix_socket_is_for_its_owner_only_where_that_is_asked_for) {
  char folder[] = "/tmp/weft-net-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const mode_t mask = ::umask(0);
  for (const bool owner_only : {false, true}) {
    const std::string path = std::string(folder) + "/s";
    const auto fd = make_listening_fd(*Address::unix_path(path), {.owner_only = owner_only});
    ASSERT_TRUE(fd) << fd.error().text;
    struct stat made{};
    EXPECT_EQ(::stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, owner_only ? 0600u : 0777u);
    ::unlink(path.c_str());
  }
  ::umask(mask);
  ::rmdir(folder);
}

TEST(Keepalive, asks_the_kernel_to_miss_a_peer_after_half_a_minute) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ask_for_keepalive(fd.get());
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(fd.get(), level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE) +
                option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT),
            30);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
}

TEST(SignalWatch, tells_the_loop_of_the_signals_it_was_asked_for) {
  Loop loop;
  std::vector<int> seen;
  SignalWatch watch(loop, [&](int signal) {
    seen.push_back(signal);
    if (seen.size() == 2) loop.stop();
  });
  ASSERT_TRUE(watch.start({SIGUSR1, SIGUSR2}));
  ::kill(::getpid(), SIGUSR1);
  ::kill(::getpid(), SIGUSR2);
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST(Address, reads_and_writes_both_families) {
  EXPECT_EQ(Address::parse_ip_port("[::1]:80")->to_string(), "[::1]:80");
  EXPECT_EQ(Address::parse_ip_port("10.0.0.1:8080")->to_string(), "10.0.0.1:8080");
  EXPECT_FALSE(Address::parse_ip_port("10.0.0.1"));
  EXPECT_FALSE(Address::parse_ip_port("10.0.0.1:"));
  EXPECT_FALSE(Address::parse_ip_port("10.0.0.1:70000"));
  EXPECT_FALSE(Address::parse_ip("localhost", 1));
}

Task<void> yield_once(Loop& loop, int& resumed) {
  co_await loop.yield();
  ++resumed;
}

TEST(Loop, a_coroutine_that_is_destroyed_while_it_yields_is_never_resumed) {
  const auto loop = Loop::simulated();
  int resumed = 0;
  {
    TaskScope scope;
    scope.spawn(yield_once(*loop, resumed));
  }
  loop->settle();
  EXPECT_EQ(resumed, 0);
  TaskScope scope;
  scope.spawn(yield_once(*loop, resumed));
  loop->settle();
  EXPECT_EQ(resumed, 1);
}

TEST(Deferred, runs_once_in_order_and_not_after_its_end_even_when_another_one_ends_it) {
  const auto loop = Loop::simulated();
  std::string ran;
  std::optional<Deferred> third;
  Deferred first(*loop, [&] {
    ran += "1";
    third.reset();
  });
  Deferred second(*loop, [&] {
    ran += "2";
    if (ran.size() < 4) second.schedule();
  });
  third.emplace(*loop, [&] { ran += "3"; });
  for (int i = 0; i < 2; ++i) {
    first.schedule();
    second.schedule();
    third->schedule();
  }
  loop->settle();
  EXPECT_EQ(ran, "1222");
  std::unique_ptr<Deferred> mine;
  mine = std::make_unique<Deferred>(*loop, [&] { mine.reset(); });
  mine->schedule();
  loop->settle();
  EXPECT_FALSE(mine);
}

TEST(Deferred, may_outlive_its_loop) {
  auto loop = Loop::simulated();
  Deferred waiting(*loop, [] {});
  waiting.schedule();
  loop.reset();
  EXPECT_FALSE(waiting.scheduled());
}

Task<void> sleep_for(Loop& loop, Duration time) { co_await loop.sleep(time); }

Task<void> join(TaskScope& scope, bool& joined) {
  co_await scope.join();
  joined = true;
}

TEST(TaskScope, who_joins_goes_on_when_all_are_cancelled_and_not_when_the_scope_or_he_is_gone) {
  const auto loop = Loop::simulated();
  bool joined = false;
  TaskScope others;
  {
    TaskScope scope;
    scope.spawn(sleep_for(*loop, 1s));
    others.spawn(join(scope, joined));
    scope.cancel_all();
    EXPECT_TRUE(joined);
    joined = false;
    scope.spawn(sleep_for(*loop, 1s));
    others.spawn(join(scope, joined));
    others.cancel_all();
    scope.spawn(sleep_for(*loop, 1s));
    others.spawn(join(scope, joined));
  }
  others.cancel_all();
  EXPECT_FALSE(joined);
}

TEST(Stream, a_deadline_that_is_set_while_somebody_waits_holds_for_that_wait) {
  const auto loop = Loop::simulated();
  auto [client, server] = testing::make_pipe(*loop);
  std::string log;
  TaskScope scope;
  scope.spawn(echo(*server, log));
  server->set_read_deadline(loop->now() + 5s);
  loop->advance(4s);
  EXPECT_EQ(log, "");
  loop->advance(2s);
  EXPECT_EQ(log, "<timed out>");
}

}  // namespace
}  // namespace weft::net
