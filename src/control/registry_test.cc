#include "control/registry.h"

#include <gtest/gtest.h>

#include "control/testing/objects.h"

namespace weft::control {
namespace {

Registry registry_of(std::string_view yaml) {
  return Registry(ObjectSnapshot::of(1, testing::objects(yaml)));
}

constexpr std::string_view kReviews = R"(
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {clusterIP: 10.96.0.20, selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: default, labels: {app: reviews, version: v1}}
spec: {containers: [{name: app, image: x, ports: [{name: web, containerPort: 9080}]}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: default, labels: {app: reviews, version: v2}}
spec: {containers: [{name: app, image: x, ports: [{name: web, containerPort: 9090}]}]}
status: {podIP: 10.0.0.2}
)";

std::string slice(const std::string& name, const std::string& port, const std::string& endpoints) {
  return "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name +
         ", namespace: default, labels: {kubernetes.io/service-name: reviews}}\naddressType: IPv4\nports: "
         "[{name: http, port: " +
         port + "}]\nendpoints: [" + endpoints + "]\n";
}

std::string endpoint(const std::string& ip, const std::string& pod, const std::string& conditions) {
  return "{addresses: [" + ip + "], conditions: {" + conditions + "}, targetRef: {kind: Pod, name: " + pod +
         ", namespace: default}}";
}

std::vector<std::string> ready_endpoints(const Registry& registry, const Labels& wanted = {}) {
  const Service* service = registry.find("reviews.default.svc.cluster.local");
  std::vector<std::string> found;
  for (const Endpoint& each : receivers(registry.endpoints(*service, service->ports.at(0)), wanted))
    found.push_back(each.ip + ":" + std::to_string(each.port));
  return found;
}

using Texts = std::vector<std::string>;

TEST(Registry, port_protocols_follow_appProtocol_then_the_name_then_the_number) {
  EXPECT_EQ(protocol_of({"", "http-x", "TCP", 80}), Protocol::kHttp);
  EXPECT_EQ(protocol_of({"http", "anything", "TCP", 80}), Protocol::kHttp);
  EXPECT_EQ(protocol_of({"", "", "TCP", 8000}), Protocol::kSniff);
  EXPECT_EQ(protocol_of({"", "", "TCP", 3306}), Protocol::kTcp);
  EXPECT_EQ(protocol_of({"", "web", "TCP", 27017}), Protocol::kTcp);
  EXPECT_EQ(protocol_of({"", "http-db", "TCP", 3306}), Protocol::kHttp);
  EXPECT_EQ(protocol_of({"kubernetes.io/wss", "http", "TCP", 80}), Protocol::kTls);
  EXPECT_EQ(protocol_of({"", "GRPC-Web-x", "TCP", 80}), Protocol::kGrpcWeb);
  EXPECT_EQ(protocol_of({"", "http", "UDP", 80}), Protocol::kUdp);
}

TEST(Registry, protocols_that_are_plainly_no_http_are_tcp_by_their_whole_name) {
  for (const char* name : {"postgres", "ssh", "smtp", "imap", "pop3", "ftp", "amqp", "nats", "mqtt", "kafka",
                           "cassandra", "memcached", "ldap", "zookeeper", "Postgres"})
    EXPECT_EQ(protocol_of({"", name, "TCP", 7000}), Protocol::kTcp) << name;
  EXPECT_EQ(protocol_of({"mqtt", "", "TCP", 7000}), Protocol::kTcp);
  EXPECT_EQ(protocol_of({"", "redis-ui", "TCP", 7000}), Protocol::kTcp) << "a word of Istio's";
  for (const char* name : {"nats-monitor", "kafka-ui", "sshd", "web"})
    EXPECT_EQ(protocol_of({"", name, "TCP", 7000}), Protocol::kSniff) << name;
  for (const std::uint16_t port : {21, 22, 25, 53, 110, 143, 587})
    EXPECT_EQ(protocol_of({"", "", "TCP", port}), Protocol::kTcp) << port;
  EXPECT_EQ(protocol_of({"", "", "TCP", 5432}), Protocol::kSniff) << "its clients begin";
}

/// Services that all lead to port 7002 of pod "go", each with its endpoint.
std::string leads_to_go(const std::string& name, const std::string& port) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {clusterIP: None, selector: {app: go}, ports: [{" + port +
         ", port: 7002}]}\n"
         "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " +
         name + "-1, namespace: default, labels: {kubernetes.io/service-name: " + name +
         "}}\naddressType: IPv4\nports: [{" + port.substr(0, port.find(',')) +
         ", port: 7002}]\nendpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]\n";
}

TEST(Registry, services_that_say_different_things_of_one_pod_port_are_told_once_with_who_decides) {
  Registry registry = registry_of(leads_to_go("a-go", "name: x") + leads_to_go("go", "name: grpc") +
                                  leads_to_go("z-go", "name: http-x"));
  Texts texts;
  for (const PortConflict& conflict : registry.port_conflicts()) texts.push_back(to_text(conflict));
  const std::string why =
      " in namespace default lead to the same port 7002 of a pod, which is taken for http2: a declared "
      "protocol comes "
      "before a sniffed one, then the older Service decides; give both the same appProtocol";
  EXPECT_EQ(texts, (Texts{"Service go port 7002 (http2) and Service a-go port 7002 (sniffed)" + why,
                          "Service go port 7002 (http2) and Service z-go port 7002 (http)" + why}));
  EXPECT_TRUE(registry_of(leads_to_go("a", "name: http2-x") + leads_to_go("b", "name: grpc"))
                  .port_conflicts()
                  .empty());
}

TEST(Registry, a_port_number_that_udp_has_too_is_that_of_tcp) {
  ServicePort quic, http;
  quic.number = http.number = 80;
  quic.protocol = Protocol::kUdp;
  http.protocol = Protocol::kHttp;
  Service service;
  service.ports = {quic, http};
  ASSERT_TRUE(service.find_port(80));
  EXPECT_EQ(service.find_port(80)->protocol, Protocol::kHttp);
}

TEST(Registry, a_named_target_port_with_different_numbers_reaches_both_pods) {
  Registry registry =
      registry_of(std::string(kReviews) + slice("s1", "9080", endpoint("10.0.0.1", "a", "ready: true")) +
                  slice("s2", "9090", endpoint("10.0.0.2", "b", "ready: true")));
  EXPECT_EQ(ready_endpoints(registry), (Texts{"10.0.0.1:9080", "10.0.0.2:9090"}));
}

TEST(Registry, endpoints_that_are_unready_or_terminating_are_not_ready_and_absent_conditions_are) {
  Registry registry =
      registry_of(std::string(kReviews) +
                  slice("s1", "9080",
                        endpoint("10.0.0.1", "a", "ready: false") + ", " +
                            endpoint("10.0.0.2", "b", "ready: true, serving: true, terminating: true") +
                            ", {addresses: [10.0.0.9]}"));
  EXPECT_EQ(ready_endpoints(registry), Texts{"10.0.0.9:9080"});
}

TEST(Registry, endpoints_that_end_and_still_serve_are_used_when_there_is_no_other) {
  const std::string ending = endpoint("10.0.0.1", "a", "ready: false, serving: true, terminating: true") +
                             ", " +
                             endpoint("10.0.0.2", "b", "ready: false, serving: false, terminating: true");
  EXPECT_EQ(ready_endpoints(registry_of(std::string(kReviews) + slice("s1", "9080", ending))),
            Texts{"10.0.0.1:9080"});
  EXPECT_EQ(ready_endpoints(registry_of(std::string(kReviews) +
                                        slice("s1", "9080", ending + ", {addresses: [10.0.0.9]}"))),
            Texts{"10.0.0.9:9080"});
  EXPECT_EQ(ready_endpoints(
                registry_of(std::string(kReviews) +
                            slice("s1", "9080", endpoint("10.0.0.1", "a", "ready: false, serving: false")))),
            Texts{})
      << "unready is no end";
}

TEST(Registry, an_endpoint_in_two_slices_counts_once_and_is_ready_when_either_says_so) {
  Registry registry =
      registry_of(std::string(kReviews) + slice("s1", "9080", endpoint("10.0.0.1", "a", "ready: false")) +
                  slice("s2", "9080", endpoint("10.0.0.1", "a", "ready: true")));
  EXPECT_EQ(ready_endpoints(registry), Texts{"10.0.0.1:9080"});
  const Service* service = registry.find("reviews.default.svc.cluster.local");
  EXPECT_EQ(registry.endpoints(*service, service->ports.at(0)).size(), 1u);
}

TEST(Registry, five_thousand_endpoints_in_two_slices_each_count_once) {
  std::string yaml(kReviews);
  for (int part = 0; part < 50; ++part) {
    std::string list;
    for (int i = 0; i < 100; ++i)
      list += "{addresses: [10.1." + std::to_string(part) + "." + std::to_string(i) + "]},";
    for (const char* copy : {"a", "b"}) yaml += slice(copy + std::to_string(part), "9080", list);
  }
  EXPECT_EQ(ready_endpoints(registry_of(yaml)).size(), 5000u);
}

TEST(Registry, a_subset_whose_endpoints_all_end_uses_them_though_another_subset_has_ready_ones) {
  Registry registry =
      registry_of(std::string(kReviews) +
                  slice("s1", "9080",
                        endpoint("10.0.0.1", "a", "ready: true") + ", " +
                            endpoint("10.0.0.2", "b", "ready: false, serving: true, terminating: true")));
  EXPECT_EQ(ready_endpoints(registry), Texts{"10.0.0.1:9080"});
  EXPECT_EQ(ready_endpoints(registry, {{"version", "v2"}}), Texts{"10.0.0.2:9080"});
}

TEST(Registry, an_endpoint_in_two_slices_ends_and_serves_when_either_says_so) {
  const std::string away = endpoint("10.0.0.1", "a", "ready: false, serving: false, terminating: true");
  const std::string ending = endpoint("10.0.0.1", "a", "ready: false, serving: true, terminating: true");
  EXPECT_EQ(ready_endpoints(
                registry_of(std::string(kReviews) + slice("s1", "9080", away) + slice("s2", "9080", ending))),
            Texts{"10.0.0.1:9080"});
}

/// The Service of that list of families; a slice of IPv4 and one of IPv6 with these endpoints; pods that have
/// the address `pod_ip`.
Registry of_two_families(const std::string& families, const std::string& four, const std::string& six,
                         const std::string& pod_ip = "10.0.0.1") {
  std::string yaml(kReviews), slice_of_six = slice("s6", "9080", six);
  yaml.replace(yaml.find("{clusterIP"), 1, "{ipFamilies: " + families + ", ");
  slice_of_six.replace(slice_of_six.find("addressType: IPv4"), 17, "addressType: IPv6");
  auto objects = testing::objects(yaml + slice("s4", "9080", four) + slice_of_six);
  for (auto& object : objects) {
    if (object->kind != kinds::pod()) continue;
    api::Object changed = *object;
    // A text to apply says no status.
    changed.body["status"]["podIP"] = pod_ip;
    object = std::make_shared<const api::Object>(std::move(changed));
  }
  return Registry(ObjectSnapshot::of(1, objects));
}

TEST(Registry, a_pod_of_two_families_counts_once_by_the_family_of_its_own_first_address) {
  const std::string four = endpoint("10.0.0.1", "a", "ready: true");
  const std::string six = endpoint("'fd00::1'", "a", "ready: true");
  for (const char* families : {"[IPv6, IPv4]", "[IPv4, IPv6]"}) {
    EXPECT_EQ(ready_endpoints(of_two_families(families, four, six)), Texts{"10.0.0.1:9080"}) << families;
    EXPECT_EQ(ready_endpoints(of_two_families(families, four, six, "fd00::1")), Texts{"fd00::1:9080"})
        << families;
  }
  EXPECT_EQ(ready_endpoints(of_two_families("[IPv6, IPv4]", four, six, "")), Texts{"fd00::1:9080"})
      << "a pod without an address yet";
  EXPECT_EQ(ready_endpoints(of_two_families("[IPv6]", "", six)), Texts{"fd00::1:9080"})
      << "the only one that its Service has";
}

TEST(Registry, an_endpoint_of_no_pod_counts_by_the_services_first_family) {
  const std::string four = "{addresses: [10.0.0.9]}", six = "{addresses: ['fd00::9']}";
  EXPECT_EQ(ready_endpoints(of_two_families("[IPv6, IPv4]", four, six)), Texts{"fd00::9:9080"});
  EXPECT_EQ(ready_endpoints(of_two_families("[IPv4, IPv6]", four, six)), Texts{"10.0.0.9:9080"});
}

TEST(Registry, an_endpoint_waits_for_its_pod_and_one_of_no_pod_does_not) {
  Registry registry =
      registry_of(std::string(kReviews) + slice("s1", "9080",
                                                endpoint("10.0.0.7", "unseen", "ready: true") +
                                                    ", {addresses: [10.0.0.8], conditions: {ready: true}}"));
  EXPECT_EQ(ready_endpoints(registry), Texts{"10.0.0.8:9080"});
}

api::ObjectPtr external_name(const std::string& name, const std::string& to) {
  api::Object object{kinds::service(),
                     {{"apiVersion", "v1"},
                      {"kind", "Service"},
                      {"metadata", {{"name", name}, {"namespace", "legacy"}}},
                      {"spec", {{"type", "ExternalName"}, {"externalName", to}}}}};
  return std::make_shared<const api::Object>(std::move(object));
}

TEST(Registry, external_names_are_aliases_of_the_service_they_lead_to_at_last) {
  auto objects = testing::objects(kReviews);
  objects.push_back(external_name("old", "older.legacy.svc.cluster.local"));
  objects.push_back(external_name("older", "reviews.default.svc.cluster.local."));
  objects.push_back(external_name("round", "round.legacy.svc.cluster.local"));
  Registry registry(ObjectSnapshot::of(1, std::move(objects)));
  const Service* service = registry.find("reviews.default.svc.cluster.local");
  EXPECT_EQ(service->aliases, (Texts{"old.legacy.svc.cluster.local", "older.legacy.svc.cluster.local"}));
  EXPECT_EQ(registry.resolve_destination("old", "legacy"), service->host);
  EXPECT_EQ(registry.resolve_destination("old.legacy", "default"), service->host);
  EXPECT_EQ(registry.find("old.legacy.svc.cluster.local"), nullptr);
  EXPECT_EQ(registry.resolve("old", "legacy"), "old.legacy.svc.cluster.local");
}

TEST(Registry, ports_of_native_sidecars_are_found_by_name_and_udp_ports_are_not) {
  api::Json spec = api::Json::parse(R"({
    "initContainers": [
      {"name": "helper", "restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 7000}]},
      {"name": "setup", "ports": [{"name": "once", "containerPort": 7001}]}],
    "containers": [{"name": "app", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]})");
  api::Object object{kinds::pod(), {{"metadata", {{"name", "a"}, {"namespace", "default"}}}, {"spec", spec}}};
  Registry registry(ObjectSnapshot::of(1, {std::make_shared<const api::Object>(std::move(object))}));
  const Workload* pod = registry.workload("default", "a");
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->find_port("side"), 7000);
  EXPECT_EQ(pod->find_port("once"), 0);
  EXPECT_EQ(pod->find_port("dns"), 0);
}

}  // namespace
}  // namespace weft::control
