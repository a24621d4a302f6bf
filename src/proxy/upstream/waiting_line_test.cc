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

/// Requests that wait in one line for rooms, and what became of each: "a ", "a- " one that found none, "a!
/// " one that waits no longer.
class RequestsInLine : public ::testing::Test {
 protected:
  using Kind = WaitingLine::Kind;

  void join(const std::string& name, std::size_t& from, std::shared_ptr<Kind> kind = nullptr,
            TimePoint deadline = kNever, WaitingLine::Handle* handle = nullptr) {
    scope.spawn(wait(*this, name, from, std::move(kind), deadline, handle));
  }
  static net::Task<void> wait(RequestsInLine& self, std::string name, std::size_t& from,
                              std::shared_ptr<Kind> kind, TimePoint deadline, WaitingLine::Handle* handle) {
    WaitingLine::Turn turn(*self.loop, self.line, Place::take(self.pending, 100), self.counters, handle);
    for (;;) {
      const bool woken = co_await turn.wait(deadline, kind);
      self.log += name + (!woken ? "! " : from == 0 ? "- " : " ");
      if (woken && from == 0) continue;
      if (woken) --from;
      co_return;
    }
  }
  /// What becomes of those in line when there are `more` rooms, told once.
  std::string add(std::size_t more, std::size_t& to) {
    log.clear();
    to += more;
    line.wake();
    loop->advance(1ms);
    return log;
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  std::atomic<std::uint32_t> pending{0};
  ClusterCounters counters;
  WaitingLine line;
  std::shared_ptr<Kind> streams = std::make_shared<Kind>(), places = std::make_shared<Kind>();
  std::size_t rooms = 0, other_rooms = 0;
  std::string log;
  net::TaskScope scope;
};

TEST_F(RequestsInLine, keeps_who_was_woken_first_until_it_has_tried) {
  join("a", rooms = 1, places);
  line.wake();
  EXPECT_EQ(log, "");
  EXPECT_FALSE(line.empty() || places->empty());
  loop->advance(1ms);
  EXPECT_EQ(log, "a ");
  EXPECT_TRUE(line.empty() && places->empty());
}

TEST_F(RequestsInLine, serves_first_come_first_served_as_many_as_there_is_room_for) {
  for (const char* name : {"a", "b", "c", "d", "e"}) join(name, rooms);
  EXPECT_EQ(pending, 5u);
  EXPECT_EQ(add(1, rooms), "a b- ");
  EXPECT_EQ(add(2, rooms), "b c d- ") << "told once is enough";
  EXPECT_EQ(add(0, rooms), "d- ") << "who finds no room wakes nobody";
  EXPECT_EQ(add(9, rooms), "d e ");
  EXPECT_EQ(add(9, rooms), "");
  EXPECT_EQ(pending, 0u);
  EXPECT_EQ(counters.upstream_rq_pending_active, 0u);
  EXPECT_TRUE(line.empty());
}

TEST_F(RequestsInLine, wakes_who_comes_before_the_one_that_was_woken_has_tried) {
  join("a", rooms = 2);
  line.wake();
  line.wake();
  join("b", rooms);
  join("c", rooms);
  loop->advance(1ms);
  EXPECT_EQ(log, "a b c- ");
}

TEST_F(RequestsInLine, wakes_the_next_when_who_was_woken_is_destroyed) {
  net::TaskScope other;
  other.spawn(wait(*this, "a", rooms = 1, places, kNever, nullptr));
  join("b", rooms, places);
  line.wake();
  other.cancel_all();
  loop->advance(1ms);
  EXPECT_EQ(log, "b ");
  EXPECT_TRUE(line.empty() && places->empty());
}

TEST_F(RequestsInLine, who_waits_for_something_else_keeps_nobody_waiting) {
  join("a", rooms, places);
  join("b", other_rooms, streams);
  join("c", other_rooms, streams);
  other_rooms = 2;
  line.wake(*streams);
  loop->advance(1ms);
  EXPECT_EQ(log, "b c ");
  EXPECT_TRUE(streams->empty());
  EXPECT_FALSE(line.empty() || places->empty());
}

TEST_F(RequestsInLine, of_those_that_are_woken_at_once_the_first_in_line_tries_first) {
  join("a", rooms, places);
  join("b", rooms, streams);
  rooms = 1;
  line.wake(*streams);
  line.wake();
  loop->advance(1ms);
  EXPECT_EQ(log, "a b- ") << "and each once";
  line.wake();
  line.wake(*streams);
  rooms = 1;
  loop->advance(1ms);
  EXPECT_EQ(log, "a b- b ");
}

TEST_F(RequestsInLine, forgets_who_has_waited_long_enough_or_is_given_up) {
  WaitingLine::Handle handle;
  join("a", rooms, places, loop->now() + 10ms);
  join("b", rooms, places, kNever, &handle);
  join("c", rooms, places);
  loop->advance(20ms);
  EXPECT_EQ(log, "a! ");
  handle.give_up();
  loop->advance(1ms);
  EXPECT_EQ(log, "a! b! ");
  EXPECT_EQ(handle.turn, nullptr);
  handle.give_up();
  EXPECT_EQ(add(1, rooms), "c ");
  EXPECT_EQ(pending, 0u);
}

TEST_F(RequestsInLine, wakes_all_once_each) {
  for (const char* name : {"a", "b", "c"}) join(name, rooms);
  line.wake_all();
  loop->advance(1ms);
  EXPECT_EQ(log, "a- b- c- ");
  EXPECT_EQ(add(1, rooms), "a b- ");
}

}  // namespace
}  // namespace weft::proxy
