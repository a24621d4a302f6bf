#include "proxy/upstream/places.h"

#include <gtest/gtest.h>

#include <optional>

#include "net/task.h"

namespace weft::proxy {
namespace {

/// A request that waits in line and keeps its wake or leaves it to the next.
class Waiting {
 public:
  Waiting(net::Loop& loop, WaitingLine& line, ClusterCounters& counters, bool uses)
      : turn_(std::in_place, loop, line, Place{}, counters, nullptr), uses_(uses) {
    scope_.spawn(wait(*this));
  }
  bool tried() const { return tried_; }

 private:
  static net::Task<void> wait(Waiting& self) {
    self.tried_ = co_await self.turn_->wait(kNever);
    if (self.uses_) self.turn_->use();
    self.turn_.reset();
  }

  std::optional<WaitingLine::Turn> turn_;
  bool uses_, tried_ = false;
  net::TaskScope scope_;
};

class Line : public testing::Test {
 protected:
  void run(const Waiting& until) {
    while (!until.tried()) loop_.run_once(std::chrono::seconds(10));
  }
  net::Loop loop_;
  WaitingLine line_;
  ClusterCounters counters_;
};

TEST_F(Line, who_was_woken_is_first_in_line_until_it_has_tried) {
  Waiting only(loop_, line_, counters_, true);
  line_.wake_one();
  EXPECT_FALSE(only.tried());
  EXPECT_FALSE(line_.empty());
  run(only);
  EXPECT_TRUE(line_.empty());
}

TEST_F(Line, a_wake_beyond_those_in_line_is_for_who_comes_before_they_have_tried) {
  Waiting first(loop_, line_, counters_, true);
  line_.wake_one();
  line_.wake_one();
  Waiting second(loop_, line_, counters_, true);
  Waiting third(loop_, line_, counters_, true);
  run(second);
  EXPECT_TRUE(first.tried());
  EXPECT_FALSE(third.tried());
}

TEST_F(Line, a_wake_that_led_to_nothing_goes_to_the_next) {
  Waiting first(loop_, line_, counters_, false);
  Waiting second(loop_, line_, counters_, true);
  line_.wake_one();
  run(second);
  EXPECT_TRUE(first.tried());
  EXPECT_EQ(counters_.upstream_rq_pending_active, 0u);
}

TEST_F(Line, a_woken_request_that_is_destroyed_gives_its_wake_to_the_next) {
  auto first = std::make_unique<Waiting>(loop_, line_, counters_, true);
  Waiting second(loop_, line_, counters_, true);
  line_.wake_one();
  first.reset();
  run(second);
  EXPECT_TRUE(line_.empty());
}

}  // namespace
}  // namespace weft::proxy
