#include "xds/catalog.h"

#include <gtest/gtest.h>

namespace weft::xds {
namespace {

constexpr TimePoint kStart{};

template <class Config>
ResourcePtr resource(const std::string& name, std::vector<Need> needs = {}) {
  auto made = std::make_shared<Resource>();
  auto config = std::make_shared<Config>();
  config->name = name;
  made->value = std::shared_ptr<const Config>(std::move(config));
  made->needs = std::move(needs);
  made->arrival = std::make_shared<const Arrival>(Arrival{"version of " + name, {}});
  made->bytes = PackedBytes("bytes of " + name);
  return made;
}

/// With a need, one whose endpoints are by EDS.
ResourcePtr cluster(const std::string& name, std::vector<Need> needs = {}) {
  auto made = std::make_shared<Resource>(*resource<proxy::ClusterConfig>(name, needs));
  if (needs.empty()) return made;
  auto config = std::make_shared<proxy::ClusterConfig>(*made->as<proxy::ClusterConfig>());
  config->discovery = proxy::ClusterConfig::Discovery::kEds;
  config->eds_name = needs.front().name;
  made->value = std::shared_ptr<const proxy::ClusterConfig>(std::move(config));
  return made;
}
ResourcePtr listener(const std::string& name, std::vector<Need> needs = {}) {
  return resource<proxy::ListenerConfig>(name, std::move(needs));
}
ResourcePtr endpoints(const std::string& name) { return resource<proxy::Endpoints>(name); }
ResourcePtr routes(const std::string& name) { return resource<proxy::RouteTable>(name); }

Need eds(std::string name, std::chrono::milliseconds timeout = 15s) {
  return {Type::kEndpoint, std::move(name), timeout};
}
Need rds(std::string name, std::chrono::milliseconds timeout = 15s) {
  return {Type::kRoute, std::move(name), timeout};
}

/// A catalog and the snapshot that runs, as the ADS client drives them.
struct Driven {
  explicit Driven(const std::vector<ResourcePtr>& clusters = {},
                  const std::vector<ResourcePtr>& listeners = {})
      : catalog(clusters, listeners) {
    catalog.follow_references(kStart);
    step(kStart);
  }
  /// Puts in force what is right at `now`. False: nothing is new.
  bool step(TimePoint now) {
    const proxy::SnapshotPtr made = catalog.build(now);
    if (!made) return false;
    running = made;
    catalog.commit();
    return true;
  }
  bool put(Type type, ResourcePtr made, TimePoint now = kStart) {
    catalog.put(type, std::move(made));
    catalog.follow_references(now);
    return step(now);
  }
  bool runs_cluster(const std::string& name) const { return running->clusters.contains(name); }
  std::shared_ptr<const proxy::Endpoints> endpoints_of(const std::string& name) const {
    return running->endpoints_of(*running->clusters.at(name));
  }
  bool runs_listener(const std::string& name) const { return running->listeners.contains(name); }

  Catalog catalog;
  proxy::SnapshotPtr running;
};

TEST(Catalog, begins_with_what_is_static_and_makes_no_snapshot_when_nothing_has_changed) {
  Driven driven({cluster("c")}, {listener("l")});
  ASSERT_TRUE(driven.running);
  EXPECT_EQ(driven.running->generation, 1u);
  EXPECT_TRUE(driven.runs_cluster("c"));
  EXPECT_TRUE(driven.runs_listener("l"));
  EXPECT_FALSE(driven.step(kStart));
  EXPECT_TRUE(driven.catalog.is_static(Type::kCluster, "c"));
  EXPECT_FALSE(driven.catalog.is_static(Type::kListener, "c"));
  EXPECT_FALSE(driven.catalog.warming(kStart));
}

TEST(Catalog, makes_the_first_snapshot_also_of_nothing_and_again_until_it_runs) {
  Catalog catalog({}, {});
  const auto first = catalog.build(kStart);
  ASSERT_TRUE(first);
  EXPECT_TRUE(catalog.build(kStart));
  catalog.commit();
  EXPECT_FALSE(catalog.build(kStart));
}

TEST(Catalog, a_resource_replaces_that_of_its_name_but_no_static_one) {
  const ResourcePtr fixed = cluster("fixed");
  Driven driven({fixed});
  const ResourcePtr first = cluster("c"), second = cluster("c");
  EXPECT_TRUE(driven.put(Type::kCluster, first));
  EXPECT_EQ(driven.running->clusters.at("c"), first->as<proxy::ClusterConfig>());
  EXPECT_TRUE(driven.put(Type::kCluster, second));
  EXPECT_EQ(driven.running->clusters.at("c"), second->as<proxy::ClusterConfig>());
  driven.put(Type::kCluster, cluster("fixed"));
  EXPECT_EQ(driven.running->clusters.at("fixed"), fixed->as<proxy::ClusterConfig>());
}

TEST(Catalog, what_is_no_longer_named_is_gone_with_what_was_said_against_it) {
  Driven driven;
  driven.put(Type::kListener, listener("a"));
  driven.put(Type::kListener, listener("b"));
  driven.catalog.reject(Type::kListener, "c", {});
  driven.catalog.keep_only(Type::kListener, {"b"});
  EXPECT_TRUE(driven.step(kStart));
  EXPECT_FALSE(driven.runs_listener("a"));
  EXPECT_TRUE(driven.runs_listener("b"));
  EXPECT_TRUE(driven.catalog.rejections(Type::kListener).empty());
}

TEST(Catalog, a_cluster_waits_for_its_endpoints_and_a_listener_for_its_routes) {
  const struct {
    Type type, needed;
    ResourcePtr dependent, need;
  } rows[] = {{Type::kCluster, Type::kEndpoint, cluster("x", {eds("n")}), endpoints("n")},
              {Type::kListener, Type::kRoute, listener("x", {rds("n")}), routes("n")}};
  for (const auto& row : rows) {
    Driven driven;
    const auto runs = [&] { return driven.runs_cluster("x") || driven.runs_listener("x"); };
    EXPECT_FALSE(driven.put(row.type, row.dependent));
    EXPECT_FALSE(runs());
    EXPECT_TRUE(driven.catalog.warming(kStart));
    EXPECT_EQ(driven.catalog.wanted(row.needed)->list(), std::vector<std::string_view>{"n"});
    EXPECT_TRUE(driven.catalog.accepted(row.type).contains("x"));
    EXPECT_FALSE(driven.catalog.running(row.type).contains("x"));
    EXPECT_TRUE(driven.put(row.needed, row.need));
    EXPECT_TRUE(runs());
    EXPECT_FALSE(driven.catalog.warming(kStart));
  }
}

TEST(Catalog, one_that_needs_several_waits_for_all_of_them) {
  Driven driven;
  driven.put(Type::kListener, listener("l", {rds("a"), rds("b")}));
  driven.put(Type::kRoute, routes("a"));
  EXPECT_FALSE(driven.runs_listener("l"));
  driven.put(Type::kRoute, routes("b"));
  EXPECT_TRUE(driven.runs_listener("l"));
  EXPECT_EQ(driven.running->route_tables.size(), 2u);
}

TEST(Catalog, what_waits_leaves_its_predecessor_running) {
  Driven driven;
  const ResourcePtr first = cluster("c");
  driven.put(Type::kCluster, first);
  EXPECT_FALSE(driven.put(Type::kCluster, cluster("c", {eds("e")})));
  EXPECT_EQ(driven.running->clusters.at("c"), first->as<proxy::ClusterConfig>());
  EXPECT_TRUE(driven.catalog.warming(kStart));
  EXPECT_TRUE(driven.put(Type::kEndpoint, endpoints("e")));
  EXPECT_NE(driven.running->clusters.at("c"), first->as<proxy::ClusterConfig>());
}

TEST(Catalog, waits_for_what_never_comes_as_long_as_was_said_and_0_is_forever) {
  Driven driven;
  driven.put(Type::kCluster, cluster("c", {eds("e", 5s)}), kStart + 1s);
  driven.put(Type::kListener, listener("l", {rds("r", 0s)}), kStart + 2s);
  EXPECT_EQ(driven.catalog.next_deadline(kStart + 2s), kStart + 6s)
      << "counted from when it was first wanted";
  EXPECT_FALSE(driven.step(kStart + 6s - 1ns));
  EXPECT_TRUE(driven.step(kStart + 6s));
  EXPECT_TRUE(driven.runs_cluster("c"));
  EXPECT_EQ(driven.endpoints_of("c"), nullptr);
  EXPECT_EQ(driven.catalog.next_deadline(kStart + 6s), kNever);
  EXPECT_FALSE(driven.step(kNever - 1ns));
  EXPECT_FALSE(driven.runs_listener("l"));
  EXPECT_TRUE(driven.catalog.warming(kStart + 6s));
}

TEST(Catalog, what_is_needed_and_was_rejected_is_not_waited_for) {
  Driven driven;
  driven.put(Type::kListener, listener("l", {rds("r")}));
  driven.catalog.reject(Type::kRoute, "r", {"bad", "1", {}});
  driven.catalog.follow_references(kStart);
  EXPECT_TRUE(driven.step(kStart));
  EXPECT_TRUE(driven.runs_listener("l"));
  EXPECT_FALSE(driven.catalog.warming(kStart));
  EXPECT_EQ(driven.catalog.next_deadline(kStart), kNever);
  EXPECT_EQ(driven.catalog.rejections(Type::kRoute).at("r").reason, "bad");
  driven.put(Type::kRoute, routes("r"));
  EXPECT_TRUE(driven.catalog.rejections(Type::kRoute).empty());
}

TEST(Catalog, a_cluster_has_the_endpoints_that_came_last_and_stays_the_same_with_others) {
  Driven driven;
  const ResourcePtr first = endpoints("e"), second = endpoints("e");
  driven.put(Type::kCluster, cluster("c", {eds("e")}));
  driven.put(Type::kEndpoint, first);
  const auto before = driven.running->clusters.at("c");
  EXPECT_EQ(driven.endpoints_of("c"), first->as<proxy::Endpoints>());
  driven.put(Type::kCluster, cluster("other"));
  EXPECT_EQ(driven.running->clusters.at("c"), before) << "its connections go on";
  const proxy::SnapshotPtr earlier = driven.running;
  driven.put(Type::kEndpoint, second);
  EXPECT_EQ(driven.endpoints_of("c"), second->as<proxy::Endpoints>());
  EXPECT_TRUE(driven.running->clusters.is_shared_with(earlier->clusters)) << "clusters are not looked at";
  driven.put(Type::kCluster, cluster("c", {eds("e")}));
  EXPECT_NE(driven.running->clusters.at("c"), before);
  EXPECT_EQ(driven.endpoints_of("c"), second->as<proxy::Endpoints>());
}

TEST(Catalog, what_nothing_refers_to_any_more_is_dropped_when_what_ran_does_not_either) {
  Driven driven;
  driven.put(Type::kCluster, cluster("c", {eds("old")}));
  driven.put(Type::kEndpoint, endpoints("old"));
  driven.put(Type::kCluster, cluster("c", {eds("new")}));
  EXPECT_EQ(driven.catalog.wanted(Type::kEndpoint)->list(), (std::vector<std::string_view>{"new", "old"}));
  EXPECT_TRUE(driven.catalog.accepted(Type::kEndpoint).contains("old")) << "its predecessor runs with them";
  driven.put(Type::kEndpoint, endpoints("new"));
  driven.catalog.follow_references(kStart);
  EXPECT_EQ(driven.catalog.wanted(Type::kEndpoint)->list(), std::vector<std::string_view>{"new"});
  EXPECT_FALSE(driven.catalog.accepted(Type::kEndpoint).contains("old"));
  driven.catalog.keep_only(Type::kCluster, {});
  driven.step(kStart);
  driven.catalog.follow_references(kStart);
  EXPECT_TRUE(driven.catalog.accepted(Type::kEndpoint).empty());
}

/// What is accepted, after a snapshot with these was not applied.
struct Rejected {
  std::vector<std::string> blamed;
  std::set<std::string> rejected;
};

Rejected rejected(Catalog& catalog, const std::string& reason) {
  EXPECT_TRUE(catalog.build(kStart));
  Rejected all;
  for (const auto& [type, name, replaced] : catalog.reject(reason)) {
    EXPECT_FALSE(replaced);
    all.blamed.push_back(std::string(short_name(type)) + " " + name);
    EXPECT_EQ(catalog.rejections(type).at(name).reason, reason);
    EXPECT_EQ(catalog.rejections(type).at(name).version, "version of " + name);
  }
  for (const Type type : kAllTypes)
    for (const auto& [name, rejection] : catalog.rejections(type)) all.rejected.insert(name);
  return all;
}

TEST(Catalog, blames_what_the_reason_names_of_what_has_changed_and_else_all_of_one_kind) {
  const struct {
    const char* reason;
    std::vector<std::string> blamed;
  } rows[] = {
      {"listener 'l2': address in use", {"LDS l2"}},
      {"route table 'r1' of 'c1'", {"RDS r1"}},
      {"cluster 'c1'", {"CDS c1"}},
      {"cluster c1 without quotes", {"LDS l1", "LDS l2"}},
      {"listener 'unchanged'", {"LDS l1", "LDS l2"}},
  };
  for (const auto& [reason, blamed] : rows) {
    Driven driven;
    driven.put(Type::kListener, listener("unchanged"));
    Catalog& catalog = driven.catalog;
    catalog.put(Type::kListener, listener("l1"));
    catalog.put(Type::kListener, listener("l2"));
    catalog.put(Type::kCluster, cluster("c1"));
    catalog.put(Type::kRoute, routes("r1"));
    const Rejected all = rejected(catalog, reason);
    EXPECT_EQ(all.blamed, blamed) << reason;
    EXPECT_EQ(all.rejected.size(), blamed.size()) << reason;
  }
}

TEST(Catalog, what_is_blamed_goes_back_to_what_runs_or_away_and_the_rest_can_be_tried) {
  Driven driven;
  const ResourcePtr before = cluster("c");
  driven.put(Type::kCluster, before);
  driven.catalog.put(Type::kCluster, cluster("c"));
  driven.catalog.put(Type::kCluster, cluster("new"));
  driven.catalog.put(Type::kRoute, routes("r"));
  EXPECT_EQ(rejected(driven.catalog, "cluster 'new' and cluster 'c'").blamed,
            (std::vector<std::string>{"CDS c", "CDS new"}));
  EXPECT_EQ(driven.catalog.accepted(Type::kCluster).size(), 1u);
  EXPECT_EQ(driven.catalog.accepted(Type::kCluster).at("c"), before);
  EXPECT_TRUE(driven.step(kStart));
  EXPECT_EQ(driven.running->clusters.at("c"), before->as<proxy::ClusterConfig>());
  EXPECT_TRUE(driven.running->route_tables.contains("r"));
}

TEST(Catalog, what_came_while_another_form_failed_is_not_touched) {
  Driven driven;
  driven.put(Type::kListener, listener("l"));
  Catalog& catalog = driven.catalog;
  catalog.put(Type::kListener, listener("l"));
  catalog.put(Type::kListener, listener("gone"));
  ASSERT_TRUE(catalog.build(kStart));
  const ResourcePtr newer = listener("l");
  catalog.put(Type::kListener, newer);
  catalog.keep_only(Type::kListener, {"l"});
  EXPECT_EQ(catalog.reject("listener 'l': in use").size(), 1u);
  EXPECT_EQ(catalog.accepted(Type::kListener).at("l"), newer);
  EXPECT_TRUE(catalog.rejections(Type::kListener).empty()) << "nothing is said against that";
  ASSERT_TRUE(catalog.build(kStart));
}

TEST(Catalog, what_is_static_is_not_blamed) {
  Catalog catalog({cluster("c")}, {listener("l")});
  EXPECT_EQ(rejected(catalog, "listener 'l'").blamed, std::vector<std::string>{});
  EXPECT_TRUE(catalog.rejections(Type::kListener).empty());
}

}  // namespace
}  // namespace weft::xds
