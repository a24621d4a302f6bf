#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "store/embedded_store.h"
#include "store/testing/faulty_disk.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using testing::Directory;
using testing::FaultyDisk;
using testing::run;

/// A disk that counts, and says when it is asked to be safe from power loss.
class CountingDisk final : public Disk {
 public:
  int syncs = 0, snapshots = 0;
  std::function<void()> on_sync;
  std::size_t snapshot_after_bytes = 4 * 1024 * 1024;

  int sync(int fd) override {
    ++syncs;
    if (on_sync) on_sync();
    return Disk::sync(fd);
  }
  int rename(const std::string& from, const std::string& to) override {
    ++snapshots;
    return Disk::rename(from, to);
  }
  std::size_t snapshot_after() const override { return snapshot_after_bytes; }
};

api::Object config_map(const std::string& name, const std::string& value = "1",
                       const std::string& ns = "default") {
  api::Json body = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", {{"name", name}, {"namespace", ns}}},
                    {"data", {{"key", value}}}};
  return {api::find_kind("v1", "ConfigMap"), std::move(body)};
}

api::Object space(const std::string& name) {
  api::Json body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
  return {api::find_kind("v1", "Namespace"), std::move(body)};
}

std::set<std::string> names_in(net::Loop& loop, Store& store) {
  Query query;
  query.kind = api::find_kind("v1", "ConfigMap");
  const auto found = run(loop, store.list(query));
  EXPECT_TRUE(found);
  std::set<std::string> names;
  for (const api::ObjectPtr& each : found->items) names.emplace(each->name());
  return names;
}

/// What a process that starts now would find.
std::set<std::string> names_on_disk(net::Loop& loop, const std::string& path) {
  const Directory copy;
  std::filesystem::copy(path, copy.path + "/store", std::filesystem::copy_options::recursive);
  const auto store = EmbeddedStore::open(loop, copy.path + "/store");
  EXPECT_TRUE(store) << store.error().text;
  return store ? names_in(loop, **store) : std::set<std::string>{};
}

class GroupCommit : public ::testing::Test {
 public:
  void open(Disk& disk) {
    auto opened = EmbeddedStore::open(loop, path, disk);
    ASSERT_TRUE(opened) << opened.error().text;
    store = std::move(*opened);
  }
  /// Begins a write; what became of it is noted by its number.
  void begin(net::Task<Result<api::ObjectPtr>> write) {
    outcomes.emplace_back();
    tasks.spawn(keep(*this, outcomes.size() - 1, std::move(write)));
  }
  static net::Task<void> keep(GroupCommit& test, std::size_t number,
                              net::Task<Result<api::ObjectPtr>> write) {
    auto done = co_await write;
    ++test.over;
    test.acknowledged += done ? 1 : 0;
    test.outcomes[number] = std::move(done);
  }
  void finish() {
    while (tasks.active() != 0) loop.run_once(1s);
  }
  bool made(std::size_t number) const { return outcomes[number] && *outcomes[number]; }
  Error error(std::size_t number) const {
    return outcomes[number] && !*outcomes[number] ? outcomes[number]->error() : Error{};
  }

  net::Loop loop;
  Directory directory;
  std::string path = directory.path + "/store";
  std::unique_ptr<EmbeddedStore> store;
  std::vector<std::optional<Result<api::ObjectPtr>>> outcomes;
  int over = 0, acknowledged = 0;
  net::TaskScope tasks;
};

TEST_F(GroupCommit, writes_of_one_turn_are_one_sync_and_nobody_knows_of_them_before) {
  CountingDisk disk;
  open(disk);
  Query maps;
  maps.kind = api::find_kind("v1", "ConfigMap");
  const auto watch = run(loop, store->watch(maps, 0));
  ASSERT_TRUE(watch);
  const std::uint64_t version = store->resource_version();
  disk.syncs = 0;
  disk.on_sync = [&] { EXPECT_EQ(over, 0); };
  for (int i = 0; i < 20; ++i) begin(store->create(config_map("m" + std::to_string(i))));
  EXPECT_EQ(store->resource_version(), version);
  EXPECT_TRUE(names_in(loop, store->dry_run()).empty());
  finish();
  EXPECT_EQ(disk.syncs, 1);
  EXPECT_EQ(acknowledged, 20);
  EXPECT_EQ(names_on_disk(loop, path).size(), 20u);
  for (int i = 0; i < 20; ++i) {
    const auto event = run(loop, (*watch)->next());
    ASSERT_TRUE(event);
    EXPECT_EQ(event->object->name(), "m" + std::to_string(i)) << "in the order in which they came";
    EXPECT_EQ(event->resource_version, version + 1 + static_cast<std::uint64_t>(i));
  }
}

TEST_F(GroupCommit, a_write_by_itself_waits_for_no_timer) {
  CountingDisk disk;
  open(disk);
  begin(store->create(config_map("a")));
  loop.run_once(Duration::zero());
  loop.run_once(Duration::zero());
  EXPECT_EQ(acknowledged, 1);
}

TEST_F(GroupCommit, a_write_sees_what_those_in_front_of_it_change) {
  CountingDisk disk;
  open(disk);
  begin(store->create(space("shop")));
  begin(store->create(config_map("a", "1", "shop")));
  begin(store->create(config_map("a", "2", "shop")));
  begin(store->update(config_map("a", "3", "shop")));
  begin(store->update(config_map("a", "3", "shop")));
  finish();
  EXPECT_TRUE(made(0) && made(1) && made(3) && made(4));
  EXPECT_EQ(error(2).text, "configmaps \"a\" already exists");
  EXPECT_EQ((**outcomes[3])->resource_version(), (**outcomes[4])->resource_version());
  const auto found = run(loop, store->get({api::find_kind("v1", "ConfigMap"), "shop", "a"}));
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->body["data"]["key"], "3");
}

/// Three groups of four while calls from `fail_at` on fail, and one write by itself when the disk works
/// again. The number of those that were rejected.
int write_groups(GroupCommit& test, int fail_at, int fail_for) {
  const Directory place;
  FaultyDisk disk;
  test.path = place.path + "/store";
  test.open(disk);
  disk.fail_at = disk.calls + fail_at;
  disk.fail_for = fail_for;
  std::set<std::string> expected;
  int rejected = 0;
  for (int i = 0; i < 12; ++i) {
    test.begin(test.store->create(config_map("m" + std::to_string(i))));
    if (i % 4 != 3) continue;
    test.finish();
    for (std::size_t j = 0; j < 4; ++j) {
      if (test.made(j))
        expected.insert("m" + std::to_string(i - 3 + static_cast<int>(j)));
      else
        EXPECT_EQ(test.error(j).code, Code::kInternal) << test.error(j).text;
      rejected += test.made(j) ? 0 : 1;
    }
    test.outcomes.clear();
    EXPECT_EQ(names_in(test.loop, *test.store), expected);
    if (fail_for == 1) EXPECT_EQ(names_on_disk(test.loop, test.path), expected);
  }
  disk.fail_for = 0;
  const auto last = run(test.loop, test.store->create(config_map("last")));
  EXPECT_TRUE(last) << last.error().text;
  expected.insert("last");
  EXPECT_EQ(names_on_disk(test.loop, test.path), expected);
  test.store.reset();
  return rejected;
}

TEST_F(GroupCommit, a_disk_that_fails_at_any_call_loses_nothing_acknowledged_and_keeps_nothing_rejected) {
  int rejected = 0;
  for (const int fail_for : {1, 2, 5, 20})
    for (int call = 0; call < 8; ++call) {
      SCOPED_TRACE("from call " + std::to_string(call) + " on " + std::to_string(fail_for) + " fail");
      rejected += write_groups(*this, call, fail_for);
    }
  EXPECT_GT(rejected, 20);
}

TEST_F(GroupCommit, what_the_disk_does_not_take_together_it_may_take_one_by_one) {
  FaultyDisk disk;
  open(disk);
  disk.room = 1000;
  begin(store->create(config_map("a")));
  begin(store->create(config_map("big", std::string(2000, 'x'))));
  begin(store->create(config_map("b")));
  begin(store->create(config_map("a")));
  finish();
  EXPECT_TRUE(made(0) && made(2));
  EXPECT_NE(error(1).text.find("No space left on device"), std::string::npos) << error(1).text;
  EXPECT_EQ(error(3).text, "configmaps \"a\" already exists");
  EXPECT_EQ(names_on_disk(loop, path), (std::set<std::string>{"a", "b"}));
}

TEST_F(GroupCommit, nothing_is_rejected_for_what_never_became_true) {
  FaultyDisk disk;
  open(disk);
  disk.fail_at = disk.calls;
  disk.fail_for = 1000;
  begin(store->create(config_map("a")));
  begin(store->create(config_map("a")));
  begin(store->update(config_map("a", "2")));
  finish();
  EXPECT_EQ(error(0).code, Code::kInternal);
  EXPECT_EQ(error(1).code, Code::kInternal) << error(1).text;
  EXPECT_EQ(error(2).code, Code::kNotFound) << error(2).text;
}

TEST_F(GroupCommit, a_group_whose_end_is_cut_off_is_there_as_a_whole_or_not_at_all) {
  CountingDisk disk;
  open(disk);
  const std::string journal = path + "/journal";
  const auto before = std::filesystem::file_size(journal);
  for (const char* name : {"a", "b", "c"}) begin(store->create(config_map(name)));
  finish();
  const auto after = std::filesystem::file_size(journal);
  ASSERT_GT(after, before);
  for (auto size = after; size > before; size -= std::min<std::uintmax_t>(size - before, 7)) {
    const Directory copy;
    std::filesystem::create_directory(copy.path + "/store");
    std::filesystem::copy(journal, copy.path + "/store/journal");
    std::filesystem::resize_file(copy.path + "/store/journal", size);
    EXPECT_EQ(names_on_disk(loop, copy.path + "/store").size(), size == after ? 3u : 0u) << size;
  }
}

TEST_F(GroupCommit, a_write_that_is_cancelled_while_it_waits_is_not_made) {
  CountingDisk disk;
  open(disk);
  disk.syncs = 0;
  begin(store->create(config_map("a")));
  tasks.cancel_all();
  loop.run_once(Duration::zero());
  EXPECT_EQ(disk.syncs, 0);
  begin(store->create(config_map("b")));
  finish();
  EXPECT_EQ(names_in(loop, *store), std::set<std::string>{"b"});
}

TEST_F(GroupCommit, a_write_that_waits_when_the_store_closes_fails) {
  CountingDisk disk;
  open(disk);
  begin(store->create(config_map("a")));
  store.reset();
  finish();
  EXPECT_EQ(error(0).code, Code::kUnavailable);
}

TEST_F(GroupCommit, what_waits_is_bounded) {
  CountingDisk disk;
  open(disk);
  disk.syncs = 0;
  for (int i = 0; i < 12; ++i)
    begin(store->create(config_map("m" + std::to_string(i), std::string(900'000, 'x'))));
  EXPECT_GE(disk.syncs, 2) << "before the turn is over";
  finish();
  EXPECT_EQ(acknowledged, 12);
}

TEST_F(GroupCommit, snapshots_become_rarer_as_the_store_grows) {
  CountingDisk disk;
  disk.snapshot_after_bytes = 20'000;
  open(disk);
  for (int i = 0; i < 400; ++i)
    ASSERT_TRUE(run(loop, store->create(config_map("m" + std::to_string(i), std::string(1'000, 'x')))));
  EXPECT_GE(disk.snapshots, 3);
  EXPECT_LE(disk.snapshots, 8) << "each change would be written again for each 20 kB that follow";
  EXPECT_EQ(names_on_disk(loop, path).size(), 400u);
}

}  // namespace
}  // namespace weft::store
