#include <gtest/gtest.h>

#include "control/control_plane.h"
#include "control/controllers/plan.h"
#include "control/identity/registrations.h"
#include "control/json.h"
#include "control/testing/memory_store.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

constexpr std::string_view kIngress = R"(
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: default, annotations: {kubernetes.io/ingress.class: istio}}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
)";
constexpr std::string_view kForeign = R"(---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: foreign, namespace: default}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
)";
constexpr std::string_view kGateway = R"(---
apiVersion: v1
kind: Service
metadata: {name: istio-ingress, namespace: istio-system}
spec: {selector: {istio: ingress}, ports: [{port: 80, targetPort: 8080}]}
)";

api::Object gateway_pod(const std::string& name, const std::string& node, bool ready) {
  api::Object pod =
      *testing::objects("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                        ", namespace: istio-system, labels: {istio: ingress}}\nspec: {containers: "
                        "[{name: p, image: x}]}\n")
           .front();
  pod.body["status"] = {{"phase", "Running"},
                        {"podIP", "10.0.0.9"},
                        {"hostIP", node},
                        {"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}};
  return pod;
}

class ClusterTest : public ::testing::Test {
 protected:
  void start(bool leads) {
    plane =
        std::make_unique<ControlPlane>(*loop, store, std::make_unique<Registrations>(), cluster_options());
    plane->controllers().follow([this] { return leading; });
    leading = leads;
    plane->start();
    loop->advance(1s);
  }
  void put(const std::string& yaml) {
    for (const auto& object : testing::objects(yaml)) store.put(*object);
    loop->advance(1ms);
  }
  std::string addresses_of(std::string_view name) {
    for (const auto& each : store.all(kinds::ingress()))
      if (each->name() == name) return json::map(each->status(), "loadBalancer").dump();
    return "none";
  }

  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
  bool leading = false;
  std::unique_ptr<ControlPlane> plane;
};

TEST_F(ClusterTest, an_ingress_of_our_class_gets_the_nodes_of_ready_gateways_and_one_without_class_nothing) {
  put(std::string(kIngress) + std::string(kForeign) + std::string(kGateway));
  store.put(gateway_pod("a", "192.168.0.2", true));
  store.put(gateway_pod("b", "192.168.0.1", true));
  store.put(gateway_pod("c", "192.168.0.3", false));
  start(true);
  EXPECT_EQ(addresses_of("shop"), R"({"ingress":[{"ip":"192.168.0.1"},{"ip":"192.168.0.2"}]})");
  EXPECT_EQ(addresses_of("foreign"), "{}");
}

TEST_F(ClusterTest, a_load_balancer_of_the_gateways_service_comes_before_the_nodes) {
  put(std::string(kIngress) + std::string(kGateway));
  store.put(gateway_pod("a", "192.168.0.2", true));
  start(true);
  api::Object service = *store.all(kinds::service()).at(0);
  service.body["status"]["loadBalancer"]["ingress"] = {{{"ip", "203.0.113.7"}}};
  store.put(service);
  loop->advance(1ms);
  EXPECT_EQ(addresses_of("shop"), R"({"ingress":[{"ip":"203.0.113.7"}]})");
}

TEST_F(ClusterTest, only_the_leader_writes_and_it_catches_up_when_it_becomes_one) {
  put(std::string(kIngress) + std::string(kGateway));
  store.put(gateway_pod("a", "192.168.0.2", true));
  std::size_t writes = store.writes();
  start(false);
  EXPECT_EQ(store.writes(), writes);
  leading = true;
  plane->controllers().leadership_changed();
  loop->advance(1ms);
  EXPECT_EQ(addresses_of("shop"), R"({"ingress":[{"ip":"192.168.0.2"}]})");
}

TEST_F(ClusterTest, what_the_cluster_has_controllers_for_is_not_touched) {
  put("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec: {selector: {app: "
      "web}, "
      "ports: [{port: 80}]}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: "
      "default}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
      "spec: "
      "{containers: [{name: app, image: x}]}}}\n");
  std::size_t before = store.version();
  start(true);
  for (const api::KindInfo* kind : {kinds::replica_set(), kinds::endpoint_slice(), kinds::pod()})
    EXPECT_TRUE(store.all(kind).empty()) << kind->plural;
  for (const api::KindInfo* kind : {kinds::service(), kinds::deployment()})
    EXPECT_LE(store.all(kind).at(0)->resource_version(), before) << kind->plural;
}

TEST_F(ClusterTest, a_status_that_the_store_does_not_keep_is_not_written_for_ever) {
  put(std::string(kIngress) + std::string(kGateway));
  store.put(gateway_pod("a", "192.168.0.2", true));
  store.prunes_status = true;
  start(true);
  std::size_t once = store.writes();
  loop->advance(60s);
  EXPECT_EQ(store.writes(), once);
  put(std::string(kIngress));
  EXPECT_EQ(store.writes(), once + 2) << "the Ingress itself, and one try for its new version";
}

TEST_F(ClusterTest, a_proxy_whose_pod_has_an_ipv6_address_is_one_of_ipv6) {
  const auto is_six = [](const char* ip) {
    api::Object pod = gateway_pod("a", "192.168.0.2", true);
    pod.body["status"]["podIP"] = ip;
    const Registry registry(ObjectSnapshot::of(1, {std::make_shared<const api::Object>(std::move(pod))}));
    return identify({"istio-system", "a", "default", 0, true}, registry).ipv6;
  };
  EXPECT_TRUE(is_six("fd00::2"));
  EXPECT_FALSE(is_six("10.0.0.2"));
}

TEST_F(ClusterTest, a_gateway_listens_where_the_service_before_its_pod_sends_its_port) {
  auto objects = testing::objects(kGateway);
  objects.push_back(std::make_shared<const api::Object>(gateway_pod("a", "192.168.0.2", true)));
  Registry registry(ObjectSnapshot::of(1, std::move(objects)));
  ProxyIdentity proxy = identify({"istio-system", "a", "default", 0, true}, registry);
  EXPECT_EQ(proxy.kind, ProxyIdentity::Kind::kGateway);
  EXPECT_EQ(gateway_listener_port(registry, proxy, 80), 8080);
  EXPECT_EQ(gateway_listener_port(registry, proxy, 9000), 9000);
}

}  // namespace
}  // namespace weft::control
