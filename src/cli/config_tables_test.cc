#include "cli/config_tables.h"

#include <gtest/gtest.h>

namespace weft::cli {
namespace {

using What = ProxyConfigOptions::What;

const api::Json& dump() {
  static const api::Json kDump = api::Json::parse(R"({"configs": [
    {"static_listeners": [{"listener": {"name": "admin", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 15000}}}}],
     "dynamic_listeners": [{"name": "virtualInbound", "active_state": {"version_info": "1", "listener": {
       "name": "virtualInbound", "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}},
       "filter_chains": [{"filter_chain_match": {"destination_port": 9080, "application_protocols": ["http/1.1"]},
         "filters": [{"typed_config": {"route_config": {"name": "inbound|9080||"}}}]}],
       "default_filter_chain": {"filters": [{"typed_config": {"cluster": "InboundPassthroughCluster"}}]}}}}]},
    {"dynamic_route_configs": [{"route_config": {"name": "9080", "virtual_hosts": [{"name": "reviews:9080",
       "domains": ["reviews:9080", "10.96.0", "reviews"], "routes": [
         {"match": {"prefix": "/", "headers": [{"name": "end-user"}]}, "route": {"cluster": "outbound|9080|v2|reviews"},
          "metadata": {"filter_metadata": {"istio": {"config": "/apis/networking.istio.io/v1/namespaces/default/virtual-service/mine"}}}},
         {"match": {"prefix": "/"}, "metadata": {"filter_metadata": {"istio": {
           "config": "/apis/gateway.networking.k8s.io/v1/namespaces/web/http-route/edge"}}}, "route": {"weighted_clusters": {"clusters": [
           {"name": "outbound|9080|v1|reviews", "weight": 90}, {"name": "outbound|9080|v3|reviews", "weight": 10}]}}},
         {"match": {"path": "/x"}, "direct_response": {"status": 503}}]}]}}]},
    {"static_clusters": [{"cluster": {"name": "BlackHoleCluster"}}],
     "dynamic_active_clusters": [{"cluster": {"name": "outbound|9080||reviews.default.svc.cluster.local", "type": "EDS"}}]},
    {"dynamic_endpoint_configs": [{"endpoint_config": {"cluster_name": "outbound|9080||reviews", "endpoints": [{"lb_endpoints": [
       {"endpoint": {"address": {"socket_address": {"address": "10.244.0.7", "port_value": 9080}}}}]}]}}]}]})");
  return kDump;
}

std::string table(What what) { return config_table(resources_of(dump(), what), what); }

TEST(ConfigTables, ShowWhatASidecarRuns) {
  EXPECT_EQ(table(What::kListeners),
            "NAME             ADDRESS     PORT    MATCH                       DESTINATION\n"
            "admin            127.0.0.1   15000   ALL                         \n"
            "virtualInbound   0.0.0.0     15006   Port: 9080; App: http/1.1   Inline Route: inbound|9080||\n"
            "virtualInbound   0.0.0.0     15006   ALL                         Cluster: "
            "InboundPassthroughCluster\n");
  EXPECT_EQ(
      table(What::kRoutes),
      "NAME   VIRTUAL HOST   DOMAINS            MATCH                VIRTUAL SERVICE       DESTINATION\n"
      "9080   reviews:9080   reviews + 2 more   /* header end-user   mine.default          "
      "outbound|9080|v2|reviews\n"
      "9080   reviews:9080   reviews + 2 more   /*                   http-route/edge.web   "
      "outbound|9080|v1|reviews 90, outbound|9080|v3|reviews 10\n"
      "9080   reviews:9080   reviews + 2 more   /x                                         respond 503\n");
  EXPECT_EQ(table(What::kClusters),
            "SERVICE FQDN                        PORT   SUBSET   DIRECTION   TYPE\n"
            "BlackHoleCluster                    -      -        -           STATIC\n"
            "reviews.default.svc.cluster.local   9080   -        outbound    EDS\n");
  EXPECT_EQ(table(What::kEndpoints),
            "ENDPOINT          STATUS    CLUSTER\n10.244.0.7:9080   HEALTHY   outbound|9080||reviews\n");
}

std::string names_of(What what, const ConfigFilter& filter) {
  std::string names;
  for (const api::Json& each : filtered(resources_of(dump(), what), what, filter))
    names += each.value(what == What::kEndpoints ? "cluster_name" : "name", "") + " ";
  return names;
}

TEST(ConfigTables, ShowOnlyWhatIsAskedForByNamePortOrService) {
  const ConfigFilter port{"", "9080", ""}, service{"", "", "reviews.default.svc.cluster.local"},
      none{"x", "1", "y"};
  EXPECT_EQ(names_of(What::kListeners, {"", "15006", ""}), "virtualInbound ");
  EXPECT_EQ(names_of(What::kRoutes, {"9080", "", ""}), "9080 ");
  EXPECT_EQ(names_of(What::kRoutes, port), "9080 ");
  EXPECT_EQ(names_of(What::kRoutes, {"", "", "reviews"}), "9080 ");
  EXPECT_EQ(names_of(What::kRoutes, {"", "80", ""}), "");
  EXPECT_EQ(names_of(What::kClusters, port), "outbound|9080||reviews.default.svc.cluster.local ");
  EXPECT_EQ(names_of(What::kClusters, service), "outbound|9080||reviews.default.svc.cluster.local ");
  EXPECT_EQ(names_of(What::kClusters, {"", "", "review"}), "");
  EXPECT_EQ(names_of(What::kEndpoints, port), "outbound|9080||reviews ");
  for (What what : {What::kListeners, What::kRoutes, What::kClusters, What::kEndpoints})
    EXPECT_EQ(names_of(what, none), "");
}

TEST(ConfigTables, SortClustersByServicePortAndSubset) {
  api::Json clusters = api::Json::array();
  for (const char* name : {"outbound|9080|v2|b", "outbound|9080||b", "outbound|80||b", "outbound|9080||a"})
    clusters.push_back({{"name", name}});
  std::string names;
  for (const api::Json& each : filtered(clusters, What::kClusters, {})) names += each.value("name", "") + " ";
  EXPECT_EQ(names, "outbound|9080||a outbound|80||b outbound|9080||b outbound|9080|v2|b ");
}

TEST(ConfigTables, ShowWhatARouteComparesAndHowLongItMayTake) {
  const api::Json routes =
      api::Json::parse(R"([{"name": "9080", "virtual_hosts": [{"name": "r", "domains": ["r"], "routes": [
    {"match": {"prefix": "/", "headers": [{"name": "end-user", "string_match": {"exact": "jason"}},
                                          {"name": "a", "string_match": {"safe_regex": {"regex": "b.*"}}}]},
     "route": {"cluster": "c", "timeout": "3s", "retry_policy": {"num_retries": 2}},
     "typed_per_filter_config": {"envoy.filters.http.fault": {"delay": {"fixed_delay": "7s"}, "abort": {"http_status": 500}}}}]}]}])");
  EXPECT_EQ(
      config_table(routes, What::kRoutes),
      "NAME   VIRTUAL HOST   DOMAINS   MATCH                                   VIRTUAL SERVICE   "
      "DESTINATION\n"
      "9080   r              r         /* header end-user=jason header a~b.*                     c (timeout "
      "3s, retries "
      "2, delay 7s, "
      "abort 500)\n");
}

TEST(ConfigTables, SurviveADumpOfAnotherForm) {
  for (const char* text :
       {"null", "[]", R"({"configs": 3})", R"({"configs": [null, {"dynamic_listeners": [3, {}]}]})"})
    for (What what : {What::kListeners, What::kRoutes, What::kClusters, What::kEndpoints})
      EXPECT_TRUE(resources_of(api::Json::parse(text), what).empty()) << text;
}

}  // namespace
}  // namespace weft::cli
