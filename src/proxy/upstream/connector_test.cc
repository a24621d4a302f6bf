#include "proxy/upstream/connector.h"

#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

const net::Address kAnyPort = *net::Address::parse_ip("127.0.0.1", 0);

TEST(KernelConnector, gives_the_stream_and_the_address_that_it_goes_out_from) {
  net::Loop loop;
  const auto listener = std::move(*net::Listener::listen(loop, kAnyPort));
  const net::Address source = *net::Address::parse_ip("127.0.0.6", 0);
  auto made = run(loop, kernel_connector(0)(loop, listener->local_address(), {.bind_source = source}));
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->local.ip(), "127.0.0.6");
  const auto accepted = std::move(*run(loop, listener->accept()));
  EXPECT_EQ(accepted->peer_address(), made->local);
}

TEST(KernelConnector, says_when_nobody_listens) {
  net::Loop loop;
  auto listener = std::move(*net::Listener::listen(loop, kAnyPort));
  const net::Address gone = listener->local_address();
  listener.reset();
  const auto made = run(loop, kernel_connector(0)(loop, gone, {}));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kRefused);
}

}  // namespace
}  // namespace weft::proxy
