#include "xds/ads_client.h"

#include <gtest/gtest.h>

#include "proxy/testing/fake_server.h"
#include "xds/proto/cluster.pb.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/http_connection_manager.pb.h"
#include "xds/proto/listener.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::xds {
namespace {

using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;
using proxy::testing::FakeServer;

class AdsClientTest : public ::testing::Test {
 protected:
  AdsClientTest() : loop(net::Loop::simulated()), catalog({}, {}) {
    // As a proxy begins: what is static, here nothing, runs before anything is asked for.
    EXPECT_TRUE(catalog.build(loop->now()));
    catalog.commit();
    AdsClient::Options options;
    options.source.clusters = options.source.listeners = true;
    envoy::config::core::v3::Node node;
    node.set_id("sidecar~10.0.0.1~a.default~x");
    options.node = node.SerializeAsString();
    client = std::make_unique<AdsClient>(*loop, server, catalog, options);
    client->connected();
  }

  std::vector<DiscoveryRequest> requests() {
    std::vector<DiscoveryRequest> list;
    for (const std::string& bytes : client->take_requests()) {
      list.emplace_back();
      EXPECT_TRUE(list.back().ParseFromString(bytes));
    }
    return list;
  }
  /// The one request that waits to be sent.
  DiscoveryRequest request() {
    auto list = requests();
    EXPECT_EQ(list.size(), 1u);
    return list.empty() ? DiscoveryRequest() : list[0];
  }
  template <class Message>
  void respond(Type type, const std::string& version, const std::vector<Message>& resources) {
    DiscoveryResponse response;
    response.set_type_url(std::string(type_url(type)));
    response.set_version_info(version);
    response.set_nonce("nonce-" + version);
    for (const Message& resource : resources) {
      auto* any = response.add_resources();
      any->set_type_url(std::string(type_url(type)));
      any->set_value(resource.SerializeAsString());
    }
    client->received(response.SerializeAsString());
    loop->settle();
  }
  void finish(Result<void> result = {}) {
    server.finish(std::move(result));
    loop->settle();
  }
  static envoy::config::cluster::v3::Cluster cluster(const std::string& name) {
    envoy::config::cluster::v3::Cluster made;
    made.set_name(name);
    made.set_type(envoy::config::cluster::v3::Cluster::EDS);
    made.mutable_eds_cluster_config()->mutable_eds_config()->mutable_ads();
    made.mutable_eds_cluster_config()->mutable_eds_config()->set_resource_api_version(
        envoy::config::core::v3::V3);
    return made;
  }
  static envoy::config::endpoint::v3::ClusterLoadAssignment endpoints(const std::string& name, int port) {
    envoy::config::endpoint::v3::ClusterLoadAssignment made;
    made.set_cluster_name(name);
    auto* address = made.add_endpoints()
                        ->add_lb_endpoints()
                        ->mutable_endpoint()
                        ->mutable_address()
                        ->mutable_socket_address();
    address->set_address("10.0.0.2");
    address->set_port_value(static_cast<std::uint32_t>(port));
    return made;
  }
  static envoy::config::listener::v3::Listener listener(const std::string& name,
                                                        const std::string& route_table) {
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager manager;
    manager.set_stat_prefix("test");
    manager.mutable_rds()->set_route_config_name(route_table);
    manager.mutable_rds()->mutable_config_source()->mutable_ads();
    manager.mutable_rds()->mutable_config_source()->set_resource_api_version(envoy::config::core::v3::V3);
    auto* router = manager.add_http_filters();
    router->set_name("envoy.filters.http.router");
    router->mutable_typed_config()->set_type_url(
        "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router");
    envoy::config::listener::v3::Listener made;
    made.set_name(name);
    made.mutable_address()->mutable_socket_address()->set_address("127.0.0.1");
    made.mutable_address()->mutable_socket_address()->set_port_value(15001);
    auto* filter = made.add_filter_chains()->add_filters();
    filter->set_name("envoy.filters.network.http_connection_manager");
    filter->mutable_typed_config()->PackFrom(manager);
    return made;
  }
  static envoy::config::route::v3::RouteConfiguration routes(const std::string& name,
                                                             const std::string& cluster) {
    envoy::config::route::v3::RouteConfiguration made;
    made.set_name(name);
    auto* host = made.add_virtual_hosts();
    host->set_name("all");
    host->add_domains("*");
    auto* route = host->add_routes();
    route->mutable_match()->set_prefix("/");
    route->mutable_route()->set_cluster(cluster);
    return made;
  }
  static Error rejected(const std::string& text) { return Error::config(Code::kConflict, text); }

  std::unique_ptr<net::Loop> loop;
  FakeServer server;
  Catalog catalog;
  std::unique_ptr<AdsClient> client;
};

using Clusters = std::vector<envoy::config::cluster::v3::Cluster>;
using Listeners = std::vector<envoy::config::listener::v3::Listener>;
using Assignments = std::vector<envoy::config::endpoint::v3::ClusterLoadAssignment>;
using Tables = std::vector<envoy::config::route::v3::RouteConfiguration>;

TEST_F(AdsClientTest, AsksForClustersAndListenersAndSaysOnceWhoItIs) {
  const auto list = requests();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].type_url(), type_url(Type::kCluster));
  EXPECT_EQ(list[1].type_url(), type_url(Type::kListener));
  EXPECT_EQ(list[0].node().id(), "sidecar~10.0.0.1~a.default~x");
  EXPECT_FALSE(list[1].has_node());
  EXPECT_EQ(list[0].resource_names_size(), 0) << "all of them";
  EXPECT_EQ(list[0].version_info(), "");
}

TEST_F(AdsClientTest, AcknowledgesOnlyWhenEveryWorkerRunsIt) {
  requests();
  respond(Type::kCluster, "1", Clusters{});
  const auto ack = request();
  EXPECT_EQ(ack.version_info(), "1") << "nothing changed, so nothing is waited for";
  respond(Type::kCluster, "2", Clusters{cluster("a")});
  const auto asked = requests();
  ASSERT_EQ(asked.size(), 2u) << "the endpoints, and that the cluster is known and warms";
  EXPECT_EQ(asked[0].type_url(), type_url(Type::kEndpoint));
  EXPECT_EQ(asked[0].resource_names(0), "a");
  EXPECT_FALSE(server.applying());
  respond(Type::kEndpoint, "3", Assignments{endpoints("a", 80)});
  ASSERT_TRUE(server.applying());
  for (const auto& early : requests())
    EXPECT_NE(early.response_nonce(), "nonce-3") << "the workers do not run it yet";
  finish();
  bool acknowledged = false;
  for (const auto& now : requests())
    acknowledged |= now.version_info() == "3" && now.response_nonce() == "nonce-3" && !now.has_error_detail();
  EXPECT_TRUE(acknowledged);
  EXPECT_EQ(server.current()->clusters.size(), 1u);
}

TEST_F(AdsClientTest, RejectsABadResourceByNameAndReasonAndKeepsItsVersion) {
  requests();
  respond(Type::kCluster, "1", Clusters{});
  requests();
  auto bad = cluster("bad");
  bad.mutable_connect_timeout()->set_seconds(-1);
  respond(Type::kCluster, "2", Clusters{bad});
  const auto rejection = request();
  EXPECT_EQ(rejection.version_info(), "1");
  EXPECT_EQ(rejection.response_nonce(), "nonce-2");
  EXPECT_NE(rejection.error_detail().message().find("CDS 'bad': "), std::string::npos)
      << rejection.error_detail().message();
  EXPECT_NE(rejection.error_detail().message().find("connect_timeout"), std::string::npos)
      << rejection.error_detail().message();
  EXPECT_EQ(client->rejections(), 1u);
}

TEST_F(AdsClientTest, what_runs_is_no_longer_said_to_be_rejected_when_the_same_bytes_come_again) {
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  auto bad = cluster("a");
  bad.mutable_connect_timeout()->set_seconds(-1);
  respond(Type::kCluster, "2", Clusters{bad});
  EXPECT_TRUE(catalog.rejections(Type::kCluster).contains("a"));
  respond(Type::kCluster, "3", Clusters{cluster("a")});
  EXPECT_FALSE(catalog.rejections(Type::kCluster).contains("a"));
}

TEST_F(AdsClientTest, a_resource_that_is_there_twice_in_one_response_is_rejected_and_the_first_is_kept) {
  requests();
  auto second = cluster("a");
  second.mutable_connect_timeout()->set_seconds(7);
  respond(Type::kCluster, "1", Clusters{cluster("a"), second, cluster("b")});
  const auto rejection = requests();
  bool said = false;
  for (const auto& each : rejection)
    said |= each.error_detail().message() == "CDS 'a': is there twice in one response";
  EXPECT_TRUE(said);
  EXPECT_NE(catalog.accepted(Type::kCluster).at("a")->bytes, second.SerializeAsString());
  EXPECT_TRUE(catalog.accepted(Type::kCluster).contains("b"));
}

TEST_F(AdsClientTest, RejectsBytesThatAreNoMessage) {
  requests();
  DiscoveryResponse response;
  response.set_type_url(std::string(type_url(Type::kCluster)));
  response.set_version_info("1");
  response.set_nonce("n");
  response.add_resources()->set_value("\xff\xff\xff");
  client->received(response.SerializeAsString());
  const auto rejection = request();
  EXPECT_TRUE(rejection.has_error_detail());
  EXPECT_EQ(rejection.version_info(), "");
  client->received("\xff not a response");
  EXPECT_TRUE(requests().empty());
}

TEST_F(AdsClientTest, AListenerWaitsForItsRoutesAndAClusterForItsEndpoints) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kListener, "2", Listeners{listener("in", "80")});
  while (server.applying()) finish();
  EXPECT_FALSE(server.ready());
  EXPECT_TRUE(!server.current() || server.current()->listeners.empty());
  EXPECT_EQ(catalog.wanted(Type::kRoute)->list(), std::vector<std::string_view>{"80"});
  respond(Type::kEndpoint, "3", Assignments{endpoints("a", 80)});
  while (server.applying()) finish();
  respond(Type::kRoute, "4", Tables{routes("80", "a")});
  while (server.applying()) finish();
  ASSERT_TRUE(server.current());
  EXPECT_EQ(server.current()->clusters.size(), 1u);
  EXPECT_EQ(server.current()->listeners.size(), 1u);
  EXPECT_TRUE(server.ready());
}

TEST_F(AdsClientTest, EndpointsThatNeverComeAreWaitedForOnlySoLong) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kListener, "2", Listeners{});
  while (server.applying()) finish();
  EXPECT_FALSE(server.ready());
  loop->advance(16s);
  while (server.applying()) finish();
  EXPECT_EQ(server.current()->clusters.size(), 1u) << "it is there without endpoints, and answers 503";
  EXPECT_TRUE(server.ready());
}

TEST_F(AdsClientTest, endpoints_whose_time_ends_while_a_configuration_is_applied_are_waited_for_no_longer) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kListener, "2", Listeners{});
  while (server.applying()) finish();
  loop->advance(1s);
  respond(Type::kCluster, "3", Clusters{cluster("a"), cluster("b")});
  while (server.applying()) finish();
  loop->advance(14s);
  ASSERT_TRUE(server.applying()) << "the cluster that came first, without its endpoints";
  loop->advance(2s);
  while (server.applying()) finish();
  EXPECT_EQ(server.current()->clusters.size(), 2u);
  EXPECT_TRUE(server.ready());
}

TEST_F(AdsClientTest, WhatIsNoLongerNamedGoes) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a"), cluster("b")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80), endpoints("b", 80)});
  while (server.applying()) finish();
  EXPECT_EQ(server.current()->clusters.size(), 2u);
  respond(Type::kCluster, "3", Clusters{cluster("b")});
  while (server.applying()) finish();
  EXPECT_EQ(server.current()->clusters.size(), 1u);
  EXPECT_EQ(catalog.wanted(Type::kEndpoint)->list(), std::vector<std::string_view>{"b"});
}

TEST_F(AdsClientTest, WhatTheDataPlaneCannotDoIsRejectedAndTheOldStays) {
  requests();
  respond(Type::kCluster, "1", Clusters{});
  respond(Type::kListener, "2", Listeners{listener("in", "80")});
  respond(Type::kRoute, "3", Tables{routes("80", "a")});
  ASSERT_TRUE(server.applying());
  requests();
  finish(fail(rejected("listener 'in': 127.0.0.1:15001 is in use")));
  bool said = false;
  for (const auto& now : requests())
    said |=
        now.has_error_detail() && now.error_detail().message().find("15001 is in use") != std::string::npos;
  EXPECT_TRUE(said);
  EXPECT_TRUE(!server.current() || server.current()->listeners.empty());
}

TEST_F(AdsClientTest, what_only_takes_away_is_applied_again_when_that_failed) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a"), cluster("b")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80), endpoints("b", 80)});
  respond(Type::kListener, "3", Listeners{});
  while (server.applying()) finish();
  requests();
  respond(Type::kCluster, "4", Clusters{cluster("a")});
  ASSERT_TRUE(server.applying());
  finish(fail(rejected("no more memory")));
  EXPECT_FALSE(server.applying());
  EXPECT_TRUE(requests().empty()) << "it is not done";
  loop->advance(1s);
  ASSERT_TRUE(server.applying());
  finish();
  EXPECT_FALSE(requests().empty());
  EXPECT_EQ(server.current()->clusters.size(), 1u);
  loop->advance(1min);
  EXPECT_FALSE(server.applying());
}

/// What the requests since the last call complain of.
std::string complaints(const std::vector<envoy::service::discovery::v3::DiscoveryRequest>& requests) {
  std::string all;
  for (const auto& one : requests) all += one.error_detail().message();
  return all;
}

TEST_F(AdsClientTest, every_resource_that_the_data_plane_cannot_do_is_named) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a"), cluster("b"), cluster("c")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80), endpoints("b", 80), endpoints("c", 80)});
  respond(Type::kListener, "3", Listeners{});
  while (server.applying()) finish();
  requests();
  respond(Type::kEndpoint, "4", Assignments{endpoints("a", 81), endpoints("b", 81)});
  finish(fail(rejected("no more memory")));
  const std::string said = complaints(requests());
  EXPECT_NE(said.find("EDS 'a': no more memory"), said.npos) << said;
  EXPECT_NE(said.find("EDS 'b': no more memory"), said.npos) << said;
  EXPECT_EQ(said.find("'c'"), said.npos) << said;
}

TEST_F(AdsClientTest, of_more_rejected_resources_than_can_be_named_none_is) {
  requests();
  Clusters many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(cluster("a cluster with a name of some length, number " + std::to_string(i)));
    many.back().set_type(static_cast<envoy::config::cluster::v3::Cluster::DiscoveryType>(77));
  }
  respond(Type::kCluster, "1", many);
  while (server.applying()) finish();
  const std::string said = complaints(requests());
  EXPECT_LT(said.size(), 200u);
  EXPECT_NE(said.find("CDS: more resources"), said.npos) << said;
  EXPECT_EQ(catalog.rejections(Type::kCluster).size(), 500u);
}

TEST_F(AdsClientTest, ANewStreamSaysWhichVersionsAreThereAndChangesNothing) {
  requests();
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80)});
  while (server.applying()) finish();
  const auto before = server.current();
  client->connected();
  const auto list = requests();
  ASSERT_EQ(list.size(), 3u) << "clusters, endpoints, listeners";
  EXPECT_TRUE(list[0].has_node());
  for (const auto& one : list) EXPECT_EQ(one.response_nonce(), "") << "nonces belong to one stream";
  EXPECT_EQ(list[0].version_info(), "1");
  EXPECT_EQ(list[1].version_info(), "2");
  EXPECT_EQ(list[1].resource_names(0), "a");
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  EXPECT_FALSE(server.applying()) << "the same bytes are no change";
  EXPECT_EQ(server.current(), before);
}

TEST_F(AdsClientTest,
       names_that_are_wanted_while_an_answer_is_owed_go_with_the_answer_and_acknowledge_nothing) {
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80)});
  ASSERT_TRUE(server.applying());
  respond(Type::kCluster, "3", Clusters{cluster("a"), cluster("b")});
  for (const auto& early : requests())
    EXPECT_NE(early.response_nonce(), "nonce-2") << "the workers do not run it yet";
  finish();
  std::vector<DiscoveryRequest> answers;
  for (const auto& now : requests())
    if (now.response_nonce() == "nonce-2") answers.push_back(now);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].version_info(), "2");
  EXPECT_EQ(answers[0].resource_names_size(), 2);
}

TEST_F(AdsClientTest, what_an_ended_stream_was_owed_answers_nothing_of_the_next_one) {
  respond(Type::kCluster, "1", Clusters{cluster("a")});
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 80)});
  ASSERT_TRUE(server.applying());
  client->connected();
  requests();
  // A new stream counts its nonces anew.
  respond(Type::kEndpoint, "2", Assignments{endpoints("a", 81)});
  finish();
  ASSERT_TRUE(server.applying());
  for (const auto& early : requests())
    EXPECT_NE(early.response_nonce(), "nonce-2") << "the workers do not run it yet";
  finish();
  EXPECT_EQ(request().response_nonce(), "nonce-2");
}

TEST_F(AdsClientTest, one_rejected_cluster_does_not_keep_a_proxy_from_being_ready) {
  auto bad = cluster("bad");
  bad.set_type(static_cast<envoy::config::cluster::v3::Cluster::DiscoveryType>(77));
  respond<envoy::config::cluster::v3::Cluster>(Type::kCluster, "1", {cluster("a"), bad});
  respond<envoy::config::endpoint::v3::ClusterLoadAssignment>(Type::kEndpoint, "1", {endpoints("a", 80)});
  respond<envoy::config::listener::v3::Listener>(Type::kListener, "1", {listener("l", "table")});
  respond<envoy::config::route::v3::RouteConfiguration>(Type::kRoute, "1", {routes("table", "a")});
  while (server.applying()) finish();
  EXPECT_EQ(client->missing(), "");
  EXPECT_TRUE(server.ready());
  EXPECT_EQ(client->rejections(), 1u);
}

TEST_F(AdsClientTest, a_proxy_of_which_every_listener_was_rejected_is_not_ready_and_says_so) {
  auto bad = listener("l", "table");
  bad.mutable_address()->mutable_socket_address()->set_address("nowhere");
  respond<envoy::config::cluster::v3::Cluster>(Type::kCluster, "1", {});
  respond<envoy::config::listener::v3::Listener>(Type::kListener, "1", {bad});
  while (server.applying()) finish();
  EXPECT_FALSE(server.ready());
  EXPECT_EQ(client->missing(), "every LDS resource was rejected");
}

TEST_F(AdsClientTest, a_listener_whose_route_table_was_rejected_goes_without_and_the_proxy_is_ready) {
  respond<envoy::config::cluster::v3::Cluster>(Type::kCluster, "1", {});
  respond<envoy::config::listener::v3::Listener>(Type::kListener, "1", {listener("l", "table")});
  DiscoveryResponse garbled;
  garbled.set_type_url(std::string(type_url(Type::kRoute)));
  garbled.set_nonce("nonce-1");
  auto table = routes("table", "a");
  auto* header = table.add_request_headers_to_add()->mutable_header();
  header->set_key("x");
  header->set_value("%NOSUCH%");
  auto* any = garbled.add_resources();
  any->set_type_url(garbled.type_url());
  any->set_value(table.SerializeAsString());
  client->received(garbled.SerializeAsString());
  loop->settle();
  while (server.applying()) finish();
  EXPECT_TRUE(server.ready()) << client->missing();
  ASSERT_TRUE(server.current());
  EXPECT_EQ(server.current()->listeners.size(), 1u);
}

}  // namespace
}  // namespace weft::xds
