#include "cli/start_progress.h"

#include "cli/testing/command_test.h"
#include "cli/wait_applied.h"
#include "store/testing/forwarding_store.h"
#include "store/testing/run.h"

namespace weft::cli {
namespace {

using store::testing::run_until;

/// The store of a test, with watches that say nothing until they are let go.
class LateWatches final : public store::testing::ForwardingStore {
 public:
  LateWatches(net::Loop& loop, store::Store& store) : ForwardingStore(store), loop_(loop) {}
  void let_go() { held_ = false; }
  net::Task<Result<std::unique_ptr<store::Watch>>> watch(store::Query query, std::uint64_t from) override {
    while (held_) co_await loop_.yield();
    co_return co_await inner_.watch(std::move(query), from);
  }

 private:
  net::Loop& loop_;
  bool held_ = true;
};

std::string deployment(const std::string& name) {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name +
         "}\nspec:\n  selector: {matchLabels: {app: d}}\n  template:\n    metadata: {labels: {app: d}}\n"
         "    spec:\n      containers:\n      - {name: main, image: x}\n";
}

std::string pod(const std::string& name) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec: {restartPolicy: Never, containers: [{name: main, image: x}]}\n";
}

class StartProgressTest : public testing::CommandTest {
 protected:
  void be_ready(const std::string& name, int generation) {
    set_status("Deployment", name,
               R"({"observedGeneration": )" + std::to_string(generation) +
                   R"(, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1})");
  }
  /// Whether it comes true in some turns of the loop, enough for all watches to have said everything.
  template <class Done>
  bool run_until_quiet(const Done& done) {
    for (int turns = 0; turns < 50 && !done(); ++turns) loop.run_once(1ms);
    return done();
  }
  Applied applied(const std::string& text) {
    console.input = text;
    const auto inputs = read_input_objects(console, {{"-"}, false, "default"});
    const auto done = run(loop, apply_objects(*context, *inputs, DryRun::kNone, true));
    return *done;
  }
  void be_failed(const std::string& name, const std::string& finished_at) {
    set_status("Pod", name,
               R"({"phase": "Failed", "containerStatuses": [{"name": "main", "state": {"terminated": )"
               R"({"exitCode": 1, "finishedAt": ")" +
                   finished_at + R"("}}}]})");
  }
  /// A start that has seen the Deployment "first" ready, and sees nothing more until its watches are let go.
  struct SeenFirst {
    explicit SeenFirst(StartProgressTest& of)
        : late(of.loop, *of.store),
          context{of.console, of.loop, late, of.mesh, of.global, *of.state},
          progress(context, SteadyClock::now()) {
      progress.start();
      EXPECT_TRUE(run_until(of.loop, [&] { return progress.state() == kReady; }));
    }
    LateWatches late;
    Context context;
    StartProgress progress;
  };
  static constexpr auto kReady = StartProgress::State::kReady;
  static constexpr auto kWaiting = StartProgress::State::kWaiting;
  static constexpr auto kStuck = StartProgress::State::kStuck;
};

TEST_F(StartProgressTest, WhatWasAppliedIsWaitedForBeforeAnyWatchHasSeenIt) {
  applied(deployment("first"));
  be_ready("first", 1);
  SeenFirst start(*this);

  start.progress.expect(applied(deployment("second")));
  EXPECT_EQ(start.progress.state(), kWaiting);
  be_ready("second", 1);
  EXPECT_EQ(start.progress.state(), kWaiting);
  start.late.let_go();
  EXPECT_TRUE(run_until(loop, [&] { return start.progress.state() == kReady; }));
}

TEST_F(StartProgressTest, WhatWasThereAlreadyAndIsAppliedUnchangedIsReady) {
  applied(deployment("first"));
  be_ready("first", 1);
  StartProgress progress(*context, SteadyClock::now());
  progress.start();
  progress.expect(applied(deployment("first")));
  EXPECT_TRUE(run_until(loop, [&] { return progress.state() == kReady; }));
}

TEST_F(StartProgressTest, WhatControllersMakeOfTheFilesIsWaitedForToo) {
  applied(deployment("first"));
  be_ready("first", 1);
  SeenFirst start(*this);

  const Applied set = applied(
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec:\n  selector: {matchLabels: {app: "
      "r}}\n"
      "  template:\n    metadata: {labels: {app: r}}\n    spec: {containers: [{name: main, image: x}]}\n");
  mesh.on_get = [&] {
    return [](store::Store& to) -> net::Task<void> {
      auto parsed = api::parse_objects(pod("r-1"), "pod.yaml");
      parsed.objects.at(0).body["metadata"]["namespace"] = "default";
      EXPECT_TRUE(co_await to.create(std::move(parsed.objects.at(0))));
    }(*store);
  };
  ASSERT_TRUE(run(loop, start.progress.expect_with_outcome(set)));
  ASSERT_EQ(mesh.asked.size(), 1u);
  EXPECT_EQ(mesh.asked[0], "applied?resourceVersion=" + std::to_string(set.version) + "&timeoutSeconds=5");
  EXPECT_EQ(start.progress.state(), kWaiting) << "until the watch has seen the pod";
  start.late.let_go();
  set_status("Pod", "r-1", R"({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})");
  EXPECT_TRUE(run_until(loop, [&] { return start.progress.state() == kReady; }));
}

TEST_F(StartProgressTest, PodsOfAnEarlierTemplateDoNotMakeADeploymentReady) {
  applied(deployment("first"));
  set_status("Deployment", "first",
             R"({"observedGeneration": 1, "replicas": 2, "readyReplicas": 1, "updatedReplicas": 1})");
  StartProgress progress(*context, SteadyClock::now());
  progress.start();
  progress.expect(applied(deployment("first")));
  EXPECT_FALSE(run_until_quiet([&] { return progress.state() == kReady; }));
  be_ready("first", 1);
  EXPECT_TRUE(run_until(loop, [&] { return progress.state() == kReady; }));
}

TEST_F(StartProgressTest, APodThatFailedInThisStartIsOneThatFailedAndOneOfAnEarlierRunIsNot) {
  applied(deployment("first"));
  be_ready("first", 1);
  applied(pod("p"));
  const TimePoint began = SteadyClock::now();
  struct Case {
    const char* finished_at;
    StartProgress::State state;
  };
  for (const Case& one : {Case{"2026-03-01T11:59:00Z", kReady},
                          {"2026-03-01T12:00:00Z", kStuck},
                          {"2026-03-01T12:00:01Z", kStuck}}) {
    be_failed("p", one.finished_at);
    StartProgress progress(*context, began);
    progress.start();
    EXPECT_TRUE(run_until(loop, [&] { return progress.state() != kWaiting; }));
    EXPECT_EQ(progress.state(), one.state) << one.finished_at;
  }
}

TEST_F(StartProgressTest, WhatIsThereWithoutFilesIsAskedForByTheVersionOfNow) {
  applied(pod("p"));
  set_status("Pod", "p", R"({"phase": "Running"})");
  const std::uint64_t now = run(loop, present_version(*context));
  EXPECT_EQ(now, store->resource_version());
  mesh.responses["applied"] = {504, {{"applied", false}}};
  run(loop, [](const Context& in, std::uint64_t version) -> net::Task<bool> {
    co_await let_settle(in, version, 30s);
    co_return true;
  }(*context, now));
  EXPECT_EQ(mesh.asked.back(), "applied?resourceVersion=" + std::to_string(now) + "&timeoutSeconds=30");
  EXPECT_EQ(console.errors, "");
}

TEST(Lasting, BeginsAgainAfterAnInterruption) {
  Lasting stuck(3s);
  const TimePoint begin{100s};
  EXPECT_FALSE(stuck.lasts(true, begin));
  EXPECT_FALSE(stuck.lasts(true, begin + 2s));
  EXPECT_FALSE(stuck.lasts(false, begin + 2500ms));
  EXPECT_FALSE(stuck.lasts(true, begin + 2600ms));
  EXPECT_FALSE(stuck.lasts(true, begin + 5s));
  EXPECT_TRUE(stuck.lasts(true, begin + 5600ms));
  EXPECT_FALSE(stuck.lasts(false, begin + 6s));
}

}  // namespace
}  // namespace weft::cli
