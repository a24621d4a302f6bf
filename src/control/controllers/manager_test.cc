#include "control/controllers/manager.h"

#include <gtest/gtest.h>

#include "control/testing/memory_store.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

int runs = 0;
Plan count_run(const ObjectSnapshot&, PlanContext&) {
  ++runs;
  return {};
}

/// One controller, each run of which is said to have used `costly` of CPU time.
class ControllerManagerTest : public ::testing::Test {
 protected:
  ControllerManagerTest()
      : cache(*loop, store, [this] { manager.notice(); }),
        manager(
            *loop, store, cache, {{"counting", {kinds::service()}, count_run}}, [] {},
            [this] { return used += costly; }) {
    cache.start();
    loop->advance(0ms);
    loop->advance(10s);
    runs = 0;
  }

  void change_service(int times) {
    for (int i = 0; i < times; ++i) {
      for (const auto& object :
           testing::objects("apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: " +
                            std::to_string(++port_) + "}]}\n"))
        store.put(*object);
      loop->advance(1ms);
    }
  }

  Duration costly{}, used{};
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
  ObjectCache cache;
  ControllerManager manager;

 private:
  int port_ = 1000;
};

TEST_F(ControllerManagerTest, a_cheap_controller_runs_after_each_change) {
  change_service(20);
  EXPECT_EQ(runs, 20);
}

TEST_F(ControllerManagerTest,
       a_costly_controller_rests_three_times_as_long_as_it_ran_and_sees_the_last_change) {
  costly = 50ms;
  change_service(20);
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(manager.idle());
  loop->advance(150ms);
  EXPECT_EQ(runs, 1);
  loop->advance(50ms);
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(manager.idle());
}

TEST_F(ControllerManagerTest, no_rest_is_longer_than_two_seconds_after_the_run) {
  costly = 10s;
  change_service(2);
  EXPECT_EQ(runs, 1);
  loop->advance(12s);
  EXPECT_EQ(runs, 2);
}

/// Wants seventy namespaces.
Plan want_many(const ObjectSnapshot& snapshot, PlanContext&) {
  Plan plan;
  for (int i = 0; i < 70; ++i) {
    const std::string name = "n" + std::to_string(i);
    if (snapshot.find({kinds::name_space(), "", name})) continue;
    const auto made = testing::objects("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n");
    plan.push_back({Change::Kind::kCreate, *made.front()});
  }
  return plan;
}

class WritesOfAPlan : public ::testing::Test {
 protected:
  WritesOfAPlan()
      : cache(*loop, store, [this] { manager.notice(); }),
        manager(
            *loop, store, cache, {{"many", {kinds::name_space()}, want_many}}, [] {},
            [] { return Duration::zero(); }) {
    store.create_takes = 10ms;
    store.on_create = [this](const api::Object&) {
      ++begun;
      return std::optional<Error>();
    };
    manager.follow([this] { return leads; });
    cache.start();
    loop->advance(0ms);
  }

  std::size_t begun = 0;
  bool leads = true;
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
  ObjectCache cache;
  ControllerManager manager;
};

TEST_F(WritesOfAPlan, are_on_their_way_together_and_not_too_many_at_once) {
  for (const std::size_t so_far : {32u, 64u, 70u}) {
    EXPECT_EQ(begun, so_far);
    loop->advance(10ms);
  }
  EXPECT_EQ(store.all(kinds::name_space()).size(), 70u);
  EXPECT_TRUE(manager.idle());
}

TEST_F(WritesOfAPlan, end_when_another_replica_leads) {
  leads = false;
  loop->advance(100ms);
  EXPECT_EQ(begun, 32u) << "those that were on their way";
}

TEST_F(ControllerManagerTest, nobody_who_waits_waits_for_a_rest) {
  costly = 1s;
  change_service(2);
  EXPECT_FALSE(manager.idle());
  manager.notice_at_once();
  EXPECT_TRUE(manager.idle());
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace weft::control
