#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

constexpr std::string_view kServices = R"(
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec: {clusterIP: 10.96.0.9, ports: [{port: 80, name: http}, {port: 8080, name: http-admin}, {port: 90, name: any}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: default}
spec: {clusterIP: 10.96.0.8, ports: [{port: 9000, name: tcp}, {port: 9001, name: tcp-admin}]}
)";

/// Rules are as old as their names' order has it.
std::string rule(const std::string& name, const std::string& spec) {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {" + spec + "}\n";
}

ResourceSet resources(const std::string& rules, const Labels& labels = {{"app", "client"}},
                      void (*edit)(api::Object&) = nullptr) {
  std::vector<api::ObjectPtr> objects;
  for (const auto& each : testing::objects(std::string(kServices) + rules)) {
    auto object = std::make_shared<api::Object>(*each);
    if (edit) edit(*object);
    objects.push_back(std::move(object));
  }
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  return translate(push, {ProxyIdentity::Kind::kSidecar, "default", "client-1", "default", labels});
}

/// What a table's host does, one route after the other: the status of those that respond, else "default" for
/// the plain one and the cluster of others.
std::string routes(const ResourceSet& set, const std::string& table, std::string_view domain) {
  const ResourcePtr& found = set[Type::kRoute].find(table);
  if (!found) return "no table " + table;
  route::RouteConfiguration made;
  EXPECT_TRUE(made.ParseFromString(found->message()));
  for (const auto& host : made.virtual_hosts()) {
    if (std::ranges::find(host.domains(), domain) == host.domains().end()) continue;
    std::string text;
    for (const auto& each : host.routes())
      text += (text.empty() ? "" : " ") + (each.has_direct_response()
                                               ? std::to_string(each.direct_response().status())
                                           : each.name() == "default" ? each.route().cluster()
                                                                      : "to " + each.route().cluster());
    return text;
  }
  return "no host";
}

constexpr const char* kShop = "shop.default.svc.cluster.local";
constexpr const char* kPlain80 = "outbound|80||shop.default.svc.cluster.local";
constexpr const char* kPlain8080 = "outbound|8080||shop.default.svc.cluster.local";
constexpr const char* kPlain90 = "outbound|90||shop.default.svc.cluster.local";

TEST(MeshRules, for_another_port_leave_a_service_its_own_route) {
  const ResourceSet set =
      resources(rule("a", "hosts: [shop], http: [{match: [{port: 80}], directResponse: {status: 201}}]"));
  EXPECT_EQ(routes(set, "80", kShop), "201");
  EXPECT_EQ(routes(set, "8080", kShop), kPlain8080);
  EXPECT_EQ(routes(set, "shop.default.svc.cluster.local:90", "*"), kPlain90);
}

TEST(MeshRules, for_other_callers_leave_a_service_its_own_route) {
  const std::string yaml =
      rule("a",
           "hosts: [shop], http: [{match: [{sourceLabels: {app: reviews, version: v3}}], directResponse: "
           "{status: 201}}]");
  EXPECT_EQ(routes(resources(yaml), "80", kShop), kPlain80);
  EXPECT_EQ(routes(resources(yaml, {{"app", "reviews"}, {"version", "v3"}}), "80", kShop), "201");
}

TEST(MeshRules, whose_matches_are_for_a_gateway_leave_the_mesh_its_own_route) {
  EXPECT_EQ(routes(resources(rule("a",
                                  "hosts: [shop], gateways: [mesh, edge], http: [{match: [{gateways: "
                                  "[edge]}], directResponse: {status: 201}}]")),
                   "80", kShop),
            kPlain80);
}

TEST(MeshRules, of_one_host_decide_oldest_first_each_where_it_has_a_route) {
  const ResourceSet set = resources(
      rule("a", "hosts: [shop], http: [{match: [{port: 80}], directResponse: {status: 201}}]") +
      rule("b", "hosts: [shop], tcp: [{route: [{destination: {host: store, port: {number: 9000}}}]}]") +
      rule("c", "hosts: [shop], http: [{match: [{port: 8080}, {port: 80}], directResponse: {status: 202}}]") +
      rule("d", "hosts: [shop], http: [{directResponse: {status: 203}}]"));
  EXPECT_EQ(routes(set, "80", kShop), "201");
  EXPECT_EQ(routes(set, "8080", kShop), "202");
  EXPECT_EQ(routes(set, "shop.default.svc.cluster.local:90", "*"), "203");
}

TEST(MeshRules, that_name_a_host_keep_from_it_those_for_a_wildcard_even_where_they_have_no_route) {
  const std::string narrow =
      rule("a", "hosts: [shop], http: [{match: [{port: 80}], directResponse: {status: 201}}]");
  const std::string wide = rule("b", "hosts: ['*.cluster.local'], http: [{directResponse: {status: 202}}]");
  EXPECT_EQ(routes(resources(narrow + wide), "8080", kShop), kPlain8080);
  EXPECT_EQ(routes(resources(wide), "8080", kShop), "202");
}

TEST(MeshRules, for_one_wildcard_decide_oldest_first_after_those_for_a_longer_one) {
  const ResourceSet set =
      resources(rule("a", "hosts: ['*.cluster.local'], http: [{directResponse: {status: 201}}]") +
                rule("b",
                     "hosts: ['*.default.svc.cluster.local'], http: [{match: [{port: 80}], directResponse: "
                     "{status: 202}}]") +
                rule("c",
                     "hosts: ['*.default.svc.cluster.local'], http: [{match: [{port: 8080}], directResponse: "
                     "{status: 203}}]"));
  EXPECT_EQ(routes(set, "80", kShop), "202");
  EXPECT_EQ(routes(set, "8080", kShop), "203");
  EXPECT_EQ(routes(set, "shop.default.svc.cluster.local:90", "*"), kPlain90);
}

TEST(MeshRules, with_a_match_that_weft_cannot_tell_stay_closed_and_leave_nothing_to_a_younger_one) {
  const auto ask_for_more = [](api::Object& object) {
    if (object.name() == "a") object.body["spec"]["http"][0]["match"][0]["sourceNamespace"] = "trusted";
  };
  const ResourceSet set =
      resources(rule("a", "hosts: [shop], http: [{match: [{port: 80}], directResponse: {status: 201}}]") +
                    rule("b", "hosts: [shop], http: [{directResponse: {status: 202}}]"),
                {}, ask_for_more);
  EXPECT_EQ(routes(set, "80", kShop), "") << "404";
  EXPECT_EQ(routes(set, "8080", kShop), "202") << "no call to this port is the older one's";
}

TEST(MeshRules, with_a_match_that_weft_cannot_tell_stay_closed_outside_of_the_mesh_too) {
  const auto ask_for_more = [](api::Object& object) {
    if (object.name() == "a") object.body["spec"]["http"][0]["match"][0]["sourceNamespace"] = "trusted";
  };
  const ResourceSet set = resources(
      rule("a", "hosts: [api.far.example], http: [{match: [{port: 80}], directResponse: {status: 201}}]") +
          rule("b", "hosts: ['*.far.example'], http: [{directResponse: {status: 202}}]"),
      {}, ask_for_more);
  EXPECT_EQ(routes(set, "80", "api.far.example"), "") << "404, not what the wildcard says";
  EXPECT_EQ(routes(set, "80", "*.far.example"), "202");
}

TEST(MeshRules, for_a_host_outside_of_the_mesh_decide_at_each_port_oldest_first) {
  const ResourceSet set = resources(
      rule("a", "hosts: [ext.example], http: [{match: [{port: 80}], directResponse: {status: 201}}]") +
      rule("b", "hosts: [ext.example], http: [{directResponse: {status: 202}}]") +
      rule("c", "hosts: [far.example], http: [{match: [{port: 80}], directResponse: {status: 203}}]"));
  EXPECT_EQ(routes(set, "80", "ext.example"), "201");
  EXPECT_EQ(routes(set, "8080", "ext.example"), "202");
  EXPECT_EQ(routes(set, "80", "far.example"), "203");
  EXPECT_EQ(routes(set, "8080", "far.example"), "no host");
}

TEST(MeshRules, for_an_external_name_leave_calls_to_it_to_those_for_what_it_leads_to) {
  // A cluster's Service: on one machine it is not accepted.
  const std::string alias =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: old, namespace: default}\nspec: {ports: [{port: "
      "80}]}\n";
  const auto lead_on = [](api::Object& object) {
    if (object.name() == "old")
      object.body["spec"] = {{"type", "ExternalName"}, {"externalName", "shop.default.svc.cluster.local"}};
  };
  const ResourceSet set =
      resources(alias + rule("a", "hosts: [old], http: [{directResponse: {status: 201}}]") +
                    rule("b", "hosts: [shop], http: [{directResponse: {status: 202}}]"),
                {}, lead_on);
  for (const char* domain : {"old", "old.default.svc.cluster.local", "shop"})
    EXPECT_EQ(routes(set, "80", domain), "202") << domain;
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].find("80")->message()));
  for (const auto& host : table.virtual_hosts()) EXPECT_NE(host.name(), "old.default.svc.cluster.local:80");
}

TEST(MeshRules, for_tcp_decide_at_each_port_oldest_first) {
  const auto to = [](int port) {
    return "route: [{destination: {host: shop, port: {number: " + std::to_string(port) + "}}}]";
  };
  const ResourceSet set =
      resources(rule("a", "hosts: [store], tcp: [{match: [{port: 9000}], " + to(80) + "}]") +
                rule("b", "hosts: [store], tcp: [{" + to(8080) + "}]"));
  const auto cluster = [&](const std::string& name) {
    listener::Listener made;
    EXPECT_TRUE(made.ParseFromString(set[Type::kListener].find(name)->message()));
    tcp_proxy::TcpProxy proxy;
    EXPECT_TRUE(made.filter_chains(0).filters(0).typed_config().UnpackTo(&proxy));
    return proxy.cluster();
  };
  EXPECT_EQ(cluster("10.96.0.8_9000"), kPlain80);
  EXPECT_EQ(cluster("10.96.0.8_9001"), kPlain8080);
}

}  // namespace
}  // namespace weft::control
