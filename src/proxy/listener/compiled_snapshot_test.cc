#include <gtest/gtest.h>

#include "proxy/listener/compiled_listener.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

std::shared_ptr<ListenerConfig> listener(std::string name, const char* address) {
  auto made = std::make_shared<ListenerConfig>();
  made->name = std::move(name);
  made->address = *net::Address::parse_ip_port(address);
  return made;
}

std::shared_ptr<const ClusterConfig> cluster(const std::string& name) {
  auto made = std::make_shared<ClusterConfig>();
  made->name = name;
  return made;
}

CompiledSnapshotPtr compiled(Snapshot snapshot, const CompiledSnapshot* previous = nullptr) {
  auto made = CompiledSnapshot::compile(std::make_shared<const Snapshot>(std::move(snapshot)), previous);
  EXPECT_TRUE(made) << made.error().text;
  return *made;
}

TEST(CompiledSnapshot, takes_what_has_not_changed_from_the_one_before) {
  Snapshot first;
  first.listeners = {{"l", listener("l", "10.0.0.1:1")}, {"m", listener("m", "10.0.0.1:2")}};
  first.route_tables = {{"r", std::make_shared<RouteTable>()}, {"s", std::make_shared<RouteTable>()}};
  first.clusters.put_all({cluster("c"), cluster("gone"), cluster("same")});
  Snapshot second = first;
  second.listeners["m"] = listener("m", "10.0.0.1:3");
  second.route_tables["s"] = std::make_shared<RouteTable>();
  second.clusters.erase("gone");
  second.clusters.put_all({cluster("new"), cluster("c")});
  const auto before = compiled(first), after = compiled(second, before.get());
  EXPECT_EQ(after->listeners.at("l"), before->listeners.at("l"));
  EXPECT_NE(after->listeners.at("m"), before->listeners.at("m"));
  EXPECT_EQ(after->tables.at("r"), before->tables.at("r"));
  EXPECT_NE(after->tables.at("s"), before->tables.at("s"));
  const auto &old = before->clusters.list(), &list = after->clusters.list();
  EXPECT_NE(list.at("c"), old.at("c"));
  EXPECT_EQ(list.at("c")->usage, old.at("c")->usage) << "limits hold for the name, whatever has changed";
  EXPECT_EQ(list.at("same"), old.at("same"));
  EXPECT_TRUE(list.at("new")->usage);
  EXPECT_EQ(list.size(), 3u);
}

TEST(CompiledSnapshot, says_what_cannot_be_compiled) {
  auto bad = listener("l", "10.0.0.1:1");
  bad->access_logs = {{.path = "/dev/null", .format = "%NO%", .only_with_flags = {}}};
  Snapshot snapshot;
  snapshot.listeners = {{"l", bad}};
  const auto made = CompiledSnapshot::compile(std::make_shared<const Snapshot>(snapshot), nullptr);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "listener 'l': unknown operator '%NO%'");
}

TEST(CompiledSnapshot, a_destination_belongs_to_the_listener_of_its_address_or_else_of_any_and_its_port) {
  Snapshot snapshot;
  for (const auto& [name, address] : {std::pair{"a any", "0.0.0.0:80"},
                                      {"b exact", "10.0.0.1:80"},
                                      {"c other port", "0.0.0.0:81"},
                                      {"d v6", "[fd00::1]:80"},
                                      {"e only exact", "10.0.0.1:90"}})
    snapshot.listeners[name] = listener(name, address);
  auto on_a_path = listener("f", "10.0.0.1:1");
  on_a_path->address = *net::Address::unix_path("/f");
  snapshot.listeners["f"] = on_a_path;
  const auto all = compiled(std::move(snapshot));
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"10.0.0.1:80", "b exact"},      {"10.0.0.2:80", "a any"}, {"10.0.0.1:81", "c other port"},
      {"[fd00::1]:80", "d v6"},        {"10.0.0.1:82", "none"},  {"10.0.0.2:90", "none"},
      {"10.0.0.1:90", "e only exact"}, {"10.0.0.1:0", "none"}};
  for (const auto& [destination, want] : kRows) {
    const auto found = all->listener_for(*net::Address::parse_ip_port(destination));
    EXPECT_EQ(found ? found->config->name : "none", want) << destination;
  }
}

TEST(CompiledSnapshot, the_routes_of_a_chain_are_its_own_or_those_that_came_by_name) {
  auto config = listener("l", "10.0.0.1:1");
  HttpConfig inline_routes, by_name, not_there;
  inline_routes.route_table = std::make_shared<RouteTable>();
  inline_routes.route_table_name = by_name.route_table_name = "r";
  not_there.route_table_name = "none";
  for (const HttpConfig& http : {inline_routes, by_name, not_there})
    config->chains.emplace_back().filter = http;
  Snapshot snapshot;
  snapshot.listeners["l"] = config;
  snapshot.route_tables["r"] = std::make_shared<RouteTable>();
  const auto all = compiled(std::move(snapshot));
  const auto& chains = all->listeners.at("l")->chains;
  EXPECT_EQ(&all->routes_of(chains[0])->source(), inline_routes.route_table.get());
  EXPECT_EQ(all->routes_of(chains[1]), all->tables.at("r"));
  EXPECT_EQ(all->routes_of(chains[2]), nullptr);
}

}  // namespace
}  // namespace weft::proxy
