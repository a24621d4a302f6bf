#include "proxy/request/cancellation.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

TEST(Cancellation, ends_the_innermost_wait_from_the_loop_and_once) {
  const auto loop = net::Loop::simulated();
  Cancellation cancellation(*loop);
  int outer = 0, inner = 0;
  const Cancellation::Wait around(cancellation, [&] { ++outer; });
  {
    const Cancellation::Wait wait(cancellation, [&] { ++inner; });
    cancellation.request();
    cancellation.request();
    EXPECT_TRUE(cancellation.requested());
    EXPECT_EQ(inner, 0);
    loop->settle();
  }
  loop->settle();
  EXPECT_EQ(inner, 1);
  EXPECT_EQ(outer, 0);
}

TEST(Cancellation, a_wait_that_begins_when_it_was_requested_already_is_ended_too) {
  const auto loop = net::Loop::simulated();
  Cancellation cancellation(*loop);
  cancellation.request();
  loop->settle();
  int ended = 0;
  const Cancellation::Wait late(cancellation, [&] { ++ended; });
  EXPECT_EQ(ended, 0);
  loop->settle();
  EXPECT_EQ(ended, 1);
}

TEST(Cancellation, tells_nobody_when_its_request_is_over) {
  const auto loop = net::Loop::simulated();
  {
    Cancellation cancellation(*loop);
    cancellation.request();
  }
  loop->settle();
}

}  // namespace
}  // namespace weft::proxy
