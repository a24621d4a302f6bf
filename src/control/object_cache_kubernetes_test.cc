#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "control/object_cache.h"
#include "store/kubernetes/kubernetes_store.h"
#include "store/testing/api_double.h"
#include "store/testing/run.h"

namespace weft::control {
namespace {

using namespace store::testing;
using End = Step::End;

const api::KindInfo* config_maps() { return api::find_kind("v1", "ConfigMap"); }

std::string too_old() { return event_json("ERROR", status_json(410, "Expired", "too old resource version")); }

/// A cache of an API server that misbehaves as the script says.
class ObjectCacheOnKubernetes : public ::testing::Test {
 protected:
  void SetUp() override {
    auto client = store::ApiClient::make(loop_, double_.access(), {double_.address()},
                                         {.connect = 2s, .answer = 3s, .max_backoff = 20ms});
    ASSERT_TRUE(client) << client.error().text;
    store_ = std::make_unique<store::KubernetesStore>(loop_, std::move(*client), store::WatchPatience{});
  }
  void page(int version, std::vector<std::string> items) {
    double_.add(
        {.expected = "GET /api/v1/configmaps?limit=500", .pieces = {list_json(version, std::move(items))}});
  }
  void watch_from(int version, std::vector<std::string> pieces, End end = End::kOrderly) {
    double_.add(
        {.expected = "&resourceVersion=" + std::to_string(version), .pieces = std::move(pieces), .end = end});
  }
  /// Follows the script to its end, until an object of this name is there; then what is known, as "a1 b2 ".
  std::string follow_until(const std::string& last) {
    ObjectCache cache(loop_, *store_, {}, {.kinds = {config_maps()}});
    cache.start();
    const auto known = [&] {
      std::string all;
      for (const auto& object : cache.snapshot()->all(config_maps()))
        all += std::string(object->name()) + std::to_string(object->resource_version()) + " ";
      return all;
    };
    EXPECT_TRUE(run_until(
        loop_, [&] { return double_.done() && (" " + known()).find(" " + last) != std::string::npos; }))
        << known() << double_.surprises();
    EXPECT_EQ(double_.surprises(), "");
    return known();
  }

  net::Loop loop_;
  ApiDouble double_{loop_};
  std::unique_ptr<store::KubernetesStore> store_;
};

TEST_F(ObjectCacheOnKubernetes, a_bookmark_moves_the_version_that_the_next_watch_goes_on_from) {
  page(5, {config_map_json("a", 1)});
  watch_from(5, {bookmark_json(40)});
  watch_from(40, {added("z", 41)}, End::kSilent);
  EXPECT_EQ(follow_until("z"), "a1 z41 ");
}

TEST_F(ObjectCacheOnKubernetes, events_that_come_twice_or_late_change_nothing) {
  page(5, {config_map_json("a", 3), config_map_json("gone", 4)});
  watch_from(5,
             {modified("a", 8), modified("a", 7), modified("a", 8), deleted("gone", 9), modified("gone", 6),
              modified("gone", 9), deleted("never", 11), added("never", 10), added("again", 12),
              deleted("again", 13), added("again", 14), added("z", 15)},
             End::kSilent);
  EXPECT_EQ(follow_until("z"), "a8 again14 z15 ");
}

TEST_F(ObjectCacheOnKubernetes, an_event_from_before_the_list_does_not_bring_back_what_the_list_has_not) {
  page(5, {config_map_json("a", 3), config_map_json("gone", 4)});
  watch_from(5, {too_old()});
  page(9, {config_map_json("a", 3)});
  watch_from(9, {modified("gone", 6), added("z", 10)}, End::kSilent);
  EXPECT_EQ(follow_until("z"), "a3 z10 ");
}

TEST_F(ObjectCacheOnKubernetes, a_server_that_was_restored_to_an_earlier_state_is_believed) {
  page(50, {config_map_json("a", 40), config_map_json("b", 41), config_map_json("later", 45)});
  double_.add({.expected = "&resourceVersion=50",
               .status = 504,
               .pieces = {status_json(504, "Timeout", "Too large resource version: 50, current: 7")}});
  page(7, {config_map_json("a", 4), config_map_json("b", 5)});
  watch_from(7, {modified("b", 8), added("later", 9), deleted("a", 10), added("z", 11)}, End::kSilent);
  EXPECT_EQ(follow_until("z"), "b8 later9 z11 ");
}

/// What the server has, and the events that tell of it.
struct Truth {
  std::map<std::string, int> objects;
  int version = 10;

  std::vector<std::string> items() const {
    std::vector<std::string> all;
    for (const auto& [name, at] : objects) all.push_back(config_map_json(name, at));
    return all;
  }
  std::string change(Random& random) {
    const std::string name(1, static_cast<char>('a' + random.below(4)));
    ++version;
    if (!objects.contains(name)) return objects[name] = version, added(name, version);
    if (random.below(2) == 0) return objects[name] = version, modified(name, version);
    objects.erase(name);
    return deleted(name, version);
  }
};

/// Some events twice, some in another's place.
std::vector<std::string> misplace(std::vector<std::string> events, Random& random) {
  for (std::size_t at = 0; at < events.size(); ++at) {
    const std::uint64_t fate = random.below(4);
    if (fate == 0) events.push_back(events[at]);
    if (events.size() > 60) break;
    if (fate == 1) std::swap(events[at], events[random.below(events.size())]);
  }
  return events;
}

TEST_F(ObjectCacheOnKubernetes, whatever_the_order_of_events_the_end_is_what_the_server_has) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    Truth truth;
    page(truth.version, truth.items());
    for (int round = 0; round < 3; ++round) {
      const int from = truth.version;
      std::vector<std::string> events;
      for (int i = 0; i < 20; ++i) events.push_back(truth.change(random));
      events = misplace(std::move(events), random);
      const bool drops = round != 2 && random.below(2) == 0;
      if (drops) events.resize(events.size() / 2);
      if (round == 2) events.push_back(added("z", ++truth.version));
      if (round != 2) events.push_back(too_old());
      watch_from(from, std::move(events), round == 2 ? End::kSilent : End::kOrderly);
      if (round != 2) page(truth.version, truth.items());
    }
    truth.objects["z"] = truth.version;
    std::string expected;
    for (const auto& [name, at] : truth.objects) expected += name + std::to_string(at) + " ";
    EXPECT_EQ(follow_until("z"), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weft::control
