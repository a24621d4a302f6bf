#include "control/object_snapshot.h"

#include <gtest/gtest.h>

#include "control/testing/objects.h"

namespace weft::control {
namespace {

std::string service(const std::string& name) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {ports: [{port: 80}]}\n";
}

std::vector<std::string> changes(const ObjectSnapshot& before, const ObjectSnapshot& after) {
  std::vector<std::string> found;
  for_each_change(before, after, kinds::service(), [&](const auto& old, const auto& now) {
    const std::string name((old ? old : now)->name());
    found.push_back((!old ? "+" : !now ? "-" : "~") + name);
  });
  return found;
}

TEST(SnapshotChanges, are_the_objects_that_came_went_or_are_others_in_order) {
  auto before = testing::objects(service("b") + service("c") + service("d") + service("f"));
  auto after = before;
  after.erase(after.begin());                               // b went
  after[1] = testing::objects(service("d")).front();        // d is another
  after.push_back(testing::objects(service("a")).front());  // before all
  after.push_back(testing::objects(service("e")).front());  // between
  after.push_back(testing::objects(service("g")).front());  // behind all
  EXPECT_EQ(changes(ObjectSnapshot::of(1, before), ObjectSnapshot::of(2, after)),
            (std::vector<std::string>{"+a", "-b", "~d", "+e", "+g"}));
}

TEST(SnapshotChanges, are_none_between_equal_lists_and_all_from_nothing) {
  const auto objects = testing::objects(service("a") + service("b"));
  const ObjectSnapshot one = ObjectSnapshot::of(1, objects), two = ObjectSnapshot::of(2, objects);
  EXPECT_FALSE(one.shares(kinds::service(), two));
  EXPECT_TRUE(one.shares(kinds::service(), one));
  EXPECT_TRUE(one.shares(kinds::pod(), two)) << "neither has any";
  EXPECT_EQ(changes(one, two), std::vector<std::string>());
  EXPECT_EQ(changes(ObjectSnapshot(), one), (std::vector<std::string>{"+a", "+b"}));
  EXPECT_EQ(changes(one, ObjectSnapshot()), (std::vector<std::string>{"-a", "-b"}));
}

}  // namespace
}  // namespace weft::control
