#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

using envoy::extensions::filters::http::fault::v3::HTTPFault;

constexpr const char* kService =
    "apiVersion: v1\nkind: Service\nmetadata: {name: go, namespace: default}\nspec: {selector: {app: go}, "
    "clusterIP: 10.0.0.9, ports: [";

ResourceSet resources(const std::string& yaml) {
  const PushContext push(
      std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, testing::objects(yaml))));
  return translate(push, {ProxyIdentity::Kind::kSidecar, "default", "go-1", "default", {{"app", "go"}}});
}

TEST(GrpcTranslation, an_abort_by_its_status_is_the_number_of_that_status) {
  const ResourceSet set = resources(
      std::string(kService) +
      "{name: grpc, port: 7000}]}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: "
      "{name: go, namespace: default}\nspec: {hosts: [go], http: [{route: [{destination: {host: go}}], "
      "fault: "
      "{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 50}}}}]}\n");
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("7000")->message()));
  HTTPFault fault;
  const auto& settings = table.virtual_hosts(0).routes(0).typed_per_filter_config();
  ASSERT_TRUE(settings.at(std::string(kFaultFilter)).UnpackTo(&fault));
  EXPECT_TRUE(fault.abort().has_grpc_status());
  EXPECT_EQ(fault.abort().grpc_status(), 14u);
  EXPECT_EQ(fault.abort().percentage().numerator(), 500'000u);
}

/// The filters of each HTTP chain of a listener, by their names' last words.
std::string filters_of(const ResourceSet& set, const std::string& name) {
  listener::Listener made;
  EXPECT_TRUE(made.ParseFromString(set[Type::kListener].find(name)->message()));
  std::string text;
  for (const auto& chain : made.filter_chains()) {
    hcm::HttpConnectionManager manager;
    if (!chain.filters(0).typed_config().UnpackTo(&manager)) continue;
    for (const auto& filter : manager.http_filters())
      text += filter.name().substr(filter.name().rfind('.') + 1) + " ";
    text += "| ";
  }
  return text;
}

TEST(GrpcTranslation, chains_of_a_port_that_is_named_grpc_web_make_grpc_of_it_first) {
  const ResourceSet web = resources(std::string(kService) + "{name: grpc-web, port: 7000}]}\n");
  EXPECT_EQ(filters_of(web, "0.0.0.0_7000"), "grpc_web fault router | grpc_web fault router | ");
  EXPECT_EQ(filters_of(web, "virtualInbound"), "grpc_web router | ");
  const ResourceSet grpc = resources(std::string(kService) + "{name: grpc, port: 7000}]}\n");
  EXPECT_EQ(filters_of(grpc, "0.0.0.0_7000"), "fault router | fault router | ");
  EXPECT_EQ(filters_of(grpc, "virtualInbound"), "router | ");
}

TEST(GrpcTranslation, a_gateway_s_server_of_grpc_web_makes_grpc_of_it_too) {
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1,
      testing::objects(
          "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\nspec: "
          "{selector: {istio: ingressgateway}, servers: [{port: {number: 8080, name: web, protocol: "
          "GRPC-WEB}, "
          "hosts: ['*']}, {port: {number: 8081, name: http, protocol: HTTP}, hosts: ['*']}]}\n"))));
  const ResourceSet set = translate(
      push, {ProxyIdentity::Kind::kGateway, "default", "g-1", "default", {{"istio", "ingressgateway"}}});
  EXPECT_EQ(filters_of(set, "0.0.0.0_8080"), "grpc_web fault router | ");
  EXPECT_EQ(filters_of(set, "0.0.0.0_8081"), "fault router | ");
}

}  // namespace
}  // namespace weft::control
