#include "xds/config_dump.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "xds/convert.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using Json = nlohmann::json;

const std::chrono::system_clock::time_point kThen{std::chrono::seconds(1'785'587'696)};
constexpr const char* kThenText = "2026-08-01T12:34:56";

template <class Message>
std::shared_ptr<Resource> resource(Type type, const std::string& text) {
  auto made = decode(type, testing::parsed<Message>(text).SerializeAsString());
  EXPECT_TRUE(made) << made.error().text;
  (*made)->arrival = std::make_shared<const Arrival>(Arrival{"7", kThen});
  return *made;
}

/// The dump of one kind, by the last part of its type.
Json part(const Catalog& catalog, const std::string& kind, const std::string& query = "") {
  for (const Json& each : Json::parse(config_dump(Bootstrap(), catalog, query))["configs"])
    if (each["@type"] == "type.googleapis.com/envoy.admin.v3." + kind) return each;
  return {};
}

TEST(ConfigDump, shows_what_runs_with_its_version_and_what_was_left_out_of_it) {
  const std::string eds = "name: 'eds' type: EDS eds_cluster_config { eds_config { ads {} } }";
  Catalog catalog({resource<cluster::Cluster>(Type::kCluster, "name: 'fixed'")}, {});
  catalog.put(Type::kCluster, resource<cluster::Cluster>(Type::kCluster, eds + " lb_policy: MAGLEV"));
  catalog.put(Type::kEndpoint,
              resource<endpoint::ClusterLoadAssignment>(Type::kEndpoint, "cluster_name: 'eds'"));
  catalog.put(Type::kRoute, resource<route::RouteConfiguration>(
                                Type::kRoute,
                                "name: 'r' virtual_hosts { name: 'h' domains: '*' routes { name: "
                                "'broken' match { prefix: '/' } } }"));
  ASSERT_TRUE(catalog.build(TimePoint{}));
  catalog.commit();
  const Json clusters = part(catalog, "ClustersConfigDump");
  ASSERT_EQ(clusters["static_clusters"].size(), 1u);
  const Json& fixed = clusters["static_clusters"][0];
  EXPECT_EQ(fixed["cluster"]["name"], "fixed");
  EXPECT_EQ(fixed["cluster"]["@type"], type_url(Type::kCluster));
  EXPECT_FALSE(fixed.contains("version_info"));
  ASSERT_EQ(clusters["dynamic_active_clusters"].size(), 1u) << "without the static one";
  const Json& active = clusters["dynamic_active_clusters"][0];
  EXPECT_EQ(active["version_info"], "7");
  EXPECT_EQ(active["last_updated"].get<std::string>().find(kThenText), 0u) << active["last_updated"];
  EXPECT_EQ(active["cluster"]["lb_policy"], "MAGLEV") << "as it came";
  EXPECT_EQ(active["not_supported"], Json{"lb_policy: MAGLEV is not supported; ROUND_ROBIN is"});
  const Json routes = part(catalog, "RoutesConfigDump");
  EXPECT_EQ(routes["dynamic_route_configs"][0]["route_config"]["name"], "r");
  EXPECT_EQ(routes["dynamic_route_configs"][0]["rejected"],
            Json{"virtual_hosts[0].routes[0]: has to have one of route, redirect, direct_response"});
}

TEST(ConfigDump, shows_endpoints_when_it_is_asked_for_them) {
  Catalog catalog({}, {});
  catalog.put(Type::kEndpoint,
              resource<endpoint::ClusterLoadAssignment>(Type::kEndpoint, "cluster_name: 'e'"));
  ASSERT_TRUE(catalog.build(TimePoint{}));
  catalog.commit();
  EXPECT_TRUE(part(catalog, "EndpointsConfigDump").is_null());
  const Json shown = part(catalog, "EndpointsConfigDump", "resource=x&include_eds");
  EXPECT_EQ(shown["dynamic_endpoint_configs"][0]["endpoint_config"]["cluster_name"], "e");
}

TEST(ConfigDump, shows_what_was_rejected_and_why_beside_what_runs_instead) {
  Catalog catalog({}, {});
  catalog.put(
      Type::kListener,
      resource<listener::Listener>(
          Type::kListener,
          "name: 'l' address { pipe { path: '/p' } } filter_chains { filters { typed_config { "
          "[type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy] { stat_prefix: "
          "'s' cluster: 'c' } } } }"));
  ASSERT_TRUE(catalog.build(TimePoint{}));
  catalog.commit();
  catalog.reject(Type::kListener, "l", {"a reason \xff", "8", kThen});
  catalog.reject(Type::kListener, "never ran", {"another", "9", kThen});
  const Json listeners = part(catalog, "ListenersConfigDump")["dynamic_listeners"];
  ASSERT_EQ(listeners.size(), 2u);
  EXPECT_EQ(listeners[0]["name"], "l");
  EXPECT_EQ(listeners[0]["active_state"]["version_info"], "7");
  EXPECT_EQ(
      listeners[0]["active_state"]["listener"]["filter_chains"][0]["filters"][0]["typed_config"]["cluster"],
      "c");
  EXPECT_EQ(listeners[0]["error_state"]["version_info"], "8");
  EXPECT_EQ(listeners[0]["error_state"]["details"], "a reason \xef\xbf\xbd") << "JSON is UTF-8";
  EXPECT_EQ(listeners[1]["name"], "never ran");
  EXPECT_EQ(listeners[1]["error_state"]["details"], "another");
  EXPECT_EQ(listeners[1]["error_state"]["last_update_attempt"].get<std::string>().find(kThenText), 0u);
  EXPECT_FALSE(listeners[1].contains("active_state"));
}

TEST(ConfigDump, shows_the_bootstrap_that_the_proxy_began_with) {
  const auto bootstrap = parse_bootstrap("node: {id: a, cluster: b}", "f.yaml");
  ASSERT_TRUE(bootstrap) << bootstrap.error().text;
  const Json all = Json::parse(config_dump(*bootstrap, Catalog({}, {}), ""))["configs"];
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0]["bootstrap"]["node"]["id"], "a");
  EXPECT_EQ(part(Catalog({}, {}), "BootstrapConfigDump")["bootstrap"], Json::object());
}

}  // namespace
}  // namespace weft::xds
