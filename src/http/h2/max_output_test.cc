#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/h2/testing/served.h"

namespace weft::http::h2 {
namespace {

using http::testing::get;
using http::testing::headers;
using http::testing::setting;
using http::testing::window_update;
using testing::Served;

constexpr std::size_t kBody = 1'000'000, kPipe = 1'000, kFrame = 16'384;

/// Sends a large body on each stream, and tells how much of them was packed.
struct Sending {
  std::vector<ServerExchange*> exchanges;
  int complete = 0;

  net::Task<void> handle(ServerExchange& exchange) {
    exchanges.push_back(&exchange);
    ResponseHead head;
    head.status = 200;
    const std::string body(kBody, 'x');
    static_cast<void>(co_await exchange.send_head(head, false));
    if (co_await exchange.send_body(body, true)) ++complete;
    std::erase(exchanges, &exchange);
  }
  Handler handler() {
    return [this](ServerExchange& exchange) { return handle(exchange); };
  }
  std::size_t packed() const {
    std::size_t bytes = 0;
    for (const ServerExchange* const each : exchanges) bytes += each->body_bytes_sent();
    return bytes;
  }
};

/// Its windows are open: what bounds the bytes that wait in memory is max_output, of all streams together.
TEST(Http2MaxOutput, bodies_are_not_packed_beyond_it_for_a_client_that_reads_nothing) {
  for (const std::uint32_t max : {4'096u, 65'536u, 300'000u}) {
    Sending sending;
    ServerSessionOptions options;
    options.http2.max_output = max;
    Served served(sending.handler(), options, kPipe);
    served.greet(setting(4, 10'000'000));
    served.send(window_update(0, 10'000'000) + headers(1, get(), true) + headers(3, get(), true));
    ASSERT_EQ(sending.exchanges.size(), 2u);
    for (int i = 0; i < 3; ++i) {
      const std::size_t packed = sending.packed();
      EXPECT_GE(packed, max) << max;
      EXPECT_LE(packed, max + kFrame + kPipe) << max;
      served.loop->advance(1s);
    }
    for (int i = 0; i < 5'000 && sending.complete < 2; ++i) static_cast<void>(served.take());
    EXPECT_EQ(sending.complete, 2) << "it goes on once the client reads";
  }
}

TEST(Http2MaxOutput, a_client_that_never_reads_is_left_when_its_time_to_write_is_over) {
  Sending sending;
  ServerSessionOptions options;
  options.http2.write_timeout = 10s;
  Served served(sending.handler(), options, kPipe);
  served.greet(setting(4, 10'000'000));
  served.send(window_update(0, 10'000'000) + headers(1, get(), true) + headers(3, get(), true));
  served.loop->advance(9s);
  EXPECT_FALSE(served.over());
  served.loop->advance(2s);
  EXPECT_TRUE(served.over());
  EXPECT_EQ(sending.complete, 0);
  EXPECT_TRUE(sending.exchanges.empty());
}

}  // namespace
}  // namespace weft::http::h2
