#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

/// A resource as Envoy's JSON, Anys unfolded.
std::string to_json(Type type, const Resource& resource) {
  static const std::unique_ptr<google::protobuf::util::TypeResolver> kResolver(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          "type.googleapis.com", google::protobuf::DescriptorPool::generated_pool()));
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  auto status = google::protobuf::util::BinaryToJsonString(kResolver.get(), std::string(type_url(type)),
                                                           resource.message(), &text, options);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return text;
}

std::string to_text(const ResourceSet& set) {
  api::Json all = api::Json::object();
  for (Type type : kAllTypes)
    for (const ResourcePtr& each : set[type])
      all[std::string(short_name(type))][each->name] = api::Json::parse(to_json(type, *each));
  return all.dump(1) + "\n";
}

PushContext push_context_of(std::initializer_list<const char*> files) {
  std::vector<api::ObjectPtr> objects;
  for (const char* file : files)
    for (auto& object : testing::objects_of_file(file)) objects.push_back(std::move(object));
  return PushContext(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
}

ProxyIdentity sidecar(std::string ns, std::string pod, Labels labels) {
  return {ProxyIdentity::Kind::kSidecar, std::move(ns), std::move(pod), "default", std::move(labels)};
}

ProxyIdentity ingress() {
  return {ProxyIdentity::Kind::kGateway,
          "istio-system",
          "istio-ingressgateway",
          "",
          {{"istio", "ingressgateway"}}};
}

/// Compares with testdata/<name>.json; with WEFT_UPDATE_GOLDEN in the environment writes it instead.
void expect_golden(const ResourceSet& set, const std::string& name) {
  std::string path = testing::testdata_path(name + ".json");
  std::string text = to_text(set);
  if (std::getenv("WEFT_UPDATE_GOLDEN")) std::ofstream(path) << text;
  EXPECT_EQ(testing::read_file(path), text) << path;
}

TEST(Translation, a_sidecar_of_bookinfo_gets_the_listeners_routes_clusters_and_endpoints_of_the_file) {
  PushContext push = push_context_of({"bookinfo.yaml"});
  expect_golden(translate(push, sidecar("default", "productpage-v1-a", {{"app", "productpage"}})),
                "bookinfo.sidecar");
}

TEST(Translation, an_ipv6_pod_is_listened_for_on_both_families_and_called_from_the_inbound_address_of_each) {
  PushContext push = push_context_of({"bookinfo.yaml"});
  ProxyIdentity who = sidecar("default", "productpage-v1-a", {{"app", "productpage"}});
  who.ipv6 = true;
  auto set = translate(push, who);
  for (const char* name : {"virtualOutbound", "virtualInbound"}) {
    listener::Listener made;
    ASSERT_TRUE(made.ParseFromString(set[Type::kListener].find(name)->message()));
    EXPECT_EQ(made.address().socket_address().address(), "::");
    ASSERT_EQ(made.additional_addresses_size(), 1);
    const auto& other = made.additional_addresses(0).address().socket_address();
    EXPECT_EQ(other.address(), "0.0.0.0");
    EXPECT_EQ(other.port_value(), made.address().socket_address().port_value());
  }
  for (const char* name : {"InboundPassthroughCluster", "inbound|9080||"}) {
    cluster::Cluster made;
    ASSERT_TRUE(made.ParseFromString(set[Type::kCluster].find(name)->message()));
    const auto& bind = made.upstream_bind_config();
    EXPECT_EQ(bind.source_address().address(), "::6");
    ASSERT_EQ(bind.extra_source_addresses_size(), 1);
    EXPECT_EQ(bind.extra_source_addresses(0).address().address(), "127.0.0.6");
  }
}

TEST(Translation, a_service_with_an_ipv6_address_is_known_by_it_as_a_host_header_says_it) {
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1, testing::objects("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
                          "spec: {clusterIP: 'fd96::10', ports: [{name: http, port: 80}]}\n"))));
  auto set = translate(push, sidecar("default", "a", {}));
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("80")->message()));
  const auto& domains = table.virtual_hosts(0).domains();
  EXPECT_NE(std::ranges::find(domains, "[fd96::10]"), domains.end());
}

TEST(Translation, a_service_of_two_families_is_known_and_listened_for_by_the_address_of_each) {
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1, testing::objects("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
                          "spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, 'fd96::9'], ports: [{name: "
                          "http, port: 80}, {name: tcp-x, port: 90}, {name: any, port: 91}]}\n"))));
  auto set = translate(push, sidecar("default", "a", {}));
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("80")->message()));
  const auto& domains = table.virtual_hosts(0).domains();
  for (const char* domain : {"10.96.0.9", "[fd96::9]"})
    EXPECT_EQ(std::ranges::count(domains, domain), 1) << domain;
  for (const char* name : {"10.96.0.9_90", "fd96::9_90", "10.96.0.9_91", "fd96::9_91"})
    EXPECT_TRUE(set[Type::kListener].contains(name)) << name;
}

TEST(Translation, rules_become_routes_and_subsets_and_a_missing_subset_stays_a_cluster_that_is_not_there) {
  PushContext push = push_context_of({"bookinfo.yaml", "rules.yaml"});
  auto set = translate(push, sidecar("default", "productpage-v1-a", {{"app", "productpage"}}));
  expect_golden(set, "rules.sidecar");
  EXPECT_FALSE(set[Type::kCluster].contains("outbound|9080|v9|reviews.default.svc.cluster.local"));
}

TEST(Translation, a_rule_for_other_source_labels_is_not_sent_to_this_sidecar) {
  PushContext push = push_context_of({"bookinfo.yaml", "rules.yaml"});
  auto set = translate(push, sidecar("default", "details-v1-a", {{"app", "details"}}));
  EXPECT_EQ(to_text(set).find("/only-from-productpage"), std::string::npos);
}

TEST(Translation, a_gateway_gets_the_merged_rules_of_its_hosts_and_the_ingresses_of_our_class) {
  PushContext push = push_context_of({"bookinfo.yaml", "gateway.yaml"});
  expect_golden(translate(push, ingress()), "gateway.ingress");
}

TEST(Translation,
     one_machines_ingress_answers_before_any_gateway_opens_it_and_leaves_the_port_to_one_that_does) {
  ProxyIdentity who = ingress();
  EXPECT_TRUE(translate(push_context_of({"bookinfo.yaml"}), who)[Type::kListener].empty())
      << "a cluster's stays closed";
  who.labels["weft.dev/always-open"] = "true";
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1, testing::objects(
             "apiVersion: v1\nkind: Service\nmetadata: {name: istio-ingressgateway, namespace: "
             "istio-system}\nspec: {selector: {istio: ingressgateway}, ports: [{name: http2, port: 80, "
             "targetPort: 8080}]}\n"))));
  auto set = translate(push, who);
  ASSERT_TRUE(set[Type::kListener].contains("0.0.0.0_8080"));
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("http.8080")->message()));
  EXPECT_EQ(table.virtual_hosts(0).routes(0).direct_response().status(), 404u);
  auto ruled = translate(push_context_of({"bookinfo.yaml", "gateway.yaml"}), who);
  EXPECT_EQ(to_text(ruled).find("no-gateway"), std::string::npos);
}

ProxyIdentity gateway_pod(std::string ns, std::string gateway) {
  return {ProxyIdentity::Kind::kGateway,
          std::move(ns),
          gateway + "-istio-a",
          gateway + "-istio",
          {{std::string(kGatewayNameLabel), gateway}, {"istio", "ingressgateway"}}};
}

TEST(Translation, a_gateway_api_gateway_merges_its_routes_by_rank_and_answers_500_for_a_missing_backend) {
  PushContext push = push_context_of({"bookinfo.yaml", "gateway_api.yaml"});
  expect_golden(translate(push, gateway_pod("default", "edge")), "gateway_api.gateway");
}

TEST(Translation, a_gateway_api_gateway_without_pods_of_its_own_is_one_machines_ingress_gateway) {
  PushContext push = push_context_of({"bookinfo.yaml", "gateway_api.yaml"});
  auto set = translate(push, ingress());
  EXPECT_TRUE(set[Type::kListener].contains("0.0.0.0_8080"));
  EXPECT_TRUE(set[Type::kRoute].contains("http.8080"));
  EXPECT_FALSE(set[Type::kListener].contains("0.0.0.0_7777"));
}

TEST(Translation, the_samples_gateway_routes_every_path_of_the_page_to_productpage) {
  auto objects = testing::objects_of_file("bookinfo.yaml");
  const std::string sample = "../../../samples/bookinfo/gateway-api/bookinfo-gateway.yaml";
  for (auto& object : testing::objects(testing::read_file(testing::testdata_path(sample))))
    objects.push_back(std::move(object));
  for (auto& object : testing::objects("apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\n"
                                       "metadata: {name: istio}\n"
                                       "spec: {controllerName: istio.io/gateway-controller}\n"))
    objects.push_back(std::move(object));
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  auto set = translate(push, gateway_pod("default", "bookinfo-gateway"));
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("http.80")->message()));
  ASSERT_EQ(table.virtual_hosts_size(), 1);
  EXPECT_EQ(table.virtual_hosts(0).routes_size(), 6);
  for (const auto& each : table.virtual_hosts(0).routes())
    EXPECT_EQ(each.route().cluster(), "outbound|9080||productpage.default.svc.cluster.local");
}

TEST(Translation, a_pod_of_one_gateway_serves_no_other) {
  PushContext push = push_context_of({"bookinfo.yaml", "gateway.yaml", "gateway_api.yaml"});
  EXPECT_TRUE(translate(push, gateway_pod("default", "other"))[Type::kListener].empty());
  EXPECT_TRUE(translate(push, gateway_pod("shop", "edge"))[Type::kListener].empty());
  EXPECT_EQ(translate(push, gateway_pod("default", "edge"))[Type::kListener].size(), 1u);
}

TEST(Translation, tcp_sniffed_and_headless_ports_get_listeners_by_address) {
  PushContext push = push_context_of({"tcp.yaml"});
  expect_golden(translate(push, sidecar("data", "mongo-a", {{"app", "mongo"}})), "tcp.sidecar");
}

constexpr std::string_view kGo = R"(
apiVersion: v1
kind: Pod
metadata: {name: go-1, namespace: default, labels: {app: go}}
spec: {containers: [{name: go, image: example/go:1}]}
)";

std::string service(const std::string& name, const std::string& ports, const std::string& created,
                    const std::string& more = "clusterIP: 10.96.0.10") {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default, annotations: {created: '" + created + "'}}\nspec: {" + more +
         ", selector: {app: go}, ports: [" + ports + "]}\n";
}

listener::Listener listener_of(const std::string& yaml, const std::string& name,
                               const Labels& labels = {{"app", "go"}}) {
  auto objects = testing::objects(std::string(kGo) + yaml);
  for (auto& object : objects) {
    // A text to apply says no age.
    api::Object aged = *object;
    api::Json& metadata = aged.body["metadata"];
    if (metadata.contains("annotations"))
      metadata["creationTimestamp"] = metadata["annotations"].value("created", "");
    object = std::make_shared<const api::Object>(std::move(aged));
  }
  PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  auto set = translate(push, sidecar("default", "go-1", labels));
  listener::Listener made;
  EXPECT_TRUE(set[Type::kListener].contains(name)) << name;
  if (set[Type::kListener].contains(name))
    EXPECT_TRUE(made.ParseFromString(set[Type::kListener].find(name)->message()));
  return made;
}

const listener::FilterChain* chain_of(const listener::Listener& listener, std::string_view name) {
  for (const auto& chain : listener.filter_chains())
    if (chain.name() == name) return &chain;
  return nullptr;
}

std::vector<std::string> protocols_of(const listener::Listener& listener, std::string_view name) {
  const listener::FilterChain* chain = chain_of(listener, name);
  if (!chain) return {"no chain " + std::string(name)};
  const auto& match = chain->filter_chain_match();
  return {match.application_protocols().begin(), match.application_protocols().end()};
}

using Names = std::vector<std::string>;

TEST(Translation, a_pod_port_of_two_services_has_the_protocol_that_is_declared_or_the_older_one_s) {
  const std::string redis = service("go", "{name: redis, port: 7002}", "2026-01-02T00:00:00Z");
  for (const std::string& other :
       {service("a-go", "{name: x, port: 7002}", "2026-01-01T00:00:00Z"),
        service("z-go", "{name: x, port: 80, targetPort: 7002}", "2026-01-03T00:00:00Z"),
        service("a-go", "{name: http, port: 7002}", "2026-01-03T00:00:00Z")}) {
    const listener::Listener made = listener_of(redis + other, "virtualInbound");
    EXPECT_EQ(chain_of(made, "0.0.0.0_7002"), nullptr) << other;
    EXPECT_NE(chain_of(made, "0.0.0.0_7002-tcp"), nullptr) << other;
  }
  const std::string older = service("z-go", "{name: http, port: 7002}", "2026-01-01T00:00:00Z");
  EXPECT_NE(chain_of(listener_of(redis + older, "virtualInbound"), "0.0.0.0_7002"), nullptr);
}

TEST(Translation, headless_services_that_share_an_address_have_one_listener_by_the_same_rule) {
  const auto slice = [](const std::string& name) {
    return "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name +
           "-1, namespace: default, labels: {kubernetes.io/service-name: " + name +
           "}}\naddressType: IPv4\nports: [{name: " + (name == "a-go" ? "x" : "tcp-x") +
           ", port: 7002}]\nendpoints: [{addresses: [10.0.0.1]}]\n";
  };
  const listener::Listener made = listener_of(
      service("a-go", "{name: x, port: 7002}", "2026-01-01T00:00:00Z", "clusterIP: None") + slice("a-go") +
          service("go", "{name: tcp-x, port: 7002}", "2026-01-02T00:00:00Z", "clusterIP: None") + slice("go"),
      "10.0.0.1_7002");
  EXPECT_EQ(made.listener_filters_size(), 0) << "declared, so nothing is sniffed";
}

TEST(Translation, the_inspector_looks_at_the_sniffed_ports_of_a_pod_only) {
  const std::string ports = "{name: mysql, port: 3306}, {name: http, port: 80}";
  EXPECT_EQ(listener_of(service("go", ports, ""), "virtualInbound").listener_filters_size(), 1);
  const auto disabled = [&](const std::string& more) {
    const listener::Listener made = listener_of(service("go", ports + more, ""), "virtualInbound");
    return made.listener_filters(made.listener_filters_size() - 1).filter_disabled().not_match();
  };
  const auto one = disabled(", {name: x, port: 5432}");
  EXPECT_EQ(one.destination_port_range().start(), 5432);
  EXPECT_EQ(one.destination_port_range().end(), 5433);
  const auto two = disabled(", {name: x, port: 5432}, {name: z, port: 7000}");
  ASSERT_EQ(two.or_match().rules_size(), 2);
  EXPECT_EQ(two.or_match().rules(1).destination_port_range().start(), 7000);
}

TEST(Translation, a_declared_http_port_is_http_at_its_services_addresses_whatever_comes) {
  const listener::Listener made =
      listener_of(service("go", "{name: http, port: 80}", "") +
                      service("other", "{name: http, port: 80}", "", "clusterIP: 10.96.0.11"),
                  "0.0.0.0_80");
  const listener::FilterChain* declared = chain_of(made, "declared-http");
  ASSERT_NE(declared, nullptr);
  EXPECT_TRUE(protocols_of(made, "declared-http").empty());
  ASSERT_EQ(declared->filter_chain_match().prefix_ranges_size(), 2);
  EXPECT_EQ(declared->filter_chain_match().prefix_ranges(0).address_prefix(), "10.96.0.10");
  EXPECT_EQ(declared->filter_chain_match().prefix_ranges(1).prefix_len().value(), 32u);
}

TEST(Translation, http_of_every_version_meets_the_routes_of_a_sniffed_port) {
  const std::string sniffed = service("go", "{name: x, port: 7000}", ""),
                    http = service("web", "{name: http, port: 80}", "", "clusterIP: 10.96.0.11");
  const Names all = {"http/1.0", "http/1.1", "h2c"};
  const auto protocols = [&](const std::string& listener, int chain) {
    const listener::Listener made = listener_of(sniffed + http, listener);
    const auto& match = made.filter_chains(chain).filter_chain_match();
    return Names(match.application_protocols().begin(), match.application_protocols().end());
  };
  EXPECT_EQ(protocols("10.96.0.10_7000", 0), all);
  EXPECT_EQ(protocols("0.0.0.0_80", 1), all);
  EXPECT_EQ(protocols_of(listener_of(sniffed, "virtualInbound"), "0.0.0.0_7000"), all);
}

TEST(Translation, the_same_objects_in_another_order_give_the_same_bytes) {
  auto objects = testing::objects_of_file("bookinfo.yaml");
  PushContext one(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, objects)));
  std::vector<api::ObjectPtr> reversed(objects.rbegin(), objects.rend());
  PushContext two(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(2, reversed)));
  auto who = sidecar("default", "reviews-v1-a", {{"app", "reviews"}});
  auto a = translate(one, who), b = translate(two, who);
  for (Type type : kAllTypes) EXPECT_TRUE(same_resources(a[type], b[type])) << short_name(type);
}

TEST(Translation, no_route_table_gives_one_domain_to_two_virtual_hosts) {
  PushContext push = push_context_of({"bookinfo.yaml", "rules.yaml", "tcp.yaml"});
  auto set = translate(push, sidecar("data", "mongo-a", {{"app", "mongo"}}));
  for (const ResourcePtr& resource : set[Type::kRoute]) {
    const std::string& name = resource->name;
    route::RouteConfiguration table;
    ASSERT_TRUE(table.ParseFromString(resource->message()));
    std::set<std::string> domains;
    for (const auto& host : table.virtual_hosts())
      for (const auto& domain : host.domains())
        EXPECT_TRUE(domains.insert(domain).second) << name << " " << domain;
  }
}

TEST(Translation, every_route_table_and_endpoint_list_that_is_needed_is_there) {
  PushContext push = push_context_of({"bookinfo.yaml", "rules.yaml", "tcp.yaml", "gateway.yaml"});
  for (const auto& who : {sidecar("data", "mongo-a", {{"app", "mongo"}}), ingress()}) {
    auto set = translate(push, who);
    for (const ResourcePtr& each : set[Type::kCluster])
      for (const auto& need : each->needs) EXPECT_TRUE(set[Type::kEndpoint].contains(need)) << each->name;
    for (const ResourcePtr& each : set[Type::kListener])
      for (const auto& need : each->needs) EXPECT_TRUE(set[Type::kRoute].contains(need)) << each->name;
  }
}

}  // namespace
}  // namespace weft::control
