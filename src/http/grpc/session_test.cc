#include "http/grpc/session.h"

#include <gtest/gtest.h>

#include "http/grpc/client.h"
#include "http/grpc/server.h"
#include "http/testing/frames.h"
#include "net/testing/pipe.h"

namespace weft::http::grpc {
namespace {

using testing::frame;
using testing::kEndHeaders;
using testing::literal_field;
using enum testing::FrameType;

/// What a client says that opens a call and gives it no more window than it has at first.
std::string hello() {
  return std::string(testing::kPreface) + frame(kSettings, 0, 0, "") + frame(kSettings, 1, 0, "") +
         frame(kHeaders, kEndHeaders, 1,
               "\x83\x86" + literal_field(":path", "/a") + literal_field(":authority", "c"));
}

void say(net::Loop& loop, net::testing::PipeEnd& end, const std::string& bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  ASSERT_EQ(end.try_write({&part, 1}).bytes, bytes.size());
  loop.settle();
}

/// A server's session on a simulated loop, whose client is bytes.
struct Serving {
  explicit Serving(Session::Serve serve, const SessionLimits& limits = SessionLimits::for_server(),
                   std::size_t capacity = 256 * 1024)
      : pipe(net::testing::make_pipe(*loop, capacity)),
        client(std::move(pipe.second)),
        session(std::move(pipe.first), std::move(serve), limits) {
    running.spawn(session.run());
    loop->settle();
  }

  const std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::pair<std::unique_ptr<net::testing::PipeEnd>, std::unique_ptr<net::testing::PipeEnd>> pipe;
  std::unique_ptr<net::testing::PipeEnd> client;
  Session session;
  net::TaskScope running;
};

TEST(Session, bytes_that_wait_for_the_peers_window_are_held_and_not_copied) {
  const auto shared = std::make_shared<const std::string>(900'000, 's');
  bool resumed = false;
  Serving serving([&](MessageStream& stream, Session::Opening) -> net::Task<void> {
    const auto write = [](MessageStream& to, std::shared_ptr<const std::string> bytes,
                          bool& done) -> net::Task<void> {
      static_cast<void>(co_await to.write_parts("own", std::move(bytes)));
      done = true;
    };
    return write(stream, shared, resumed);
  });
  say(*serving.loop, *serving.client, hello());
  EXPECT_TRUE(resumed) << "the buffer takes it";
  EXPECT_EQ(shared.use_count(), 2) << "as it is";
  EXPECT_GE(serving.client->pending(), 65'535u);
  EXPECT_LT(serving.client->pending(), 70'000u) << "no more than the window";
  serving.client->close();
  serving.loop->settle();
  EXPECT_TRUE(serving.session.broken());
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Session, a_write_goes_on_once_no_more_than_a_mebibyte_waits) {
  int written = 0;
  Serving serving([&](MessageStream& stream, Session::Opening) -> net::Task<void> {
    const auto write = [](MessageStream& to, int& count) -> net::Task<void> {
      const std::string fifth(200'000, 'f');
      while (co_await to.write(fifth)) ++count;
    };
    return write(stream, written);
  });
  say(*serving.loop, *serving.client, hello());
  EXPECT_EQ(written, 5) << "the sixth waits";
}

net::Task<void> wait_for_ever(MessageStream& stream, int& waiting) {
  struct Counted {
    explicit Counted(int& of) : count(of) { ++count; }
    ~Counted() { --count; }
    int& count;
  } const counted(waiting);
  static_cast<void>(co_await stream.read());
  co_await std::suspend_always();
}

TEST(Session, a_call_that_waits_for_something_else_ends_with_the_connection) {
  int waiting = 0;
  Serving serving([&](MessageStream& stream, Session::Opening) { return wait_for_ever(stream, waiting); });
  say(*serving.loop, *serving.client, hello() + frame(kData, 0, 1, testing::message("x")));
  EXPECT_EQ(waiting, 1);
  EXPECT_FALSE(serving.session.idle());
  serving.client->close();
  serving.loop->settle();
  EXPECT_EQ(waiting, 0);
  EXPECT_TRUE(serving.session.broken());
}

TEST(Session, a_peer_that_takes_no_byte_is_left_after_a_time) {
  SessionLimits limits = SessionLimits::for_server();
  limits.ping_after = 3600s;
  Serving serving(
      [&](MessageStream& stream, Session::Opening) {
        return [](MessageStream& to) -> net::Task<void> {
          static_cast<void>(co_await to.write(std::string(60'000, 'x')));
          static_cast<void>(co_await to.read());
        }(stream);
      },
      limits, 1000);
  say(*serving.loop, *serving.client, hello());
  serving.loop->advance(59s);
  EXPECT_FALSE(serving.session.broken());
  serving.loop->advance(2s);
  EXPECT_TRUE(serving.session.broken());
}

TEST(Session, a_client_that_takes_a_hundred_calls_back_at_once_is_left) {
  Serving serving([](MessageStream& stream, Session::Opening) {
    return [](MessageStream& from) -> net::Task<void> { static_cast<void>(co_await from.read()); }(stream);
  });
  say(*serving.loop, *serving.client, hello());
  const std::string head = hello().substr(hello().find("\x83\x86") - 9);
  for (unsigned char id = 1; id <= 201; id += 2) {
    EXPECT_FALSE(serving.session.broken()) << int{id};
    std::string opening = head;
    opening[8] = static_cast<char>(id);
    say(*serving.loop, *serving.client,
        (id == 1 ? "" : opening) + frame(kReset, 0, id, std::string("\0\0\0\x8", 4)));
  }
  const std::string heard = serving.client->take();
  EXPECT_NE(heard.find("too many streams are reset"), std::string::npos);
}

net::Task<void> say_much_and_deny(Call call) {
  static_cast<void>(
      co_await call.stream.write_parts("m", std::make_shared<const std::string>(std::string(900'000, 's'))));
  call.stream.finish(kPermissionDenied, "enough");
}

net::Task<void> hear(MessageStream& stream, std::string& into) {
  for (;;) {
    const auto got = co_await stream.read();
    into += got ? std::to_string(got->size()) + " " : got.error().text;
    if (!got) co_return;
  }
}

TEST(Session, what_a_method_has_said_arrives_though_it_has_ended) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop, 1000);
  const auto server = Server::without_port({{"/t.T/Deny", say_much_and_deny}});
  server->serve(std::move(theirs), {.pid = 1, .uid = 0, .gid = 0});
  const auto client = Client::over(std::move(ours));
  const auto stream = client->open("/t.T/Deny", "control");
  std::string heard;
  net::TaskScope scope;
  scope.spawn(hear(*stream, heard));
  loop->settle();
  EXPECT_EQ(heard, "900001 grpc-status 7: enough");
}

TEST(Session, a_client_that_goes_fails_the_calls_that_wait_and_those_that_begin_after) {
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  auto client = Client::over(std::move(ours));
  auto stream = client->open("/t.T/Ask", "control");
  std::string heard;
  net::TaskScope scope;
  scope.spawn(hear(*stream, heard));
  loop->settle();
  client.reset();
  loop->settle();
  EXPECT_EQ(heard, "the connection ended");
  EXPECT_TRUE(theirs->closed() || !theirs->quiet());
  stream.reset();
  loop->settle();
}

}  // namespace
}  // namespace weft::http::grpc
