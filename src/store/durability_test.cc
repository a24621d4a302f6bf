#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "api/json_text.h"
#include "api/parse.h"
#include "store/embedded_store.h"
#include "store/testing/faulty_disk.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using testing::Directory;
using testing::FaultyDisk;
using testing::run;

/// What a store holds, as far as these tests write it: "namespace/name" and the value.
using Contents = std::map<std::string, std::string>;

api::Object config_map(const std::string& ns, const std::string& name, const std::string& value) {
  api::Json body = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", {{"name", name}, {"namespace", ns}}},
                    {"data", {{"key", value}}}};
  return {api::find_kind("v1", "ConfigMap"), std::move(body)};
}

api::Key key_of(const std::string& ns, const std::string& name) {
  return {api::find_kind("v1", "ConfigMap"), ns, name};
}

Contents contents_of(net::Loop& loop, Store& store) {
  Contents contents;
  Query query;
  query.kind = api::find_kind("v1", "ConfigMap");
  const auto maps = run(loop, store.list(query));
  EXPECT_TRUE(maps);
  for (const api::ObjectPtr& each : maps->items)
    contents[std::string(each->ns()) + "/" + std::string(each->name())] =
        api::json_string(each->body["data"], "key");
  query.kind = api::find_kind("v1", "Namespace");
  const auto spaces = run(loop, store.list(query));
  EXPECT_TRUE(spaces);
  for (const api::ObjectPtr& each : spaces->items) contents[std::string(each->name())] = "namespace";
  return contents;
}

/// What a process that starts now would find.
Contents contents_on_disk(net::Loop& loop, const std::string& path) {
  const Directory copy;
  std::filesystem::copy(path, copy.path + "/store", std::filesystem::copy_options::recursive);
  const auto store = EmbeddedStore::open(loop, copy.path + "/store");
  EXPECT_TRUE(store) << store.error().text;
  return store ? contents_of(loop, **store) : Contents{};
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

struct Step {
  std::function<net::Task<Result<api::ObjectPtr>>(Store&)> act;
  std::function<void(Contents&)> expected;
};

std::vector<Step> steps() {
  const auto create = [](const std::string& ns, const std::string& name) -> Step {
    return {[=](Store& s) { return s.create(config_map(ns, name, "1")); },
            [=](Contents& c) { c[ns + "/" + name] = "1"; }};
  };
  api::Object space{api::find_kind("v1", "Namespace"),
                    {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "shop"}}}}};
  return {{[=](Store& s) { return s.create(space); }, [](Contents& c) { c["shop"] = "namespace"; }},
          create("shop", "a"),
          create("shop", "b"),
          create("default", "c"),
          {[](Store& s) { return s.update(config_map("default", "c", "2")); },
           [](Contents& c) { c["default/c"] = "2"; }},
          {[](Store& s) { return s.remove({api::find_kind("v1", "Namespace"), "", "shop"}, -1); },
           [](Contents& c) {
             std::erase_if(c, [](const auto& each) { return each.first.starts_with("shop"); });
           }},
          create("default", "d"),
          {[](Store& s) { return s.remove(key_of("default", "c"), -1); },
           [](Contents& c) { c.erase("default/c"); }}};
}

/// Whether nothing is told to a watch but what became true.
void expect_watched(net::Loop& loop, Watch& watch, Contents& watched, const Contents& expected) {
  while (watched != expected) {
    const auto event = run(loop, watch.next());
    ASSERT_TRUE(event);
    const std::string name = std::string(event->object->ns()) + "/" + std::string(event->object->name());
    if (event->type == EventType::kDeleted)
      watched.erase(name);
    else
      watched[name] = api::json_string(event->object->body["data"], "key");
  }
}

/// Every step is tried until it succeeds, as a client would; at each moment memory and disk hold what was
/// acknowledged.
void take_all_steps(FaultyDisk& disk, bool& failed) {
  net::Loop loop;
  const Directory directory;
  const std::string path = directory.path + "/store";
  auto store = EmbeddedStore::open(loop, path, disk);
  if (!store) {
    failed = true;
    store = EmbeddedStore::open(loop, path, disk);
  }
  ASSERT_TRUE(store) << store.error().text;
  Contents expected = contents_of(loop, **store), watched;
  Query maps;
  maps.kind = api::find_kind("v1", "ConfigMap");
  const auto watch = run(loop, (*store)->watch(maps, 0));
  ASSERT_TRUE(watch);
  for (const Step& step : steps()) {
    for (int tries = 0;; ++tries) {
      ASSERT_LT(tries, 20);
      const auto done = run(loop, step.act(**store));
      if (done) break;
      failed = true;
      EXPECT_EQ(done.error().code, Code::kInternal) << done.error().text;
      EXPECT_NE(done.error().text.find("/store/"), std::string::npos) << done.error().text;
      ASSERT_EQ(contents_of(loop, **store), expected);
      ASSERT_EQ(contents_on_disk(loop, path), expected) << done.error().text;
    }
    step.expected(expected);
    ASSERT_EQ(contents_of(loop, **store), expected);
    ASSERT_EQ(contents_on_disk(loop, path), expected);
    Contents of_maps = expected;
    std::erase_if(of_maps, [](const auto& each) { return each.second == "namespace"; });
    expect_watched(loop, **watch, watched, of_maps);
  }
}

TEST(Durability, a_disk_that_fails_at_any_call_loses_nothing_acknowledged_and_keeps_nothing_rejected) {
  int failures = 0;
  for (int call = 0;; ++call) {
    FaultyDisk disk;
    disk.fail_at = call;
    bool failed = false;
    ASSERT_NO_FATAL_FAILURE(take_all_steps(disk, failed)) << "call " << call << " fails";
    if (disk.calls <= call) break;
    failures += failed ? 1 : 0;
  }
  EXPECT_GT(failures, 10);
}

TEST(Durability, a_disk_that_is_full_after_any_number_of_bytes_serves_again_when_there_is_room) {
  for (off_t room = 0; room < 2200; room += 37) {
    net::Loop loop;
    const Directory directory;
    const std::string path = directory.path + "/store";
    FaultyDisk disk;
    auto store = EmbeddedStore::open(loop, path, disk);
    ASSERT_TRUE(store);
    disk.room = room;
    Contents expected = contents_of(loop, **store);
    for (const Step& step : steps()) {
      auto done = run(loop, step.act(**store));
      if (!done) {
        ASSERT_EQ(contents_of(loop, **store), expected);
        ASSERT_EQ(contents_on_disk(loop, path), expected);
        disk.room = 1'000'000;
        done = run(loop, step.act(**store));
      }
      ASSERT_TRUE(done) << done.error().text;
      step.expected(expected);
      ASSERT_EQ(contents_on_disk(loop, path), expected) << room;
    }
  }
}

TEST(Durability, while_half_a_record_cannot_be_taken_back_nothing_is_written) {
  net::Loop loop;
  const Directory directory;
  const std::string path = directory.path + "/store";
  FaultyDisk disk;
  auto store = EmbeddedStore::open(loop, path, disk);
  ASSERT_TRUE(store);
  const Contents expected = contents_of(loop, **store);
  disk.fail_at = disk.calls;
  disk.fail_for = 4;  // the write, two attempts to cut, and the one before the next write
  EXPECT_FALSE(run(loop, (*store)->create(config_map("default", "a", "1"))));
  EXPECT_FALSE(run(loop, (*store)->create(config_map("default", "b", "1"))));
  EXPECT_EQ(contents_on_disk(loop, path), expected);
  disk.fail_for = 0;
  ASSERT_TRUE(run(loop, (*store)->create(config_map("default", "b", "1"))));
  EXPECT_EQ(contents_on_disk(loop, path), contents_of(loop, **store));
}

TEST(Durability, damage_in_the_middle_is_reported_with_what_helps_and_that_helps) {
  net::Loop loop;
  const Directory directory;
  const std::string path = directory.path + "/store", journal = path + "/journal";
  std::size_t middle = 0;
  Contents expected;
  {
    auto store = EmbeddedStore::open(loop, path);
    ASSERT_TRUE(run(loop, (*store)->create(config_map("default", "a", "1"))));
    expected = contents_of(loop, **store);
    middle = read_file(journal).size();
    ASSERT_TRUE(run(loop, (*store)->create(config_map("default", "b", "1"))));
    ASSERT_TRUE(run(loop, (*store)->create(config_map("default", "c", "1"))));
  }
  std::string bytes = read_file(journal);
  bytes[middle + 40] ^= 1;
  write_file(journal, bytes);
  const auto damaged = EmbeddedStore::open(loop, path);
  ASSERT_FALSE(damaged);
  const std::string& text = damaged.error().text;
  const std::string cure = "truncate -s " + std::to_string(middle) + " " + journal;
  EXPECT_NE(text.find("damaged at byte " + std::to_string(middle)), std::string::npos) << text;
  EXPECT_NE(text.find("weft down --purge"), std::string::npos) << text;
  ASSERT_NE(text.find(cure), std::string::npos) << text;
  ASSERT_EQ(std::system(cure.c_str()), 0);
  auto store = EmbeddedStore::open(loop, path);
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(contents_of(loop, **store), expected);
}

/// Enough for more than one snapshot.
void fill(net::Loop& loop, Store& store, int from, int to) {
  for (int i = from; i < to; ++i)
    ASSERT_TRUE(run(loop, store.create(config_map("default", "big-" + std::to_string(i),
                                                  std::string(5'000, static_cast<char>('a' + i))))));
}

/// A store with so many of them, on a disk where the ninth leads to a snapshot.
std::unique_ptr<EmbeddedStore> filled(net::Loop& loop, const std::string& path, FaultyDisk& disk, int count) {
  disk.snapshot_after_bytes = 42'000;
  auto store = EmbeddedStore::open(loop, path, disk);
  WEFT_ASSERT(store.has_value());
  fill(loop, **store, 0, count);
  return std::move(*store);
}

TEST(Durability, a_snapshot_that_fails_fails_no_change_and_leaves_no_file) {
  for (int call = 0; call < 8; ++call) {
    net::Loop loop;
    const Directory directory;
    const std::string path = directory.path + "/store";
    FaultyDisk disk;
    std::unique_ptr<EmbeddedStore> store;
    ASSERT_NO_FATAL_FAILURE(store = filled(loop, path, disk, 8));
    disk.fail_at = disk.calls + 2 + call;  // behind the write and the sync of the ninth
    ASSERT_NO_FATAL_FAILURE(fill(loop, *store, 8, 9));
    EXPECT_FALSE(std::filesystem::exists(path + "/snapshot.new"));
    EXPECT_EQ(contents_on_disk(loop, path), contents_of(loop, *store)) << call;
    disk.fail_for = 0;
    ASSERT_NO_FATAL_FAILURE(fill(loop, *store, 9, 19));
    EXPECT_TRUE(std::filesystem::exists(path + "/snapshot"));
    EXPECT_EQ(contents_on_disk(loop, path), contents_of(loop, *store)) << call;
  }
}

TEST(Durability, a_snapshot_that_lacks_its_end_is_damage_and_not_an_unfinished_write) {
  net::Loop loop;
  const Directory directory;
  const std::string path = directory.path + "/store";
  {
    FaultyDisk disk;
    ASSERT_NO_FATAL_FAILURE(filled(loop, path, disk, 9));
  }
  const std::string whole = read_file(path + "/snapshot");
  ASSERT_GT(whole.size(), 40'000u);
  for (const std::size_t cut_off : {std::size_t{1}, std::size_t{6'000}, whole.size() - 40}) {
    write_file(path + "/snapshot", whole.substr(0, whole.size() - cut_off));
    const auto damaged = EmbeddedStore::open(loop, path);
    ASSERT_FALSE(damaged);
    EXPECT_NE(damaged.error().text.find("snapshot: damaged"), std::string::npos) << damaged.error().text;
  }
}

/// Writes forever and says what was acknowledged.
[[noreturn]] void write_until_killed(const std::string& path, int acknowledged) {
  net::Loop loop;
  auto store = EmbeddedStore::open(loop, path);
  for (int i = 0; store; ++i) {
    const std::string name = "n" + std::to_string(i);
    if (!run(loop, (*store)->create(config_map("default", name, std::string(3000, 'x'))))) break;
    if (::write(acknowledged, &i, sizeof i) != sizeof i) break;
  }
  ::_exit(1);
}

TEST(Durability, a_process_killed_at_any_moment_leaves_what_it_acknowledged_and_at_most_the_next) {
  for (int round = 0; round < 15; ++round) {
    const Directory directory;
    const std::string path = directory.path + "/store";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(path, ends[1]);
    ::close(ends[1]);
    int last = -1, read = 0;
    // The end comes in the middle of some later write.
    while (read < 5 * round + 1 && ::read(ends[0], &last, sizeof last) == sizeof last) ++read;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &last, sizeof last) == sizeof last) ++read;
    ::close(ends[0]);
    ASSERT_GT(read, 0);
    net::Loop loop;
    const auto store = EmbeddedStore::open(loop, path);
    ASSERT_TRUE(store) << store.error().text;
    Contents found = contents_of(loop, **store);
    for (int i = 0; i <= last; ++i) EXPECT_EQ(found.erase("default/n" + std::to_string(i)), 1u) << i;
    found.erase("default/n" + std::to_string(last + 1));
    EXPECT_EQ(found.size(), 2u);  // the two namespaces
  }
}

TEST(Durability, a_full_disk_says_so_and_what_it_rejected_is_not_seen) {
  net::Loop loop;
  const Directory directory;
  FaultyDisk disk;
  auto store = EmbeddedStore::open(loop, directory.path + "/store", disk);
  disk.room = 100;
  const std::uint64_t version = (*store)->resource_version();
  const auto full = run(loop, (*store)->create(config_map("default", "a", "1")));
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().text.find("No space left on device"), std::string::npos) << full.error().text;
  EXPECT_EQ((*store)->resource_version(), version);
  EXPECT_FALSE(run(loop, (*store)->get(key_of("default", "a"))));
}

/// Processor time of this thread.
Duration spent() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

class NoSync final : public Disk {
  int sync(int) override { return 0; }
};

/// How long the removal of a namespace of so many objects takes, half of which belong to others in it.
Duration time_to_remove(int objects) {
  net::Loop loop;
  const Directory directory;
  NoSync disk;
  auto store = EmbeddedStore::open(loop, directory.path + "/store", disk);
  EXPECT_TRUE(store) << store.error().text;
  api::Json space = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "full"}}}};
  EXPECT_TRUE(run(loop, (*store)->create({api::find_kind("v1", "Namespace"), std::move(space)})));
  std::string owner;
  for (int i = 0; i < objects; ++i) {
    api::Object each = config_map("full", "m" + std::to_string(i), "1");
    if (i % 2 == 1)
      each.body["metadata"]["ownerReferences"] = api::Json::array({{{"apiVersion", "v1"},
                                                                    {"kind", "ConfigMap"},
                                                                    {"name", "m" + std::to_string(i - 1)},
                                                                    {"uid", owner}}});
    const auto created = run(loop, (*store)->create(std::move(each)));
    EXPECT_TRUE(created) << created.error().text;
    if (created) owner = (*created)->uid();
  }
  const Duration before = spent();
  EXPECT_TRUE(run(loop, (*store)->remove({api::find_kind("v1", "Namespace"), "", "full"}, -1, {})));
  const Duration took = spent() - before;
  Query query;
  query.kind = api::find_kind("v1", "ConfigMap");
  const auto left = run(loop, (*store)->list(query));
  EXPECT_TRUE(left && left->items.empty());
  return took;
}

TEST(EmbeddedStore, removing_a_namespace_takes_time_by_the_number_of_its_objects_and_not_by_its_square) {
  const Duration few = time_to_remove(150), many = time_to_remove(1500);
  EXPECT_LT(many, few * 40) << "of ten times as many; by the square it were a hundred times as long";
}

/// How long 50 removals of one object take beside so many others.
Duration time_to_remove_some(int others) {
  net::Loop loop;
  const Directory directory;
  NoSync disk;
  auto store = EmbeddedStore::open(loop, directory.path + "/store", disk);
  EXPECT_TRUE(store) << store.error().text;
  for (int i = 0; i < others + 50; ++i)
    EXPECT_TRUE(run(loop, (*store)->create(config_map("default", "m" + std::to_string(i), "1"))));
  const Duration before = spent();
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(run(loop, (*store)->remove(key_of("default", "m" + std::to_string(i)), -1, {})));
  return spent() - before;
}

TEST(EmbeddedStore, removing_an_object_takes_no_longer_because_there_are_many) {
  const Duration few = time_to_remove_some(10), many = time_to_remove_some(5000);
  EXPECT_LT(many, few * 8) << "as each removal would read 80 times as many objects";
}

}  // namespace
}  // namespace weft::store
