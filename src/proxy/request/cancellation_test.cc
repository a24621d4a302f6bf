#include "proxy/request/cancellation.h"

#include <gtest/gtest.h>

#include <memory>

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

TEST(Cancellation, a_wait_that_ends_before_one_that_began_later_is_told_nothing_more) {
  const auto loop = net::Loop::simulated();
  Cancellation cancellation(*loop);
  int first_ended = 0, second_ended = 0;
  auto first = std::make_unique<Cancellation::Wait>(cancellation, [&] { ++first_ended; });
  auto second = std::make_unique<Cancellation::Wait>(cancellation, [&] { ++second_ended; });
  first.reset();
  cancellation.request();
  loop->settle();
  EXPECT_EQ(second_ended, 1);
  second.reset();
  const Cancellation::Wait late(cancellation, [] {});
  loop->settle();
  EXPECT_EQ(first_ended, 0);
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
