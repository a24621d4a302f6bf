#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/grpc/client.h"
#include "http/grpc/server.h"

namespace weft::http::grpc {
namespace {

/// A server on a Unix socket of its own and a loop to run until told.
class Grpc : public ::testing::Test {
 public:
  Grpc() : directory_(::mkdtemp(name_)), at_(*net::Address::unix_path(directory_ + "/s")) {}
  ~Grpc() override {
    ::unlink((directory_ + "/s").c_str());
    ::rmdir(directory_.c_str());
  }
  void listen(std::map<std::string, Method> methods) {
    auto made = Server::listen(loop_, at_, std::move(methods));
    ASSERT_TRUE(made) << made.error().text;
    server_ = std::move(*made);
  }
  void run(net::Task<void> task) {
    const auto until_done = [](net::Loop& loop, net::Task<void> inner) -> net::Task<void> {
      co_await inner;
      loop.stop();
    };
    net::TaskScope scope;
    scope.spawn(until_done(loop_, std::move(task)));
    if (scope.active()) loop_.run();
  }
  net::Task<Result<std::unique_ptr<Client>>> connect() { return Client::connect(loop_, at_, {}); }

  char name_[32] = "/tmp/weft-grpc-XXXXXX";
  std::string directory_;
  net::Address at_;
  net::Loop loop_;
  std::unique_ptr<Server> server_;
};

net::Task<void> echo(Call call) {
  for (;;) {
    auto message = co_await call.stream.read();
    if (!message) co_return;
    if (!co_await call.stream.write("echo " + *message)) co_return;
  }
}

net::Task<void> deny(Call call) {
  EXPECT_TRUE(call.peer);
  EXPECT_EQ(call.peer->pid, ::getpid());
  call.stream.finish(kPermissionDenied, "pid 7 + 1% is nobody");
  co_return;
}

TEST_F(Grpc, messages_of_any_size_go_both_ways_in_order) {
  listen({{"/t.T/Echo", echo}});
  run([](Grpc* self) -> net::Task<void> {
    auto client = co_await self->connect();
    EXPECT_TRUE(client);
    auto stream = (*client)->open("/t.T/Echo", "control");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, std::size_t{3'000'000}, std::size_t{5}}) {
      const std::string sent(size, 'm');
      EXPECT_TRUE(co_await stream->write(sent));
      const auto got = co_await stream->read();
      EXPECT_TRUE(got && *got == "echo " + sent) << size;
    }
    stream->finish();
    const auto end = co_await stream->read();
    EXPECT_FALSE(end);
    EXPECT_EQ(end.error().code, Code::kClosed) << end.error().text;
  }(this));
}

TEST_F(Grpc, a_status_reaches_the_client_with_its_words) {
  listen({{"/t.T/Deny", deny}});
  run([](Grpc* self) -> net::Task<void> {
    auto client = co_await self->connect();
    auto denied = (*client)->open("/t.T/Deny", "control");
    const auto first = co_await denied->read();
    EXPECT_EQ(first.error().code, Code::kDenied);
    EXPECT_EQ(first.error().text, "grpc-status 7: pid 7 + 1% is nobody");
    auto missing = (*client)->open("/t.T/Missing", "control");
    const auto second = co_await missing->read();
    EXPECT_EQ(second.error().code, Code::kUnsupported) << "there is no such method";
    EXPECT_NE(second.error().text.find("/t.T/Missing"), std::string::npos);
  }(this));
}

TEST_F(Grpc, the_end_of_the_server_fails_an_open_call) {
  listen({{"/t.T/Echo", echo}});
  run([](Grpc* self) -> net::Task<void> {
    auto client = co_await self->connect();
    auto stream = (*client)->open("/t.T/Echo", "control");
    EXPECT_TRUE(co_await stream->write("a"));
    EXPECT_TRUE(co_await stream->read());
    self->server_.reset();
    const auto end = co_await stream->read();
    EXPECT_EQ(end.error().code, Code::kUnavailable) << end.error().text;
    client->reset();  // while its own failure is being told
    EXPECT_FALSE(co_await stream->write("b"));
  }(this));
}

net::Task<void> hold(Call call) {
  while (co_await call.stream.read()) {
  }
}

net::Task<void> fill(MessageStream& stream, std::size_t& sent) {
  const std::string message(256 * 1024, 'x');
  while (sent < 400 * message.size() && co_await stream.write(message)) sent += message.size();
}

TEST_F(Grpc, a_hundred_megabytes_pass_through_bounded_buffers) {
  listen({{"/t.T/Hold", hold}});
  run([](Grpc* self) -> net::Task<void> {
    auto client = co_await self->connect();
    auto stream = (*client)->open("/t.T/Hold", "control");
    std::size_t sent = 0;
    co_await fill(*stream, sent);
    EXPECT_EQ(sent, 400u * 256 * 1024);
    stream->finish();
    const auto end = co_await stream->read();
    EXPECT_EQ(end.error().code, Code::kClosed) << end.error().text;
  }(this));
}

}  // namespace
}  // namespace weft::http::grpc
