#include "net/event.h"

#include <gtest/gtest.h>

#include "net/task.h"

namespace weft::net {
namespace {

Task<void> note_end(Event& event, TimePoint limit, std::vector<bool>& seen) {
  seen.push_back(co_await event.wait_until(limit));
}

TEST(Event, wakes_all_its_waiters) {
  auto loop = Loop::simulated();
  Event event(*loop);
  std::vector<bool> seen;
  TaskScope tasks;
  tasks.spawn(note_end(event, kNever, seen));
  tasks.spawn(note_end(event, loop->now() + 10s, seen));
  event.set();
  EXPECT_TRUE(seen.empty());
  loop->advance(0s);
  EXPECT_EQ(seen, (std::vector<bool>{true, true}));
}

TEST(Event, says_that_the_limit_came_first) {
  auto loop = Loop::simulated();
  Event event(*loop);
  std::vector<bool> seen;
  TaskScope tasks;
  tasks.spawn(note_end(event, loop->now() + 10s, seen));
  loop->advance(9s);
  EXPECT_TRUE(seen.empty());
  loop->advance(1s);
  EXPECT_EQ(seen, (std::vector<bool>{false}));
  event.set();
  loop->advance(1s);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Event, forgets_a_waiter_that_was_given_up) {
  auto loop = Loop::simulated();
  Event event(*loop);
  std::vector<bool> seen;
  {
    TaskScope tasks;
    tasks.spawn(note_end(event, kNever, seen));
  }
  event.set();
  loop->advance(1s);
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace weft::net
