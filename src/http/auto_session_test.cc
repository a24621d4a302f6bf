#include "http/auto_session.h"

#include <gtest/gtest.h>

#include "http/testing/served.h"

namespace weft::http {
namespace {

using testing::say_ok;

constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";

class Served : public testing::Served {
 public:
  explicit Served(ServerSessionOptions options = {})
      : testing::Served(Protocol::kAuto, say_ok, std::move(options)) {}
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

TEST(AutoSession, is_idle_and_ends_when_it_is_drained_before_its_first_byte) {
  Served served;
  EXPECT_TRUE(served.connection->is_idle());
  served.loop->advance(kNewConnectionGrace);
  served.connection->drain();
  served.loop->settle();
  EXPECT_TRUE(served.over());
}

TEST(AutoSession, a_preface_that_is_cut_off_has_a_limit_in_a_drain_also_where_heads_have_none) {
  for (const bool seen_before : {true, false}) {
    Served served({.idle_timeout = 3600s, .header_timeout = 0s});
    const std::string_view begun = "PRI * HT";
    const iovec part{const_cast<char*>(begun.data()), begun.size()};
    served.client->try_write({&part, 1});
    if (seen_before) served.loop->settle();
    served.connection->drain();
    served.loop->settle();
    EXPECT_FALSE(served.over()) << "what has come is served";
    served.loop->advance(served.options_.drain_limit());
    EXPECT_EQ(served.take(), "");
    served.loop->advance(served.options_.drain_limit());
    EXPECT_TRUE(served.take().starts_with("HTTP/1.1 408 "));
    served.client->shutdown_write();
    served.loop->settle();
    EXPECT_TRUE(served.over());
  }
}

TEST(AutoSession, told_before_the_first_byte_to_end_with_the_next_response_it_does) {
  Served served;
  served.connection->end_with_next_response();
  served.send(kRequest);
  EXPECT_NE(served.take().find("\r\nconnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(served.over());
}

}  // namespace
}  // namespace weft::http
