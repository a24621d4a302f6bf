#include "proxy/upstream/places.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {
namespace {

TEST(Place, is_held_within_its_limit_and_given_back_once) {
  std::atomic<std::uint32_t> used{0};
  Place first = Place::take(used, 2);
  Place second = Place::take(used, 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Place::take(used, 2));
  Place moved = std::move(first);
  first.give_back();
  EXPECT_EQ(used, 2u);
  second = std::move(moved);
  EXPECT_EQ(used, 1u) << "what is assigned over is given back";
  second.give_back();
  second.give_back();
  EXPECT_EQ(used, 0u);
  EXPECT_TRUE(Place::take(used, Place::kUnlimited));
  EXPECT_EQ(used, 0u) << "what has no limit is not counted";
  const Place beyond = Place::beyond(used);
  EXPECT_TRUE(beyond);
  EXPECT_EQ(used, 1u);
}

/// Requests that wait in one line, and what became of each.
class RequestsInLine : public ::testing::Test {
 protected:
  enum class Then : std::uint8_t { kUses, kLeaves, kWaitsAgain };

  void join(const std::string& name, Then then, TimePoint deadline = kNever,
            WaitingLine::Handle* handle = nullptr) {
    scope.spawn(wait(*this, name, then, deadline, handle));
  }
  static net::Task<void> wait(RequestsInLine& self, std::string name, Then then, TimePoint deadline,
                              WaitingLine::Handle* handle) {
    WaitingLine::Turn turn(*self.loop, self.line, Place::take(self.pending, 100), self.counters, handle);
    for (;;) {
      const bool woken = co_await turn.wait(deadline);
      self.log += name + (woken ? " " : "! ");
      if (!woken) co_return;
      if (then == Then::kWaitsAgain) {
        then = Then::kUses;
        continue;
      }
      if (then == Then::kUses) turn.use();
      co_return;
    }
  }
  std::string wake_one() {
    log.clear();
    line.wake_one();
    loop->advance(1ms);
    return log;
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::atomic<std::uint32_t> pending{0};
  ClusterCounters counters;
  WaitingLine line;
  std::string log;
  net::TaskScope scope;
};

TEST_F(RequestsInLine, keeps_who_was_woken_first_until_it_has_tried) {
  join("a", Then::kUses);
  line.wake_one();
  EXPECT_EQ(log, "");
  EXPECT_FALSE(line.empty());
  loop->advance(1ms);
  EXPECT_EQ(log, "a ");
  EXPECT_TRUE(line.empty());
}

TEST_F(RequestsInLine, gives_a_wake_beyond_those_in_line_to_who_comes_before_they_have_tried) {
  join("a", Then::kUses);
  line.wake_one();
  line.wake_one();
  join("b", Then::kUses);
  join("c", Then::kUses);
  loop->advance(1ms);
  EXPECT_EQ(log, "a b ");
}

TEST_F(RequestsInLine, wakes_each_once_and_tells_when_there_are_no_more) {
  EXPECT_FALSE(line.wake_another());
  join("a", Then::kUses);
  join("b", Then::kUses);
  EXPECT_TRUE(line.wake_another());
  EXPECT_TRUE(line.wake_another());
  EXPECT_FALSE(line.wake_another());
  join("c", Then::kUses);
  loop->advance(1ms);
  EXPECT_EQ(log, "a b ");
}

TEST_F(RequestsInLine, gives_the_wake_of_who_is_destroyed_to_the_next) {
  net::TaskScope other;
  other.spawn(wait(*this, "a", Then::kUses, kNever, nullptr));
  join("b", Then::kUses);
  line.wake_one();
  other.cancel_all();
  loop->advance(1ms);
  EXPECT_EQ(log, "b ");
  EXPECT_TRUE(line.empty());
}

TEST_F(RequestsInLine, serves_first_come_first_served) {
  for (const char* name : {"a", "b", "c"}) join(name, Then::kUses);
  EXPECT_EQ(pending, 3u);
  EXPECT_EQ(wake_one() + wake_one() + wake_one(), "a b c ");
  EXPECT_EQ(wake_one(), "");
  EXPECT_EQ(pending, 0u);
  EXPECT_EQ(counters.upstream_rq_pending_active, 0u);
  EXPECT_TRUE(line.empty());
}

TEST_F(RequestsInLine, passes_a_wake_on_until_somebody_uses_it) {
  join("a", Then::kLeaves);
  join("b", Then::kLeaves);
  join("c", Then::kUses);
  join("d", Then::kUses);
  EXPECT_EQ(wake_one(), "a b c ");
  EXPECT_FALSE(line.empty()) << "d waits on";
  EXPECT_EQ(wake_one(), "d ");
}

TEST_F(RequestsInLine, keeps_the_place_of_who_tries_in_vain) {
  join("a", Then::kWaitsAgain);
  join("b", Then::kUses);
  EXPECT_EQ(wake_one(), "a ");
  EXPECT_EQ(wake_one(), "a ");
  EXPECT_EQ(wake_one(), "b ");
}

TEST_F(RequestsInLine, forgets_who_has_waited_long_enough_or_is_given_up) {
  WaitingLine::Handle handle;
  join("a", Then::kUses, loop->now() + 10ms);
  join("b", Then::kUses, kNever, &handle);
  join("c", Then::kUses);
  loop->advance(20ms);
  EXPECT_EQ(log, "a! ");
  handle.give_up();
  loop->advance(1ms);
  EXPECT_EQ(log, "a! b! ");
  EXPECT_EQ(handle.turn, nullptr);
  handle.give_up();
  EXPECT_EQ(wake_one(), "c ");
  EXPECT_EQ(pending, 0u);
}

TEST_F(RequestsInLine, wakes_all_once_each) {
  join("a", Then::kWaitsAgain);
  join("b", Then::kUses);
  join("c", Then::kWaitsAgain);
  line.wake_all();
  loop->advance(1ms);
  EXPECT_EQ(log, "a b c ");
  EXPECT_EQ(wake_one(), "a ");
}

}  // namespace
}  // namespace weft::proxy
