#include "control/object_cache.h"

#include <gtest/gtest.h>

#include "control/testing/memory_store.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

class ObjectCacheTest : public ::testing::Test {
 protected:
  void start() {
    cache.emplace(*loop, store, [this] { ++announced; }, ObjectCacheOptions{});
    cache->start();
    loop->advance(1ms);
  }
  void put_service(const std::string& name) {
    for (const auto& object : testing::objects("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                                               ", namespace: default}\nspec: {ports: [{port: 80}]}\n"))
      store.put(*object);
    loop->advance(1ms);
  }
  std::size_t services() { return cache->snapshot()->all(kinds::service()).size(); }
  static Error gone() { return Error::internal(Code::kConflict, "too old resource version"); }

  static net::Task<void> removed(store::Store& store, api::Key key) {
    static_cast<void>(co_await store.remove(std::move(key)));
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
  std::optional<ObjectCache> cache;
  int announced = 0;
};

TEST_F(ObjectCacheTest, a_watch_that_ends_goes_on_from_its_last_version_without_a_list) {
  put_service("a");
  start();
  EXPECT_TRUE(cache->synced());
  std::size_t lists = store.lists();
  store.break_watches(Error::internal(Code::kUnavailable, "the watch has ended"));
  put_service("b");
  loop->advance(10s);
  EXPECT_EQ(services(), 2u);
  EXPECT_EQ(store.lists(), lists);
}

TEST_F(ObjectCacheTest, a_version_too_old_is_listed_anew_and_what_has_not_changed_is_no_news) {
  put_service("a");
  start();
  std::uint64_t before = cache->changes(kinds::service());
  std::size_t lists = store.lists();
  store.break_watches(gone());
  loop->advance(10s);
  EXPECT_GT(store.lists(), lists);
  EXPECT_EQ(cache->changes(kinds::service()), before);
  put_service("b");
  EXPECT_EQ(services(), 2u);
}

TEST_F(ObjectCacheTest, a_snapshot_has_the_stores_objects_in_order_whatever_came_and_went_since_the_last) {
  for (int i = 0; i < 60; i += 2) put_service("s" + std::to_string(i));
  start();
  net::TaskScope tasks;
  Random random(1);
  for (int step = 0; step < 300; ++step) {
    for (std::uint64_t changes = 1 + random.below(random.below(5) ? 2 : 30); changes > 0; --changes) {
      const std::string name = "s" + std::to_string(random.below(60));
      if (random.below(3))
        put_service(name);
      else
        tasks.spawn(removed(store, {kinds::service(), "default", name}));
    }
    loop->advance(1ms);
    const ObjectSnapshotPtr snapshot = cache->snapshot();
    const auto now = snapshot->all(kinds::service());
    ASSERT_EQ(std::vector(now.begin(), now.end()), store.all(kinds::service())) << step;
  }
}

TEST_F(ObjectCacheTest, what_was_deleted_while_nobody_watched_is_gone_after_the_list) {
  put_service("a");
  put_service("b");
  start();
  store.on_watch = [](const store::Query&) { return std::optional(gone()); };
  store.break_watches(gone());
  loop->advance(10s);
  net::TaskScope tasks;
  auto removal = [](testing::MemoryStore& from) -> net::Task<void> {
    (void)co_await from.remove({kinds::service(), "default", "a"});
  };
  tasks.spawn(removal(store));
  store.on_watch = {};
  loop->advance(10s);
  EXPECT_EQ(services(), 1u);
}

TEST_F(ObjectCacheTest, ten_seconds_after_an_outage_of_ten_minutes_everything_is_known) {
  put_service("a");
  start();
  auto away = [](const store::Query&) { return std::optional(Error::internal(Code::kRefused, "refused")); };
  store.on_list = store.on_watch = away;
  store.break_watches(Error::internal(Code::kReset, "reset"));
  loop->advance(1ms);
  put_service("b");
  loop->advance(600s);
  EXPECT_EQ(services(), 1u) << "what is known stays";
  EXPECT_TRUE(cache->problems().empty()) << "traffic goes on: no reason to be unready";
  EXPECT_LT(cache->failures(kinds::service()), 400u) << "no storm";
  store.on_list = store.on_watch = {};
  loop->advance(10s);
  EXPECT_EQ(services(), 2u);
}

TEST_F(ObjectCacheTest, a_server_that_lists_and_rejects_every_watch_is_not_asked_all_the_time) {
  put_service("a");
  start();
  store.on_watch = [](const store::Query&) { return std::optional(gone()); };
  store.break_watches(gone());
  const std::size_t before = store.lists();
  loop->advance(600s);
  const std::size_t rounds = (store.lists() - before) / kinds::watched().size();
  EXPECT_LT(rounds, 300u);
  EXPECT_GT(rounds, 100u) << "what changes meanwhile is seen after five seconds";
  put_service("b");
  loop->advance(5s);
  EXPECT_EQ(services(), 2u);
  store.on_watch = {};
  loop->advance(10s);
  put_service("c");
  EXPECT_EQ(services(), 3u);
}

TEST_F(ObjectCacheTest, a_watch_that_was_good_is_taken_up_at_once_when_its_version_is_too_old) {
  put_service("a");
  start();
  store.on_watch = [](const store::Query&) { return std::optional(gone()); };
  store.break_watches(gone());
  loop->advance(60s);
  store.on_watch = {};
  loop->advance(10s);
  put_service("b");
  store.break_watches(gone());
  const std::size_t before = store.lists();
  loop->advance(200ms);
  EXPECT_EQ(store.lists() - before, kinds::watched().size()) << "the failures before are forgotten";
}

TEST_F(ObjectCacheTest, a_watch_that_takes_long_to_fail_has_not_lived) {
  put_service("a");
  start();
  store.watch_takes = 3s;
  std::size_t asked = 0;
  store.on_watch = [&asked](const store::Query& query) {
    if (query.kind == kinds::service()) ++asked;
    return std::optional(Error::internal(Code::kTimeout, "no answer"));
  };
  store.break_watches(Error::internal(Code::kReset, "reset"));
  loop->advance(600s);
  EXPECT_GT(asked, 60u);
  EXPECT_LT(asked, 130u) << "three seconds of patience and up to five of pause";
}

TEST_F(ObjectCacheTest, a_kind_that_is_not_installed_holds_nothing_back_and_is_found_later) {
  bool installed = false;
  auto absent = [&installed](const store::Query& query) -> std::optional<Error> {
    if (installed || query.kind != kinds::virtual_service()) return std::nullopt;
    return Error::config(Code::kUnsupported, "there is no such type of resource");
  };
  store.on_list = store.on_watch = absent;
  start();
  EXPECT_TRUE(cache->synced());
  EXPECT_TRUE(cache->problems().empty());
  installed = true;
  for (const auto& object : testing::objects(
           "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r, namespace: "
           "default}\nspec: {hosts: [r], http: [{route: [{destination: {host: r}}]}]}\n"))
    store.put(*object);
  loop->advance(10s);
  EXPECT_EQ(cache->snapshot()->all(kinds::virtual_service()).size(), 1u);
}

TEST_F(ObjectCacheTest, a_permission_taken_away_is_named_with_its_verb_until_it_is_back) {
  start();
  auto denied = [](const store::Query& query) -> std::optional<Error> {
    if (query.kind != kinds::endpoint_slice()) return std::nullopt;
    return Error::config(Code::kDenied, "forbidden");
  };
  store.on_watch = denied;
  store.break_watches(Error::internal(Code::kUnavailable, "ended"));
  loop->advance(10s);
  auto problems = cache->problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("watch endpointslices.discovery.k8s.io"), std::string::npos) << problems[0];
  store.on_watch = {};
  loop->advance(10s);
  EXPECT_TRUE(cache->problems().empty());
}

TEST_F(ObjectCacheTest, before_the_first_list_the_kinds_that_are_missing_are_named) {
  store.on_list = [](const store::Query&) {
    return std::optional(Error::internal(Code::kRefused, "refused"));
  };
  start();
  EXPECT_FALSE(cache->synced());
  EXPECT_EQ(cache->problems().size(), kinds::watched().size());
}

/// What has_seen() answers before the loop turns: the lists of these stores need no turn.
bool has_seen(net::Loop& loop, ObjectCache& cache, std::uint64_t version) {
  std::optional<bool> seen;
  net::TaskScope tasks;
  tasks.spawn([](ObjectCache& of, std::uint64_t at, std::optional<bool>& into) -> net::Task<void> {
    into = co_await of.has_seen(at);
  }(cache, version, seen));
  for (int i = 0; i < 3 && !seen; ++i) loop.advance(0ms);
  return seen.value();
}

TEST_F(ObjectCacheTest, a_store_that_tells_its_progress_is_not_listed_to_find_out_whether_all_is_seen) {
  store.tells_progress = true;
  start();
  put_service("a");
  const std::size_t lists = store.lists();
  EXPECT_TRUE(has_seen(*loop, *cache, store.version()));
  EXPECT_FALSE(has_seen(*loop, *cache, store.version() + 1)) << "no such version is there yet";
  EXPECT_EQ(store.lists(), lists);
}

TEST_F(ObjectCacheTest, a_change_that_no_watch_has_told_of_is_not_seen) {
  for (const bool tells : {false, true}) {
    store.tells_progress = tells;
    start();
    put_service("a");
    store.on_watch = [](const auto&) { return Error::internal(Code::kUnavailable, "away"); };
    store.break_watches(Error::internal(Code::kUnavailable, "away"));
    loop->advance(1ms);
    put_service("b");
    EXPECT_FALSE(has_seen(*loop, *cache, store.version()));
    store.on_watch = {};
    loop->advance(10s);
    EXPECT_TRUE(has_seen(*loop, *cache, store.version()));
    put_service(tells ? "d" : "c");
  }
}

}  // namespace
}  // namespace weft::control
