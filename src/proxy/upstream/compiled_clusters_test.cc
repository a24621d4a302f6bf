#include "proxy/upstream/compiled_clusters.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace weft::proxy {
namespace {

using Discovery = ClusterConfig::Discovery;

std::shared_ptr<const ClusterConfig> cluster(std::string name, Discovery discovery,
                                             std::string eds_name = "") {
  auto made = std::make_shared<ClusterConfig>();
  made->name = std::move(name);
  made->discovery = discovery;
  made->eds_name = std::move(eds_name);
  if (discovery == Discovery::kStatic) made->endpoints = std::make_shared<const Endpoints>();
  return made;
}

std::shared_ptr<const Endpoints> endpoints(std::string name) {
  auto made = std::make_shared<Endpoints>();
  made->name = std::move(name);
  return made;
}

TEST(CompiledClusters, new_endpoints_make_a_new_object_of_their_clusters_and_of_no_other) {
  Snapshot snapshot;
  snapshot.clusters.put_all({cluster("a", Discovery::kEds), cluster("b", Discovery::kEds, "a"),
                             cluster("c", Discovery::kEds), cluster("d", Discovery::kStatic)});
  snapshot.endpoints.put_all({endpoints("a"), endpoints("c")});
  const CompiledClusters first = CompiledClusters().changed_to(snapshot);
  snapshot.endpoints.put(endpoints("a"));
  const CompiledClusters second = first.changed_to(snapshot);
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(second.list().at(name)->endpoints, snapshot.endpoints.at("a"));
    EXPECT_EQ(second.list().at(name)->usage, first.list().at(name)->usage);
  }
  for (const char* name : {"c", "d"}) EXPECT_EQ(second.list().at(name), first.list().at(name));
}

TEST(CompiledClusters, without_a_change_share_their_memory) {
  Snapshot snapshot;
  snapshot.clusters.put_all({cluster("a", Discovery::kEds), cluster("n", Discovery::kStrictDns)});
  const CompiledClusters first = CompiledClusters().changed_to(snapshot);
  const CompiledClusters second = first.changed_to(snapshot);
  EXPECT_TRUE(second.list().is_shared_with(first.list()));
  ASSERT_EQ(second.by_name().size(), 1u);
  EXPECT_EQ(second.by_name()[0]->name(), "n");
}

/// Changes something of clusters "a" to "f" and of endpoints "a" to "e".
void change(Snapshot& snapshot, Random& random) {
  const std::string name(1, static_cast<char>('a' + random.below(6)));
  const std::string needed(1, static_cast<char>('a' + random.below(5)));
  switch (random.below(5)) {
    case 0: snapshot.clusters.erase(name); break;
    case 1: snapshot.clusters.put(cluster(name, Discovery::kEds, random.below(2) ? needed : "")); break;
    case 2:
      snapshot.clusters.put(cluster(name, random.below(2) ? Discovery::kStatic : Discovery::kStrictDns));
      break;
    case 3: snapshot.endpoints.erase(needed); break;
    default: snapshot.endpoints.put(endpoints(needed)); break;
  }
}

TEST(CompiledClusters, are_after_any_changes_what_they_would_be_at_once) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Snapshot snapshot;
    CompiledClusters all;
    for (int step = 0; step < 30; ++step) {
      for (std::uint64_t i = random.below(3); i > 0; --i) change(snapshot, random);
      const CompiledClusters before = std::exchange(all, all.changed_to(snapshot));
      const CompiledClusters fresh = CompiledClusters().changed_to(snapshot);
      ASSERT_EQ(all.list().size(), fresh.list().size()) << seed;
      std::size_t by_name = 0;
      for (std::size_t i = 0; i < fresh.list().size(); ++i) {
        const CompiledCluster &one = *all.list().items()[i], &wanted = *fresh.list().items()[i];
        ASSERT_EQ(one.config, wanted.config) << seed;
        ASSERT_EQ(one.endpoints, wanted.endpoints) << seed;
        if (is_by_name(*one.config)) ASSERT_EQ(all.by_name().at(by_name++).get(), &one) << seed;
        const CompiledClusterPtr old = before.list().find(one.name());
        if (!old) continue;
        ASSERT_EQ(one.usage, old->usage) << seed;
        const bool same = old->config == one.config && old->endpoints == one.endpoints;
        ASSERT_EQ(same, old == all.list().items()[i]) << seed;
      }
      ASSERT_EQ(all.by_name().size(), by_name) << seed;
    }
  }
}

}  // namespace
}  // namespace weft::proxy
