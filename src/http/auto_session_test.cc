#include "http/auto_session.h"

#include <gtest/gtest.h>

#include "net/testing/pipe.h"

namespace weft::http {
namespace {

constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";

net::Task<void> say_ok(ServerExchange& exchange) {
  ResponseHead head;
  head.status = 200;
  head.content_length = 0;
  static_cast<void>(co_await exchange.send_head(head, true));
}

/// A connection of either version at one end of a pipe; the test is the client at the other.
class Served {
 public:
  explicit Served(ServerSessionOptions options = {}) : options_(options) {
    auto [server_end, client_end] = net::testing::make_pipe(*loop);
    server_ = std::move(server_end);
    client = std::move(client_end);
    session = std::make_unique<AutoSession>(*server_, options_, nullptr);
    tasks_.spawn(session->serve(handler_));
    loop->settle();
  }
  void send(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_EQ(client->try_write({&part, 1}).bytes, bytes.size());
    loop->settle();
  }
  std::string take() {
    loop->settle();
    return client->take();
  }
  bool over() const { return tasks_.active() == 0; }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();

 private:
  std::unique_ptr<net::testing::PipeEnd> server_;

 public:
  std::unique_ptr<net::testing::PipeEnd> client;
  std::unique_ptr<AutoSession> session;

 private:
  const Handler handler_ = say_ok;
  ServerSessionOptions options_;
  net::TaskScope tasks_;
};

TEST(AutoSession, serves_http_1_however_its_first_bytes_are_cut) {
  for (std::size_t cut = 1; cut < kRequest.size(); ++cut) {
    Served served;
    served.send(kRequest.substr(0, cut));
    served.send(kRequest.substr(cut));
    EXPECT_TRUE(served.take().starts_with("HTTP/1.1 200 ")) << cut;
  }
}

TEST(AutoSession, serves_methods_that_begin_like_the_preface_as_http_1) {
  for (const std::string method : {"POST", "PUT", "P", "PR", "PRI", "PRIX"}) {
    Served served;
    for (const char byte : method + " /a HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
      served.send(std::string(1, byte));
    EXPECT_TRUE(served.take().starts_with("HTTP/1.1 200 ")) << method;
  }
}

TEST(AutoSession, a_client_that_stops_within_the_preface_gets_the_response_to_an_unfinished_head) {
  Served served({.header_timeout = 10s});
  served.send("PRI * HT");
  served.loop->advance(10s);
  EXPECT_EQ(served.take(), "");
  served.loop->advance(10s);
  EXPECT_TRUE(served.take().starts_with("HTTP/1.1 408 "));
}

TEST(AutoSession, a_client_that_ends_within_the_preface_is_a_client_of_http_1_that_ended) {
  Served served;
  served.send("PRI");
  served.client->shutdown_write();
  served.loop->settle();
  EXPECT_TRUE(served.over());
}

TEST(AutoSession, a_silent_client_has_the_time_of_an_idle_one) {
  Served served({.idle_timeout = 60s});
  served.loop->advance(59s);
  EXPECT_FALSE(served.over());
  served.loop->advance(1s);
  EXPECT_TRUE(served.over());
}

TEST(AutoSession, is_idle_and_ends_at_once_when_it_is_drained_before_its_first_byte) {
  Served served;
  EXPECT_TRUE(served.session->is_idle());
  served.session->drain();
  served.loop->settle();
  EXPECT_TRUE(served.over());
}

TEST(AutoSession, told_before_the_first_byte_to_end_with_the_next_response_it_does) {
  Served served;
  served.session->end_with_next_response();
  served.send(kRequest);
  EXPECT_NE(served.take().find("\r\nconnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(served.over());
}

}  // namespace
}  // namespace weft::http
