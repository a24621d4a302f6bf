#include <gtest/gtest.h>

#include "proxy/testing/fake_server.h"
#include "xds/ads_client.h"
#include "xds/convert.h"
#include "xds/convert_table.h"
#include "xds/proto/cluster.pb.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/listener.pb.h"
#include "xds/proto/route.pb.h"
#include "xds/proto/route_table_change.pb.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;
using proxy::testing::FakeServer;
using testing::parsed;
using Names = std::vector<std::string>;

/// A client of a delta stream, whose server is the test.
class AdsDeltaTest : public ::testing::Test {
 protected:
  AdsDeltaTest() : loop(net::Loop::simulated()), catalog({}, {}) {
    EXPECT_TRUE(catalog.build(loop->now()));
    catalog.commit();
    AdsClient::Options options;
    options.source.clusters = options.source.listeners = options.source.delta = true;
    client = std::make_unique<AdsClient>(*loop, server, catalog, options);
    client->connected();
  }

  std::vector<DeltaDiscoveryRequest> requests() {
    std::vector<DeltaDiscoveryRequest> list;
    for (const std::string& bytes : client->take_requests())
      EXPECT_TRUE(list.emplace_back().ParseFromString(bytes));
    return list;
  }
  DeltaDiscoveryRequest request() {
    auto list = requests();
    EXPECT_EQ(list.size(), 1u);
    return list.empty() ? DeltaDiscoveryRequest() : list[0];
  }
  static Names added(const DeltaDiscoveryRequest& request) {
    return {request.resource_names_subscribe().begin(), request.resource_names_subscribe().end()};
  }
  static Names gone(const DeltaDiscoveryRequest& request) {
    return {request.resource_names_unsubscribe().begin(), request.resource_names_unsubscribe().end()};
  }

  void respond(const DeltaDiscoveryResponse& response) {
    client->received(response.SerializeAsString());
    loop->settle();
    while (server.applying()) {
      server.finish({});
      loop->settle();
    }
  }
  DeltaDiscoveryResponse response(Type type) {
    DeltaDiscoveryResponse made;
    made.set_type_url(std::string(type_url(type)));
    made.set_nonce("n" + std::to_string(++nonces_));
    made.set_system_version_info(std::to_string(nonces_));
    return made;
  }
  template <class Message>
  static void add(DeltaDiscoveryResponse& to, const std::string& name, const std::string& version,
                  const Message& message, std::string_view url) {
    auto& made = *to.add_resources();
    made.set_name(name);
    made.set_version(version);
    made.mutable_resource()->set_type_url(std::string(url));
    made.mutable_resource()->set_value(message.SerializeAsString());
  }
  /// EDS clusters that come, and the names of those that go.
  void clusters(const Names& come, const Names& go = {}) {
    auto made = response(Type::kCluster);
    for (const std::string& name : come)
      add(made, name, "1",
          parsed<cluster::Cluster>(
              "name: '" + name +
              "' type: EDS eds_cluster_config { eds_config { ads {} resource_api_version: V3 } }"),
          type_url(Type::kCluster));
    for (const std::string& name : go) made.add_removed_resources(name);
    respond(made);
  }
  Names accepted(Type type) {
    Names names;
    for (const ResourcePtr& each : catalog.accepted(type)) names.emplace_back(each->name());
    return names;
  }
  /// A listener that needs table "t".
  void listen() {
    auto made = response(Type::kListener);
    add(made, "l", "1", parsed<listener::Listener>(R"(
            name: 'l' address { socket_address { address: '127.0.0.1' port_value: 15001 } }
            filter_chains { filters { name: 'envoy.filters.network.http_connection_manager' typed_config {
              [type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] {
                stat_prefix: 's' rds { route_config_name: 't' config_source { ads {} resource_api_version: V3 } }
                http_filters { name: 'envoy.filters.http.router' typed_config {
                  [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router] {} } } } } } })"),
        type_url(Type::kListener));
    respond(made);
  }
  static route::RouteConfiguration table(const std::string& cluster) {
    return parsed<route::RouteConfiguration>(
        "name: 't' virtual_hosts { name: 'a' domains: 'a' routes { match { prefix: '/' } route { cluster: "
        "'c' } } } "
        "virtual_hosts { name: 'b' domains: 'b' routes { match { prefix: '/' } route { cluster: '" +
        cluster + "' } } }");
  }
  /// Table "t" whole, as form `version`.
  void whole(const std::string& version, const std::string& cluster) {
    auto made = response(Type::kRoute);
    add(made, "t", version, table(cluster), type_url(Type::kRoute));
    respond(made);
  }
  /// The second host with another cluster, as a change of form `base`.
  void change(const std::string& base, const std::string& version, const std::string& cluster) {
    weft::xds::v1::RouteTableChange change;
    change.set_base(base);
    route::RouteConfiguration rest;
    rest.set_name("t");
    change.set_table(rest.SerializeAsString());
    change.set_before_hosts(static_cast<std::uint32_t>(change.table().size()));
    change.add_hosts()->set_count(1);
    change.add_hosts()->set_changed(table(cluster).virtual_hosts(1).SerializeAsString());
    auto made = response(Type::kRoute);
    add(made, "t", version, change, kTableChangeUrl);
    respond(made);
  }
  std::string applied_table() { return catalog.running(Type::kRoute).at("t")->message(); }

  std::unique_ptr<net::Loop> loop;
  FakeServer server;
  Catalog catalog;
  std::unique_ptr<AdsClient> client;

 private:
  int nonces_ = 0;
};

TEST_F(AdsDeltaTest, resources_that_are_alike_are_packed_and_shown_as_they_came) {
  const auto message = [](int number, int seconds) {
    return parsed<cluster::Cluster>(
        "name: 'outbound|80||service-" + std::to_string(number) +
        ".default.svc.cluster.local' type: EDS lb_policy: LEAST_REQUEST "
        "connect_timeout { seconds: " +
        std::to_string(seconds) + " } eds_cluster_config { eds_config { ads {} resource_api_version: V3 } }");
  };
  const auto expect_packed = [&](const cluster::Cluster& came) {
    const ResourcePtr resource = catalog.accepted(Type::kCluster).at(came.name());
    EXPECT_EQ(resource->message(), came.SerializeAsString());
    EXPECT_LT(resource->bytes.packed_size() * 2, resource->bytes.size()) << came.name();
  };
  auto many = response(Type::kCluster);
  for (int i = 0; i < 30; ++i) add(many, message(i, 1).name(), "1", message(i, 1), type_url(Type::kCluster));
  respond(many);
  for (int i = 0; i < 30; ++i) expect_packed(message(i, 1));

  auto one = response(Type::kCluster);
  add(one, message(7, 2).name(), "2", message(7, 2), type_url(Type::kCluster));
  respond(one);
  expect_packed(message(7, 2));
  EXPECT_EQ(catalog.accepted(Type::kCluster).at(message(7, 2).name())->version(), one.system_version_info());

  const auto before = catalog.accepted(Type::kCluster);
  respond(many);
  const auto after = catalog.accepted(Type::kCluster);
  for (int i = 0; i < 30; ++i) {
    const bool changed = before.at(message(i, 1).name()) != after.at(message(i, 1).name());
    EXPECT_EQ(changed, i == 7) << "what came with the same bytes stays";
  }
}

TEST_F(AdsDeltaTest, says_which_names_come_and_go_and_acknowledges_without_any) {
  EXPECT_EQ(requests().size(), 2u) << "clusters and listeners";
  clusters({"a", "b"});
  auto list = requests();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].response_nonce(), "") << "endpoints are asked for without speaking of a response";
  EXPECT_EQ(added(list[0]), (Names{"a", "b"}));
  EXPECT_EQ(list[1].response_nonce(), "n1");
  EXPECT_TRUE(added(list[1]).empty());
  clusters({"c"}, {"a"});
  EXPECT_EQ(accepted(Type::kCluster), (Names{"b", "c"}));
  list = requests();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(added(list[0]), Names{"c"});
  auto endpoints = response(Type::kEndpoint);
  for (const char* name : {"b", "c"})
    add(endpoints, name, "1",
        parsed<endpoint::ClusterLoadAssignment>(std::string("cluster_name: '") + name + "'"),
        type_url(Type::kEndpoint));
  respond(endpoints);
  list = requests();
  ASSERT_FALSE(list.empty());
  EXPECT_TRUE(added(list.back()).empty());
  clusters({}, {"b"});
  Names unsubscribed;
  for (const auto& each : requests())
    for (const std::string& name : gone(each)) unsubscribed.push_back(name);
  EXPECT_EQ(unsubscribed.back(), "b");
}

TEST_F(AdsDeltaTest, a_new_stream_says_what_is_there_and_asks_for_every_name) {
  clusters({"a"});
  auto made = response(Type::kCluster);
  add(made, "bad", "1", parsed<cluster::Cluster>("name: 'bad' type: ORIGINAL_DST"), type_url(Type::kCluster));
  respond(made);
  requests();
  client->connected();
  const auto list = requests();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].type_url(), type_url(Type::kCluster));
  EXPECT_TRUE(list[0].initial_resource_versions().contains("a"));
  EXPECT_TRUE(list[0].initial_resource_versions().contains("bad")) << "what is rejected may be gone too";
  EXPECT_TRUE(list[0].node().client_features_size() == 1);
  EXPECT_EQ(added(list[1]), Names{"a"}) << "endpoints";
  EXPECT_EQ(list[1].node().client_features_size(), 0) << "said once";
}

TEST_F(AdsDeltaTest, a_rejected_resource_is_told_and_the_others_of_its_response_are_taken) {
  requests();
  auto made = response(Type::kCluster);
  add(made, "good", "1", parsed<cluster::Cluster>("name: 'good' type: STATIC"), type_url(Type::kCluster));
  add(made, "bad", "1", parsed<cluster::Cluster>("name: 'bad' type: ORIGINAL_DST"), type_url(Type::kCluster));
  respond(made);
  EXPECT_EQ(accepted(Type::kCluster), Names{"good"});
  const auto verdict = request();
  EXPECT_EQ(verdict.response_nonce(), "n1");
  EXPECT_TRUE(verdict.error_detail().message().starts_with("CDS 'bad': "))
      << verdict.error_detail().message();
  EXPECT_TRUE(added(verdict).empty());
}

TEST_F(AdsDeltaTest, a_change_of_a_table_makes_the_table_and_keeps_the_other_hosts) {
  listen();
  whole("v1", "c");
  const auto before = catalog.running(Type::kRoute).at("t");
  requests();
  change("v1", "v2", "d");
  EXPECT_EQ(applied_table(), table("d").SerializeAsString());
  EXPECT_EQ(catalog.running(Type::kRoute).at("t")->hosts->list[0], before->hosts->list[0]);
  EXPECT_FALSE(request().has_error_detail());
  change("v2", "v3", "e");
  EXPECT_EQ(applied_table(), table("e").SerializeAsString());
}

TEST_F(AdsDeltaTest, a_change_of_another_form_is_rejected_and_the_table_asked_for_whole) {
  listen();
  whole("v1", "c");
  requests();
  change("v0", "v2", "d");
  EXPECT_EQ(applied_table(), table("c").SerializeAsString()) << "what was there stays";
  const auto verdict = request();
  EXPECT_TRUE(verdict.error_detail().message().starts_with("RDS 't': ")) << verdict.error_detail().message();
  EXPECT_EQ(added(verdict), Names{"t"});
  whole("v2", "d");
  EXPECT_EQ(applied_table(), table("d").SerializeAsString());
  EXPECT_FALSE(request().has_error_detail());
  EXPECT_TRUE(catalog.rejections(Type::kRoute).empty());
}

TEST_F(AdsDeltaTest, a_change_that_names_hosts_which_are_not_there_is_rejected) {
  listen();
  whole("v1", "c");
  requests();
  for (const auto& [first, count] : {std::pair{0u, 3u}, {2u, 1u}, {1u, ~0u}, {~0u, 1u}}) {
    weft::xds::v1::RouteTableChange change;
    change.set_base("v1");
    change.set_table(table("c").SerializeAsString().substr(0, 3));
    auto& run = *change.add_hosts();
    run.set_first(first);
    run.set_count(count);
    auto made = response(Type::kRoute);
    add(made, "t", "v2", change, kTableChangeUrl);
    respond(made);
    EXPECT_TRUE(request().has_error_detail()) << first << " " << count;
  }
  EXPECT_EQ(applied_table(), table("c").SerializeAsString());
}

TEST_F(AdsDeltaTest, a_table_that_comes_again_under_another_forms_name_can_be_changed_from_there) {
  listen();
  whole("v1", "c");
  whole("v2", "c");
  requests();
  change("v2", "v3", "d");
  EXPECT_FALSE(request().has_error_detail());
  EXPECT_EQ(applied_table(), table("d").SerializeAsString());
}

/// A server without the delta method. By the other it gives one response, and ends.
class OldServer final : public http::grpc::Client {
 public:
  explicit OldServer(std::vector<std::string>& paths) : paths_(paths) {}
  std::unique_ptr<http::grpc::MessageStream> open(std::string_view path, std::string_view,
                                                  const http::Headers&) override {
    paths_.emplace_back(path.substr(path.rfind('/') + 1));
    return std::make_unique<Stream>(paths_.back() != "DeltaAggregatedResources");
  }

 private:
  struct Stream final : http::grpc::MessageStream {
    explicit Stream(bool known) : is_known(known) {}
    net::Task<Result<std::string>> read() override {
      if (!is_known)
        co_return fail(
            Error::upstream(Code::kUnsupported, Retry::kNever, "grpc-status 12: there is no such method"));
      if (std::exchange(has_responded, true))
        co_return fail(Error::upstream(Code::kClosed, Retry::kFreshConnection, "the connection ended"));
      envoy::service::discovery::v3::DiscoveryResponse response;
      response.set_type_url(std::string(type_url(Type::kCluster)));
      co_return response.SerializeAsString();
    }
    net::Task<Result<void>> write_parts(std::string_view, std::shared_ptr<const std::string>) override {
      co_return Result<void>();
    }
    void finish(int, std::string_view) override {}
    const bool is_known;
    bool has_responded = false;
  };
  std::vector<std::string>& paths_;
};

net::Task<Result<ControlConnection>> connect_to_old_server(std::vector<std::string>* paths) {
  co_return ControlConnection{.client = std::make_unique<OldServer>(*paths), .authority = "control"};
}

TEST_F(AdsDeltaTest,
       a_control_plane_from_before_delta_is_asked_for_state_of_the_world_until_its_stream_ends) {
  std::vector<std::string> paths;
  AdsClient::Options options;
  options.source.clusters = options.source.listeners = options.source.delta = true;
  options.connect = [&] { return connect_to_old_server(&paths); };
  AdsClient other(*loop, server, catalog, options);
  other.start();
  loop->settle();
  loop->advance(1s);
  loop->settle();
  ASSERT_GE(paths.size(), 4u);
  EXPECT_EQ(paths[0], "DeltaAggregatedResources");
  EXPECT_EQ(paths[1], "StreamAggregatedResources");
  EXPECT_EQ(paths[2], "DeltaAggregatedResources") << "a newer one may have come";
  EXPECT_EQ(paths[3], "StreamAggregatedResources");
}

}  // namespace
}  // namespace weft::xds
