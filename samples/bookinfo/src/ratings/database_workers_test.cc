#include "ratings/database_workers.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <latch>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

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

/// Lets held work go on at the latest when a test ends, for the workers wait for it.
class Release {
 public:
  explicit Release(Workers& workers) : released_(workers.released) {}
  ~Release() { now(); }
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  void now() const {
    if (!released_.try_wait()) released_.count_down();
  }

 private:
  std::latch& released_;
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
  const Release release(w);
  std::optional<RatingRows> late;
  w.start(w.until_released(), 20ms, late);
  w.loop.run();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->error().kind, Failure::Kind::kBusy);
}

TEST(DatabaseWorkers, refuse_at_once_when_the_line_is_full) {
  Workers w;
  std::optional<RatingRows> outcomes[2], waiting[3], refused;
  std::latch both_begun(2);
  const Release release(w);
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
  release.now();
  w.loop.run();
  for (auto& outcome : waiting) EXPECT_EQ(outcome.value(), (boost::json::array{5}));
}

TEST(DatabaseWorkers, never_begin_work_whose_deadline_passed_in_line) {
  Workers w;
  const Release release(w);
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
  release.now();
  w.start(five, 10s, after);
  w.loop.run();
  EXPECT_EQ(after.value(), (boost::json::array{5}));
  EXPECT_EQ(late->error().kind, Failure::Kind::kBusy);
  EXPECT_FALSE(has_begun);
}

/// Starts a thread as often as it is allowed to.
DatabaseWorkers::MakeThread threads_while(const bool& allowed) {
  return [&allowed](std::function<void()> work) {
    if (!allowed) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    return std::thread(std::move(work));
  };
}

TEST(DatabaseWorkers, refuse_when_no_thread_can_be_had_and_leave_nothing_in_line) {
  bool allowed = false;
  asio::io_context loop;
  DatabaseWorkers workers(2, 1, threads_while(allowed));
  for (int tries = 0; tries < 3; ++tries) {
    std::optional<RatingRows> refused;
    asio::co_spawn(loop, ask(workers, five, 10s, refused), asio::detached);
    loop.restart();
    loop.run();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error().kind, Failure::Kind::kBusy);
  }
  allowed = true;
  std::optional<RatingRows> good;
  asio::co_spawn(loop, ask(workers, five, 10s, good), asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(good.value(), (boost::json::array{5}));
}

TEST(DatabaseWorkers, do_with_the_threads_they_have_when_another_cannot_be_had) {
  bool allowed = true;
  asio::io_context loop;
  DatabaseWorkers workers(2, 3, threads_while(allowed));
  std::optional<RatingRows> outcomes[3];
  for (auto& outcome : outcomes) {
    asio::co_spawn(loop, ask(workers, five, 10s, outcome), asio::detached);
    loop.poll_one();
    allowed = false;
  }
  loop.run();
  for (auto& outcome : outcomes) EXPECT_EQ(outcome.value(), (boost::json::array{5}));
}

}  // namespace
}  // namespace bookinfo::ratings
