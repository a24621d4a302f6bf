#include <gtest/gtest.h>

#include <algorithm>

#include "http/h2/testing/served.h"
#include "net/event.h"

namespace weft::http {
namespace {

using testing::say_ok;

constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";
constexpr std::string_view kClose = "\r\nconnection: close\r\n";

net::Task<void> respond_in_two_steps(ServerExchange& exchange, const std::unique_ptr<net::Event>& second) {
  ResponseHead head;
  head.status = 200;
  head.content_length = 1;
  static_cast<void>(co_await exchange.send_head(head, false));
  static_cast<void>(co_await exchange.flush());
  co_await second->wait();
  static_cast<void>(co_await exchange.send_body("x", true));
}

/// What has come and is not read yet: nothing is told to the server before its loop runs.
void send_unread(testing::Served& served, std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  ASSERT_EQ(served.client->try_write({&part, 1}).bytes, bytes.size());
}

TEST(Drain, a_request_that_has_come_to_an_idle_connection_is_answered_and_the_last) {
  testing::Served served(Protocol::kHttp1, say_ok);
  served.send(kRequest);
  EXPECT_EQ(served.take().find(kClose), std::string::npos);
  send_unread(served, kRequest);
  served.connection->drain();
  EXPECT_NE(served.take().find(kClose), std::string::npos);
  EXPECT_TRUE(served.over());
}

TEST(Drain, a_request_that_has_come_before_its_connection_is_served_is_answered) {
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kAuto}) {
    testing::Served served(protocol, say_ok);
    send_unread(served, kRequest);
    served.connection->drain();
    EXPECT_NE(served.take().find(kClose), std::string::npos);
    EXPECT_TRUE(served.over());
  }
}

TEST(Drain, a_request_of_which_any_part_has_come_is_answered) {
  for (std::size_t size = 1; size < kRequest.size(); ++size) {
    testing::Served served(Protocol::kHttp1, say_ok);
    served.send(kRequest.substr(0, size));
    served.connection->drain();
    served.send(kRequest.substr(size));
    EXPECT_NE(served.take().find(kClose), std::string::npos) << size;
    EXPECT_TRUE(served.over()) << size;
  }
}

/// Without a limit for heads one has 30 s from the drain on.
TEST(Drain, a_head_that_does_not_come_to_its_end_ends_its_connection) {
  ServerSessionOptions options;
  options.header_timeout = 0s;
  options.idle_timeout = 0s;
  for (const bool begun : {false, true}) {
    testing::Served served(Protocol::kHttp1, say_ok, options);
    served.send(kRequest);
    static_cast<void>(served.take());
    if (begun) served.send("GET /");
    served.loop->advance(1h);
    if (!begun) send_unread(served, "GET /");
    served.connection->drain();
    served.loop->advance(29s);
    EXPECT_FALSE(served.over());
    served.loop->advance(31s);
    EXPECT_TRUE(served.over());
  }
}

TEST(Linger, a_connection_that_waits_for_its_client_to_end_counts_as_idle) {
  testing::Served served(Protocol::kHttp1, say_ok);
  served.send("GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\nx");
  EXPECT_NE(served.take().find(kClose), std::string::npos);
  EXPECT_FALSE(served.over());
  EXPECT_TRUE(served.connection->is_idle());
}

TEST(Drain, a_request_that_begins_like_the_preface_and_has_been_looked_at_is_answered) {
  testing::Served served(Protocol::kAuto, say_ok);
  served.send("P");
  served.connection->drain();
  served.send("OST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  EXPECT_NE(served.take().find(kClose), std::string::npos);
  EXPECT_TRUE(served.over());
}

TEST(Drain, a_connection_that_was_just_made_has_a_second_for_its_first_request) {
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kAuto}) {
    testing::Served asks(protocol, say_ok), silent(protocol, say_ok), old(protocol, say_ok);
    old.loop->advance(kNewConnectionGrace);
    for (testing::Served* served : {&asks, &silent, &old}) {
      served->connection->drain();
      served->loop->settle();
    }
    EXPECT_FALSE(asks.over());
    asks.send(kRequest);
    EXPECT_NE(asks.take().find(kClose), std::string::npos);
    EXPECT_TRUE(asks.over());
    EXPECT_FALSE(silent.over());
    silent.loop->advance(kNewConnectionGrace);
    EXPECT_TRUE(silent.over());
    EXPECT_TRUE(old.over());
  }
}

TEST(Drain, an_idle_connection_whose_client_has_ended_it_ends) {
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kAuto}) {
    testing::Served served(protocol, say_ok);
    served.client->shutdown_write();
    served.connection->drain();
    served.loop->settle();
    EXPECT_TRUE(served.over());
  }
}

TEST(Drain, a_request_behind_a_response_that_told_of_no_end_is_answered) {
  std::unique_ptr<net::Event> second;
  testing::Served served(Protocol::kHttp1,
                         [&](ServerExchange& exchange) { return respond_in_two_steps(exchange, second); });
  second = std::make_unique<net::Event>(*served.loop);
  served.send(kRequest);
  EXPECT_EQ(served.take().find(kClose), std::string::npos);
  served.connection->drain();
  send_unread(served, kRequest);
  second->set();
  const std::string both = served.take();
  EXPECT_TRUE(both.starts_with("xHTTP/1.1 200 ")) << both;
  EXPECT_NE(both.find(kClose), std::string::npos) << both;
  EXPECT_TRUE(served.over());
}

TEST(Drain, a_call_that_has_come_to_an_idle_connection_of_http_2_is_answered) {
  h2::testing::Served served(h2::testing::ignore_body);
  served.greet();
  static_cast<void>(served.take());
  send_unread(served, testing::headers(1, testing::get(), true));
  served.connection->drain();
  const auto frames = served.take();
  EXPECT_NE(std::ranges::find(frames, "HEADERS 1 end :status=200"), frames.end()) << frames.size();
}

}  // namespace
}  // namespace weft::http
