#include "ratings/database_workers.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <latch>
#include <optional>
#include <stdexcept>

namespace bookinfo::ratings {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Asks the workers and keeps the outcome.
asio::awaitable<void> ask(DatabaseWorkers& workers, DatabaseWorkers::Work work,
                          std::chrono::milliseconds timeout, std::optional<RatingRows>& outcome) {
  outcome = co_await workers.run(std::move(work), timeout);
}

struct Workers {
  asio::io_context loop;
  std::latch released{1};
  DatabaseWorkers workers{2, 3};

  void start(DatabaseWorkers::Work work, std::chrono::milliseconds timeout,
             std::optional<RatingRows>& outcome) {
    asio::co_spawn(loop, ask(workers, std::move(work), timeout, outcome), asio::detached);
  }
  DatabaseWorkers::Work until_released() {
    return [this](Deadline) -> RatingRows {
      released.wait();
      return boost::json::array{1};
    };
  }
};

RatingRows five(Deadline) { return boost::json::array{5}; }

TEST(DatabaseWorkers, bring_back_what_the_work_returns_or_throws) {
  Workers w;
  std::optional<RatingRows> good, bad;
  w.start(five, 10s, good);
  w.start([](Deadline) -> RatingRows { throw std::runtime_error("torn"); }, 10s, bad);
  w.loop.run();
  EXPECT_EQ(good.value(), (boost::json::array{5}));
  EXPECT_EQ(bad.value().error().why, "torn");
}

TEST(DatabaseWorkers, answer_at_the_deadline_though_the_work_goes_on) {
  Workers w;
  std::optional<RatingRows> late;
  w.start(w.until_released(), 20ms, late);
  w.loop.run();
  EXPECT_EQ(late.value().error().kind, Failure::Kind::kBusy);
  w.released.count_down();
}

TEST(DatabaseWorkers, refuse_at_once_when_the_line_is_full) {
  Workers w;
  std::optional<RatingRows> outcomes[2], waiting[3], refused;
  std::latch both_begun(2);
  for (auto& outcome : outcomes) {
    w.start(
        [&](Deadline deadline) {
          both_begun.count_down();
          return w.until_released()(deadline);
        },
        10s, outcome);
  }
  w.loop.poll();
  both_begun.wait();
  for (auto& outcome : waiting) w.start(five, 10s, outcome);
  w.start(five, 10s, refused);
  w.loop.poll();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error().kind, Failure::Kind::kBusy);
  w.released.count_down();
  w.loop.run();
  for (auto& outcome : waiting) EXPECT_EQ(outcome.value(), (boost::json::array{5}));
}

TEST(DatabaseWorkers, never_begin_work_whose_deadline_passed_in_line) {
  Workers w;
  bool has_begun = false;
  std::optional<RatingRows> outcomes[2], late, after;
  for (auto& outcome : outcomes) w.start(w.until_released(), 10s, outcome);
  w.loop.poll();
  w.start(
      [&](Deadline deadline) {
        has_begun = true;
        return five(deadline);
      },
      10ms, late);
  while (!late) w.loop.run_one();
  w.released.count_down();
  w.start(five, 10s, after);
  w.loop.run();
  EXPECT_EQ(after.value(), (boost::json::array{5}));
  EXPECT_EQ(late->error().kind, Failure::Kind::kBusy);
  EXPECT_FALSE(has_begun);
}

}  // namespace
}  // namespace bookinfo::ratings
