#include <gtest/gtest.h>

#include "http/h2/testing/served.h"

namespace weft::http::h2 {
namespace {

using namespace http::testing;

constexpr std::size_t kReadBlock = 16 * 1024;

/// Counts turns of the loop until so many requests are handled and all that has come is read.
class Turns {
 public:
  std::size_t count(const std::string& bytes, std::size_t requests) {
    served_.greet();
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    EXPECT_EQ(served_.client->try_write({&part, 1}).bytes, bytes.size());
    net::TaskScope tasks;
    tasks.spawn(run(requests));
    served_.loop->settle();
    EXPECT_EQ(handled_, requests);
    EXPECT_FALSE(served_.over());
    return turns_;
  }

 private:
  static ServerSessionOptions options() {
    ServerSessionOptions made;
    made.limits.head_bytes = 1024 * 1024;
    made.limits.fields = 10'000;
    return made;
  }
  net::Task<void> run(std::size_t requests) {
    for (; (handled_ < requests || !served_.server->quiet()) && turns_ < 1000; ++turns_)
      co_await served_.loop->yield();
  }

  std::size_t handled_ = 0, turns_ = 0;
  h2::testing::Served served_{[this](ServerExchange& exchange) {
                                ++handled_;
                                return h2::testing::ignore_body(exchange);
                              },
                              options()};
};

std::string requests(unsigned char stream, std::size_t count, const std::string& more) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i, stream += 2)
    bytes += frame(kHeaders, kEndStream | kEndHeaders, stream, block_of(get()) + more);
  return bytes;
}

/// RFC 7541 §6.1: an octet is a whole field, here "accept-encoding: gzip, deflate".
TEST(Http2Turns, a_peer_whose_octets_are_whole_fields_leaves_the_loop_to_others_after_each_read) {
  const std::string bytes = requests(1, 90, std::string(4000, '\x90'));
  EXPECT_GE(Turns().count(bytes, 90), bytes.size() / kReadBlock);
}

/// A field of the table is looked at as a whole each time that an octet refers to it.
TEST(Http2Turns, a_peer_whose_octets_are_large_fields_leaves_the_loop_to_others_the_sooner) {
  constexpr std::size_t kRequests = 90, kReferences = 14, kValue = 3900;
  // RFC 7541 §6.2.1, with the length in a prefix of 7 bits; the field has index 62 from then on.
  std::string field(
      "\x40\x01"
      "a\x7f",
      4);
  field += static_cast<char>(((kValue - 127) & 0x7f) | 0x80);
  field += static_cast<char>((kValue - 127) >> 7);
  const std::string bytes = requests(1, 1, field + std::string(kValue, 'v')) +
                            requests(3, kRequests, std::string(kReferences, '\xbe'));
  EXPECT_GE(Turns().count(bytes, 1 + kRequests), kRequests * kReferences * kValue / (1024 * 1024));
}

TEST(Http2Turns, a_peer_that_sends_many_small_frames_leaves_the_loop_to_others_after_each_read) {
  std::string bytes = headers(1, post(), false);
  while (bytes.size() < 20 * kReadBlock) bytes += frame(kData, 0, 1, "x");
  EXPECT_GE(Turns().count(bytes, 1), bytes.size() / kReadBlock);
}

TEST(Http2Turns, large_frames_are_read_as_they_come) {
  std::string bytes = headers(1, post(), false);
  while (bytes.size() < 12 * kReadBlock) bytes += frame(kData, 0, 1, std::string(kReadBlock - 9, 'x'));
  EXPECT_LE(Turns().count(bytes, 1), 3u);
}

}  // namespace
}  // namespace weft::http::h2
