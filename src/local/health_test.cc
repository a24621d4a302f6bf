#include "local/health.h"

#include <gtest/gtest.h>

#include "net/event.h"

namespace weft::local {
namespace {

class HealthTest : public ::testing::Test {
 protected:
  net::Task<Result<void>> probe_result(bool& well, int& count) {
    ++count;
    if (well) co_return Result<void>{};
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "no"));
  }
  Check check(bool& well, int& count) {
    return [this, &well, &count] { return probe_result(well, count); };
  }
  void begin(HealthPlan plan) {
    health = std::make_unique<Health>(
        *loop, std::move(plan),
        Health::Listener{[this](bool now, const std::string& why) { ready = now, reason = why; },
                         [this](const std::string& why) { dead = why; }});
    loop->settle();
  }
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  bool ready = false, good = false, alive = true;
  int asked = 0, asked_alive = 0;
  std::string reason, dead;
  std::unique_ptr<Health> health;
};

TEST_F(HealthTest, WithoutProbesItIsReadyAtOnce) {
  begin({});
  loop->advance(1ms);
  EXPECT_TRUE(ready);
}

TEST_F(HealthTest, WithoutProbesAndWithPortsItIsReadyWhenTheyAccept) {
  HealthPlan plan;
  plan.listening = check(good, asked);
  begin(std::move(plan));
  loop->advance(1s);
  EXPECT_FALSE(ready);
  good = true;
  loop->advance(250ms);
  EXPECT_TRUE(ready);
}

TEST_F(HealthTest, PortsThatNeverAcceptKeepItFromBeingReadyForFiveSecondsOnly) {
  HealthPlan plan;
  plan.listening = check(good, asked);
  begin(std::move(plan));
  loop->advance(4900ms);
  EXPECT_FALSE(ready);
  loop->advance(500ms);
  EXPECT_TRUE(ready);
}

TEST_F(HealthTest, AReadinessProbeIsAskedAgainWithinMillisecondsUntilItSucceedsForTheFirstTime) {
  HealthPlan plan;
  plan.readiness = Repeated{.check = check(good, asked), .initial_delay = {}, .period = 10s};
  begin(std::move(plan));
  loop->advance(100ms);
  EXPECT_FALSE(ready);
  EXPECT_EQ(reason, "Readiness probe failed: no");
  good = true;
  loop->advance(200ms);
  EXPECT_TRUE(ready);
  const int before = asked;
  loop->advance(9s);
  EXPECT_EQ(asked, before) << "a ready container is asked at its own period";
}

TEST_F(HealthTest, AReadyContainerIsUnreadyAfterSoManyFailuresInARow) {
  HealthPlan plan;
  good = true;
  plan.readiness = Repeated{.check = check(good, asked), .initial_delay = {}, .period = 1s, .failures = 3};
  begin(std::move(plan));
  loop->advance(1ms);
  EXPECT_TRUE(ready);
  good = false;
  loop->advance(2s);
  EXPECT_TRUE(ready);
  loop->advance(1s);
  EXPECT_FALSE(ready);
}

TEST_F(HealthTest, AFailingLivenessProbeEndsTheContainerAndAStartupProbeHoldsItBack) {
  HealthPlan plan;
  alive = false;
  plan.startup = Repeated{.check = check(good, asked), .initial_delay = {}, .period = 1s, .failures = 30};
  plan.liveness =
      Repeated{.check = check(alive, asked_alive), .initial_delay = {}, .period = 1s, .failures = 2};
  begin(std::move(plan));
  loop->advance(10s);
  EXPECT_EQ(asked_alive, 0) << "nothing else is asked before the start-up has succeeded";
  good = true;
  loop->advance(1s);
  EXPECT_TRUE(ready);
  loop->advance(1s);
  EXPECT_EQ(dead, "Liveness probe failed: no");
}

TEST_F(HealthTest, AStartupProbeThatFailsTooOftenEndsTheContainer) {
  HealthPlan plan;
  plan.startup = Repeated{.check = check(good, asked), .initial_delay = {}, .period = 1s, .failures = 3};
  begin(std::move(plan));
  loop->advance(2s);
  EXPECT_EQ(dead, "");
  loop->advance(2s);
  EXPECT_EQ(dead, "Startup probe failed: no");
  EXPECT_FALSE(ready);
}

TEST_F(HealthTest, NothingIsCalledAfterItsEnd) {
  HealthPlan plan;
  plan.readiness = Repeated{.check = check(good, asked), .initial_delay = {}, .period = 1s};
  begin(std::move(plan));
  loop->advance(1ms);
  health.reset();
  good = true;
  loop->advance(10s);
  EXPECT_FALSE(ready);
}

}  // namespace
}  // namespace weft::local
