#include "control/controllers/links.h"

#include <gtest/gtest.h>

#include "control/controllers/attention.h"
#include "control/controllers/plan.h"
#include "control/json.h"
#include "control/testing/random_objects.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

std::string text_of(const Plan& plan) {
  std::string text;
  for (const Change& change : plan)
    text += std::to_string(static_cast<int>(change.kind)) + " " + change.object.key().to_string() + " " +
            json::canonical(change.object.body) + "\n";
  return text;
}

/// Controllers that look at everything each time beside the same that look at what has changed.
class Pair {
 public:
  explicit Pair(std::vector<Controller> controllers, std::uint64_t seed)
      : random_(seed), objects_(Random(seed + 1)), controllers_(std::move(controllers)) {
    for (const Controller& each : controllers_) attention_[each.name] = {};
  }

  /// Changes something, runs all controllers, and writes some of what they want.
  ::testing::AssertionResult step() {
    const std::string what = objects_.change();
    for (const Controller& controller : controllers_) {
      const ObjectSnapshotPtr snapshot = objects_.snapshot();
      links_.follow(snapshot);
      PlanContext all{random_seed(), "2026-01-01T00:00:00Z", rejections_}, some = all;
      const Plan expected = controller.plan(*snapshot, all);
      const auto scope = attention_[controller.name].scope(links_, *snapshot, controller.reads);
      some.scope = scope ? &*scope : nullptr;
      some.links = &links_;
      again_ = Random(1);
      const Plan plan = controller.plan(*snapshot, some);
      if (text_of(plan) != text_of(expected))
        return ::testing::AssertionFailure() << "after " << what << " " << controller.name << " should plan\n"
                                             << text_of(expected) << "and plans\n"
                                             << text_of(plan);
      attention_[controller.name].looked_at(*snapshot, controller.reads, some.unsettled);
      for (const Change& change : plan) {
        ++writes;
        if (random_.below(5) != 0) write(change);
      }
    }
    return ::testing::AssertionSuccess();
  }

  std::size_t writes = 0;

 private:
  Random& random_seed() { return again_ = Random(1); }
  void write(const Change& change) {
    switch (change.kind) {
      case Change::Kind::kCreate: return objects_.create(change.object);
      case Change::Kind::kUpdate: return objects_.update(change.object);
      case Change::Kind::kUpdateStatus: return objects_.update_status(change.object);
      case Change::Kind::kRemove: return objects_.remove(change.object.key());
    }
  }

  Random random_, again_{1};
  testing::RandomObjects objects_;
  std::vector<Controller> controllers_;
  std::map<std::string_view, Attention> attention_;
  std::map<api::Key, std::string> rejections_;
  LinkIndex links_;
};

void run(std::vector<Controller> (*controllers)(), std::uint64_t seeds) {
  std::size_t writes = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Pair pair(controllers(), seed);
    for (int step = 0; step < 40; ++step) ASSERT_TRUE(pair.step()) << "seed " << seed << ", step " << step;
    writes += pair.writes;
  }
  EXPECT_GT(writes, seeds * 30) << "there was little to find out";
}

TEST(Links, what_changes_can_concern_is_all_that_needs_to_be_looked_at_on_one_machine) {
  run(all_controllers, 12);
}

TEST(Links, what_changes_can_concern_is_all_that_needs_to_be_looked_at_on_a_cluster) {
  run(cluster_controllers, 12);
}

/// A Service and a VirtualService for it, `count` times; the rule of the last one is in its `generation`.
ObjectSnapshotPtr services_with_rules(int count, unsigned generation, const ObjectSnapshotPtr& before) {
  std::vector<api::ObjectPtr> objects;
  const auto add = [&](const api::KindInfo* kind, const std::string& name, unsigned number, api::Json spec) {
    const api::ObjectPtr known = before->find({kind, "default", name});
    if (known && known->generation() == number) return objects.push_back(known);
    api::Json metadata = {{"name", name}, {"namespace", "default"}, {"uid", name}, {"generation", number}};
    objects.push_back(std::make_shared<const api::Object>(
        api::Object{kind, {{"metadata", std::move(metadata)}, {"spec", std::move(spec)}}}));
  };
  for (int i = 0; i < count; ++i) {
    const std::string name = "service-" + std::to_string(i);
    const api::Json to = {{"destination", {{"host", name}}}};
    add(kinds::service(), name, 1, {{"ports", api::Json::array({{{"port", 80}}})}});
    add(kinds::virtual_service(), name, i + 1 == count ? generation : 1,
        {{"hosts", {name}}, {"http", api::Json::array({{{"route", api::Json::array({to})}}})}});
  }
  return std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(generation, std::move(objects)));
}

TEST(Links, a_changed_rule_concerns_as_many_objects_beside_a_thousand_as_beside_ten) {
  for (const int count : {10, 1000}) {
    const ObjectSnapshotPtr before = services_with_rules(count, 1, std::make_shared<const ObjectSnapshot>());
    const ObjectSnapshotPtr after = services_with_rules(count, 2, before);
    LinkIndex links(before);
    links.follow(after);
    const Scope scope = links.concerned(*before, kinds::watched());
    ASSERT_EQ(scope.size(), 1u);
    EXPECT_EQ(scope.begin()->first, kinds::virtual_service());
    EXPECT_EQ(scope.begin()->second.size(), 1u);
  }
}

}  // namespace
}  // namespace weft::control
