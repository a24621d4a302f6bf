#include <gtest/gtest.h>

#include "store/embedded_store.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using testing::Directory;
using testing::run;

/// Forgets with the machine, and is faster for it.
class UnsafeDisk final : public Disk {
 public:
  int sync(int) override { return 0; }
};

const auto kConfigMap = api::find_kind("v1", "ConfigMap");

api::Object config_map(int number, const std::string& value = "1") {
  return {kConfigMap,
          {{"apiVersion", "v1"},
           {"kind", "ConfigMap"},
           {"metadata", {{"name", "n" + std::to_string(number)}, {"namespace", "default"}}},
           {"data", {{"key", value}}}}};
}

class EmbeddedWatch : public ::testing::Test {
 protected:
  void create(int from, int to, const std::string& value = "1") {
    for (int i = from; i < to; ++i) ASSERT_TRUE(run(loop, store->create(config_map(i, value))));
  }
  std::unique_ptr<Watch> watch(std::uint64_t from) {
    Query query;
    query.kind = kConfigMap;
    auto made = run(loop, store->watch(query, from));
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  net::Loop loop;
  Directory directory;
  UnsafeDisk disk;
  std::unique_ptr<EmbeddedStore> store = std::move(*EmbeddedStore::open(loop, directory.path + "/s", disk));
};

TEST_F(EmbeddedWatch, may_begin_with_more_objects_than_changes_may_queue) {
  ASSERT_NO_FATAL_FAILURE(create(0, 10'500));
  const auto all = watch(0);
  ASSERT_NO_FATAL_FAILURE(create(10'500, 10'600));
  std::set<std::string> seen;
  for (int i = 0; i < 10'600; ++i) {
    const auto event = run(loop, all->next());
    ASSERT_TRUE(event) << "event " << i << ": " << event.error().text;
    EXPECT_EQ(event->type, EventType::kAdded);
    seen.insert(std::string(event->object->name()));
  }
  EXPECT_EQ(seen.size(), 10'600u);
}

TEST_F(EmbeddedWatch, that_is_not_read_ends_at_its_bound_and_costs_no_other) {
  const auto slow = watch(0), other = watch(0);
  for (int i = 0; i < 20; ++i) {
    ASSERT_NO_FATAL_FAILURE(create(i, i + 1, std::string(600'000, 'x')));
    EXPECT_TRUE(run(loop, other->next()));
  }
  const auto behind = run(loop, slow->next());
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, Code::kUnavailable);
}

TEST_F(EmbeddedWatch, that_waits_ends_when_the_store_closes) {
  const auto open = watch(0);
  std::optional<Result<Event>> got;
  net::TaskScope scope;
  const auto keep = [](Watch& from, std::optional<Result<Event>>& into) -> net::Task<void> {
    into.emplace(co_await from.next());
  };
  scope.spawn(keep(*open, got));
  EXPECT_FALSE(got);
  store.reset();
  ASSERT_TRUE(testing::run_until(loop, [&] { return got.has_value(); }));
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace weft::store
