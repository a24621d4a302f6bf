#include "common/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

namespace bookinfo {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

/// Answers every request with so many bytes.
class Plain final : public Service {
 public:
  explicit Plain(std::size_t bytes) : bytes_(bytes) {}
  asio::awaitable<Response> handle(const Request& /*request*/) override {
    co_return json_response(200, std::string(bytes_, 'x'));
  }

 private:
  std::size_t bytes_;
};

/// A server whose deadlines are a second, and one client of it, in one loop.
class ServerDeadlines : public testing::Test {
 protected:
  void connect(std::size_t answer_bytes) {
    service_ = std::make_unique<Plain>(answer_bytes);
    server_ = std::make_unique<Server>(context_, *service_, "test", ServerLimits{.idle = 1s, .write = 1s});
    ASSERT_TRUE(server_->listen("127.0.0.1", 0));
    const std::string address = server_->local_address();
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    client_.connect({asio::ip::address_v4::loopback(), port});
  }

  void send(const std::string& bytes) { asio::write(client_, asio::buffer(bytes)); }

  /// What the server says until it ends the connection; nothing when it does not.
  std::optional<std::string> said() {
    std::string text;
    std::optional<error_code> end;
    asio::async_read(client_, asio::dynamic_buffer(text),
                     [&end](error_code error, std::size_t) { end = error; });
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!end && std::chrono::steady_clock::now() < give_up) context_.run_one_for(100ms);
    if (!end) return std::nullopt;
    return text;
  }

  void TearDown() override {
    server_->stop();
    context_.run();
  }

  asio::io_context context_{1};
  std::unique_ptr<Plain> service_;
  std::unique_ptr<Server> server_;
  tcp::socket client_{context_};
};

}  // namespace

TEST_F(ServerDeadlines, end_a_connection_on_which_nothing_comes) {
  connect(1);
  EXPECT_EQ(said(), "");
}

TEST_F(ServerDeadlines, end_a_connection_that_stays_silent_after_an_answer) {
  connect(1);
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto text = said();
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("HTTP/1.1 200 OK\r\n")) << *text;
}

TEST_F(ServerDeadlines, end_a_head_that_does_not_end) {
  connect(1);
  send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(said(), "");
}

TEST_F(ServerDeadlines, end_a_body_that_does_not_end) {
  connect(1);
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(said(), "");
}

TEST_F(ServerDeadlines, end_an_answer_that_nobody_takes) {
  constexpr std::size_t kMoreThanTheKernelHolds = 64 << 20;
  connect(kMoreThanTheKernelHolds);
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  context_.run_for(3s);
  const auto text = said();
  ASSERT_TRUE(text);
  EXPECT_LT(text->size(), kMoreThanTheKernelHolds);
}

TEST_F(ServerDeadlines, do_not_keep_a_stopped_server_running) {
  // The look for what is late comes once a second and must not be waited for. Other work on the machine makes
  // some ends late; the quickest shows what it takes.
  auto quickest = std::chrono::steady_clock::duration::max();
  for (int tries = 0; tries < 10 && quickest >= 600ms; ++tries) {
    context_.restart();
    connect(1);
    send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    context_.run_for(50ms);
    client_.close();
    context_.run_for(50ms);
    const auto before = std::chrono::steady_clock::now();
    server_->stop();
    context_.run();
    quickest = std::min(quickest, std::chrono::steady_clock::now() - before);
  }
  EXPECT_LT(quickest, 600ms);
}

}  // namespace bookinfo
