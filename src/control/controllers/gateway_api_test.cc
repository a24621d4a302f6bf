#include <gtest/gtest.h>

#include <algorithm>

#include "api/admit.h"
#include "control/controllers/gateway_parts.h"
#include "control/controllers/overlay.h"
#include "control/json.h"
#include "control/testing/objects.h"
#include "control/translation/gateway_api.h"

namespace weft::control {
namespace {

/// A cluster of which only the Gateway API's controller runs: its writes are kept, and a test plays the rest.
class GatewayCluster {
 public:
  explicit GatewayCluster(std::string_view yaml) {
    for (const auto& object : testing::objects(yaml)) put(*object);
  }

  /// Runs the plan until it wants nothing; how many writes that took.
  int settle() {
    for (int writes = 0;;) {
      Random random(1);
      PlanContext context{random, now, rejections};
      Plan changes = plan(snapshot(), context);
      if (changes.empty()) return writes;
      for (Change& change : changes) put(std::move(change.object));
      writes += static_cast<int>(changes.size());
      if (writes > 100) {
        ADD_FAILURE() << "it never comes to rest";
        return writes;
      }
    }
  }

  ObjectSnapshot snapshot() const {
    std::vector<api::ObjectPtr> list;
    for (const auto& [key, object] : objects_) list.push_back(object);
    return ObjectSnapshot::of(1, std::move(list));
  }
  void put(api::Object object) {
    auto& metadata = object.body["metadata"];
    if (!metadata.contains("uid")) metadata["uid"] = "uid-" + std::to_string(++count_);
    if (!metadata.contains("generation")) metadata["generation"] = 1U;
    api::Key key = object.key();
    objects_[key] = std::make_shared<const api::Object>(std::move(object));
  }
  void add(std::string_view yaml) {
    for (const auto& object : testing::objects(yaml)) put(*object);
  }
  api::ObjectPtr get(const api::KindInfo* kind, std::string name, std::string ns = "default") const {
    auto found = objects_.find({kind, kind->namespaced ? ns : "", std::move(name)});
    return found == objects_.end() ? nullptr : found->second;
  }
  template <class Edit>
  void edit(const api::KindInfo* kind, const std::string& name, Edit change) {
    api::Object object = *get(kind, name);
    change(object.body);
    put(std::move(object));
  }
  /// "True Accepted" of a condition of the object.
  std::string condition(const api::KindInfo* kind, const std::string& name, std::string_view type) const {
    return condition_in(get(kind, name)->status(), type);
  }
  static std::string condition_in(const api::Json& owner, std::string_view type) {
    for (const auto& each : json::list(owner, "conditions"))
      if (json::text(each, "type") == type)
        return std::string(json::text(each, "status")) + " " + std::string(json::text(each, "reason"));
    return "none";
  }
  std::string parent_condition(const std::string& route, std::string_view type, std::size_t index = 0) const {
    const api::Json& parents = json::list(get(kinds::http_route(), route)->status(), "parents");
    return index < parents.size() ? condition_in(parents[index], type) : "no parent";
  }

  Plan (*plan)(const ObjectSnapshot&, PlanContext&) = plan_cluster_gateways;
  std::string now = "2026-01-01T00:00:00Z";
  std::map<api::Key, std::string> rejections;

 private:
  std::map<api::Key, api::ObjectPtr> objects_;
  int count_ = 0;
};

constexpr std::string_view kGateway = R"(
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: istio
  infrastructure: {labels: {team: web}, annotations: {note: hello}}
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: more, port: 80, protocol: HTTP, hostname: more.example}
  - {name: other, port: 8081, protocol: HTTP}
)";

constexpr std::string_view kPod = R"(
apiVersion: v1
kind: Pod
metadata: {name: edge-istio-a, namespace: default, labels: {gateway.networking.k8s.io/gateway-name: edge}}
spec: {containers: [{name: istio-proxy, image: weft}]}
)";

void make_pod_ready(GatewayCluster& cluster) {
  cluster.add(kPod);
  cluster.edit(kinds::pod(), "edge-istio-a", [](api::Json& body) {
    body["status"] = {{"hostIP", "192.0.2.7"},
                      {"conditions", api::Json::array({{{"type", "Ready"}, {"status", "True"}}})}};
  });
}

TEST(GatewayApiController, the_class_is_made_when_it_is_missing_and_never_overwritten) {
  GatewayCluster cluster("");
  cluster.settle();
  EXPECT_EQ(json::text(cluster.get(kinds::gateway_class(), "istio")->spec(), "controllerName"),
            kGatewayController);
  EXPECT_EQ(cluster.condition(kinds::gateway_class(), "istio", "Accepted"), "True Accepted");
  GatewayCluster taken(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio}
spec: {controllerName: example.com/other})");
  EXPECT_EQ(taken.settle(), 0);
}

TEST(GatewayApiController, a_gateway_gets_an_account_a_deployment_and_a_service_that_are_its_own) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  for (const api::KindInfo* kind : {kinds::service_account(), kinds::deployment(), kinds::service()}) {
    api::ObjectPtr part = cluster.get(kind, "edge-istio");
    ASSERT_TRUE(part) << kind->kind;
    EXPECT_TRUE(is_owned_by(*part, *cluster.get(kinds::api_gateway(), "edge"))) << kind->kind;
    EXPECT_EQ(part->label("team"), "web");
    EXPECT_EQ(part->annotation("note"), "hello");
    EXPECT_EQ(part->label(kGatewayNameLabel), "edge");
    EXPECT_NE(part->label(kManagedLabel), "");
  }
  std::vector<std::int64_t> ports;
  const api::Json& service = cluster.get(kinds::service(), "edge-istio")->spec();
  for (const auto& port : json::list(service, "ports")) ports.push_back(json::number(port, "port"));
  EXPECT_EQ(ports, (std::vector<std::int64_t>{15021, 80, 8081}));
  EXPECT_EQ(json::text(service, "type"), "LoadBalancer");
}

TEST(GatewayApiController, what_an_api_server_fills_in_is_no_reason_to_write_again) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  cluster.edit(kinds::deployment(), "edge-istio", [](api::Json& body) {
    body["spec"]["replicas"] = 3;
    body["spec"]["strategy"] = {{"type", "RollingUpdate"}};
    auto& container = body["spec"]["template"]["spec"]["containers"][0];
    container["terminationMessagePath"] = "/dev/termination-log";
    container["resources"]["limits"]["cpu"] = "2";
    for (auto& variable : container["env"])
      if (variable.contains("value") && variable["value"] == "") variable.erase("value");
    body["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst";
  });
  cluster.edit(kinds::service(), "edge-istio", [](api::Json& body) {
    body["spec"]["clusterIP"] = "10.96.0.9";
    for (auto& port : body["spec"]["ports"]) port["nodePort"] = 30000 + port["port"].get<int>() % 1000;
  });
  EXPECT_EQ(cluster.settle(), 0);
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) { body["spec"]["listeners"].erase(2); });
  cluster.settle();
  const api::Json service = cluster.get(kinds::service(), "edge-istio")->spec();
  EXPECT_EQ(service["ports"].size(), 2u);
  EXPECT_EQ(service["ports"][1]["nodePort"], 30080);
  EXPECT_EQ(service["clusterIP"], "10.96.0.9");
  EXPECT_EQ(cluster.get(kinds::deployment(), "edge-istio")->spec()["replicas"], 3);
}

TEST(GatewayApiController, somebody_elses_object_of_the_name_stays_and_the_gateway_says_so) {
  GatewayCluster cluster(kGateway);
  cluster.add(R"(
apiVersion: v1
kind: Service
metadata: {name: edge-istio, namespace: default}
spec: {ports: [{port: 1}]})");
  cluster.settle();
  EXPECT_EQ(json::number(cluster.get(kinds::service(), "edge-istio")->spec()["ports"][0], "port"), 1);
  EXPECT_FALSE(cluster.get(kinds::deployment(), "edge-istio"));
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "False Invalid");
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) {
    body["metadata"]["annotations"]["gateway.istio.io/name-override"] = "mine";
  });
  cluster.settle();
  EXPECT_TRUE(cluster.get(kinds::deployment(), "mine"));
  EXPECT_EQ(
      json::text(cluster.get(kinds::deployment(), "mine")->spec()["template"]["spec"], "serviceAccountName"),
      "mine");
}

TEST(GatewayApiController, what_is_made_for_one_gateway_is_not_taken_by_another_of_the_same_wish) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  cluster.add(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other, namespace: default, annotations: {gateway.istio.io/name-override: edge-istio}}
spec: {gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]})");
  cluster.settle();
  EXPECT_EQ(cluster.settle(), 0) << "nobody writes any more";
  EXPECT_EQ(cluster.get(kinds::service(), "edge-istio")->label(kGatewayNameLabel), "edge");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "other", "Programmed"), "False Invalid");
}

TEST(GatewayApiController, a_gateway_is_programmed_when_a_pod_is_ready_and_an_address_known) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Accepted"), "True Accepted");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "False AddressNotAssigned");
  make_pod_ready(cluster);
  cluster.edit(kinds::service(), "edge-istio", [](api::Json& body) {
    body["status"] = {{"loadBalancer", {{"ingress", api::Json::array({{{"ip", "198.51.100.1"}}})}}}};
  });
  cluster.settle();
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "True Programmed");
  auto address = [&] { return cluster.get(kinds::api_gateway(), "edge")->status()["addresses"].dump(); };
  EXPECT_EQ(address(), R"([{"type":"IPAddress","value":"198.51.100.1"}])");
  auto set_type = [&](const char* type) {
    cluster.edit(kinds::api_gateway(), "edge", [&](api::Json& body) {
      body["metadata"]["annotations"]["networking.istio.io/service-type"] = type;
    });
    cluster.settle();
  };
  set_type("ClusterIP");
  EXPECT_EQ(address(), R"([{"type":"Hostname","value":"edge-istio.default.svc.cluster.local"}])");
  set_type("NodePort");
  EXPECT_EQ(address(), R"([{"type":"IPAddress","value":"192.0.2.7"}])");
  set_type("Sideways");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "False Invalid");
}

TEST(GatewayApiController, each_listener_says_what_it_serves) {
  GatewayCluster cluster(kGateway);
  cluster.add(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: default}
spec: {parentRefs: [{name: edge}], hostnames: [more.example]})");
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) {
    body["spec"]["listeners"].push_back({{"name", "tls"}, {"port", 443}, {"protocol", "HTTPS"}});
    body["spec"]["listeners"].push_back(
        {{"name", "grpc"},
         {"port", 82},
         {"protocol", "HTTP"},
         {"allowedRoutes", {{"kinds", api::Json::array({{{"kind", "GRPCRoute"}}})}}}});
  });
  cluster.settle();
  const api::Json listeners = cluster.get(kinds::api_gateway(), "edge")->status()["listeners"];
  ASSERT_EQ(listeners.size(), 5u);
  std::vector<int> attached;
  for (const auto& each : listeners) attached.push_back(each["attachedRoutes"]);
  EXPECT_EQ(attached, (std::vector<int>{0, 1, 1, 0, 0}));
  EXPECT_EQ(GatewayCluster::condition_in(listeners[0], "Conflicted"), "False NoConflicts");
  EXPECT_EQ(GatewayCluster::condition_in(listeners[0], "ResolvedRefs"), "True ResolvedRefs");
  EXPECT_EQ(GatewayCluster::condition_in(listeners[3], "Accepted"), "False UnsupportedProtocol");
  EXPECT_EQ(GatewayCluster::condition_in(listeners[3], "Programmed"), "False Invalid");
  EXPECT_EQ(GatewayCluster::condition_in(listeners[4], "ResolvedRefs"), "False InvalidRouteKinds");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Accepted"), "True ListenersNotValid");
}

TEST(GatewayApiController, a_gateway_that_cannot_be_had_says_why_and_nothing_is_made) {
  GatewayCluster cluster(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: status, namespace: default}
spec: {gatewayClassName: istio, listeners: [{name: a, port: 15021, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: a-name-of-sixty-characters-to-which-the-class-does-not-fit-in, namespace: default}
spec: {gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}
)");
  cluster.settle();
  const api::Json status = cluster.get(kinds::api_gateway(), "status")->status();
  EXPECT_EQ(GatewayCluster::condition_in(status["listeners"][0], "Accepted"), "False PortUnavailable");
  EXPECT_EQ(GatewayCluster::condition_in(status, "Programmed"), "False Invalid");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(),
                              "a-name-of-sixty-characters-to-which-the-class-does-not-fit-in", "Programmed"),
            "False Invalid");
  EXPECT_TRUE(cluster.snapshot().all(kinds::deployment()).empty());
}

std::string route_yaml(const std::string& name, const std::string& ns, const std::string& spec) {
  return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: " + name +
         ", namespace: " + ns + "}\nspec: " + spec + "\n";
}

TEST(GatewayApiController, a_route_hears_from_each_parent) {
  GatewayCluster cluster(kGateway);
  cluster.add(
      route_yaml("r", "default",
                 "{parentRefs: [{name: edge}, {name: nobody}, {name: edge, sectionName: none}, {name: "
                 "edge, sectionName: more}, {group: '', kind: Service, name: s}], hostnames: [a.example]}"));
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted", 0), "True Accepted");
  EXPECT_EQ(cluster.parent_condition("r", "Accepted", 1), "False NoMatchingParent");
  EXPECT_EQ(cluster.parent_condition("r", "Accepted", 2), "False NoMatchingParent");
  EXPECT_EQ(cluster.parent_condition("r", "Accepted", 3), "False NoMatchingListenerHostname");
  EXPECT_EQ(cluster.parent_condition("r", "Accepted", 4), "False InvalidKind");
}

TEST(GatewayApiController, routes_of_other_namespaces_need_to_be_allowed) {
  GatewayCluster cluster(kGateway);
  cluster.add("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  cluster.add(route_yaml("r", "shop", "{parentRefs: [{name: edge, namespace: default}]}"));
  auto accepted = [&] {
    cluster.settle();
    const api::Json status = cluster.get(kinds::http_route(), "r", "shop")->status();
    return GatewayCluster::condition_in(status["parents"][0], "Accepted");
  };
  auto allow = [&](const char* namespaces) {
    cluster.edit(kinds::api_gateway(), "edge", [&](api::Json& body) {
      for (auto& listener : body["spec"]["listeners"])
        listener["allowedRoutes"]["namespaces"] = api::Json::parse(namespaces);
    });
  };
  EXPECT_EQ(accepted(), "False NotAllowedByListeners");
  allow(R"({"from":"Selector","selector":{"matchLabels":{"kubernetes.io/metadata.name":"shop"}}})");
  EXPECT_EQ(accepted(), "True Accepted");
  allow(R"({"from":"Selector","selector":{"matchLabels":{"a":"b"}}})");
  EXPECT_EQ(accepted(), "False NotAllowedByListeners");
  allow(R"({"from":"All"})");
  EXPECT_EQ(accepted(), "True Accepted");
}

TEST(GatewayApiController, a_route_is_accepted_whatever_its_backends_and_says_what_is_wrong_with_them) {
  GatewayCluster cluster(kGateway);
  cluster.add(
      "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: [{port: 80}]}\n");
  auto resolved = [&](const std::string& backend) {
    cluster.add(route_yaml("r", "default",
                           "{parentRefs: [{name: edge}], rules: [{backendRefs: [" + backend + "]}]}"));
    cluster.settle();
    EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "True Accepted");
    return cluster.parent_condition("r", "ResolvedRefs");
  };
  EXPECT_EQ(resolved("{name: nobody, port: 80}"), "False BackendNotFound");
  EXPECT_EQ(resolved("{kind: Pod, name: nobody}"), "False InvalidKind");
  EXPECT_EQ(resolved("{name: s, namespace: shop, port: 80}"), "False RefNotPermitted");
  cluster.add(R"(
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]
  to: [{group: "", kind: Service}])");
  EXPECT_EQ(resolved("{name: s, namespace: shop, port: 80}"), "True ResolvedRefs");
  EXPECT_EQ(resolved("{name: s, namespace: shop, port: 81}"), "False BackendNotFound");
}

TEST(GatewayApiController, a_conditions_time_is_that_of_its_change_and_its_generation_the_objects) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  cluster.now = "2026-01-02T00:00:00Z";
  EXPECT_EQ(cluster.settle(), 0);
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) { body["metadata"]["generation"] = 2U; });
  cluster.settle();
  const api::Json accepted = cluster.get(kinds::api_gateway(), "edge")->status()["conditions"][0];
  EXPECT_EQ(accepted["observedGeneration"], 2);
  EXPECT_EQ(accepted["lastTransitionTime"], "2026-01-01T00:00:00Z");
}

/// What official definitions let in, and no webhook of ours has seen.
constexpr const char* kTwoRules =
    "{parentRefs: [{name: edge}], hostnames: [a.example], rules: [{backendRefs: [{name: s, port: 80}]}, "
    "{matches: "
    "[{path: {value: /b}}], backendRefs: [{name: s, port: 80}]}]}";

TEST(GatewayApiController, a_route_with_a_filter_that_is_not_done_is_not_accepted_and_answers_500) {
  GatewayCluster cluster(kGateway);
  cluster.add(
      route_yaml("r", "default", "{parentRefs: [{name: edge}], hostnames: [a.example], rules: [{}]}"));
  cluster.edit(kinds::http_route(), "r", [](api::Json& body) {
    body["spec"]["rules"][0]["filters"] = api::Json::array(
        {{{"type", "RequestMirror"}, {"requestMirror", {{"backendRef", {{"name", "s"}, {"port", 80}}}}}}});
  });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "False UnsupportedValue");
  const ObjectSnapshot snapshot = cluster.snapshot();
  const Registry registry(snapshot);
  const GatewayApi read(snapshot, registry);
  ASSERT_EQ(read.routes().size(), 1u);
  EXPECT_TRUE(read.routes()[0].dropped.at(0).matches) << "its requests are known, and get 500";
}

TEST(GatewayApiController, every_rule_with_a_filter_that_is_not_done_answers_500_however_many_there_are) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", kTwoRules));
  cluster.edit(kinds::http_route(), "r", [](api::Json& body) {
    api::Json rule = body["spec"]["rules"][0];
    rule["filters"] =
        api::Json::array({{{"type", "ExtensionRef"},
                           {"extensionRef", {{"group", "g"}, {"kind", "AuthPolicy"}, {"name", "sso"}}}}});
    body["spec"]["rules"] = std::vector<api::Json>(16, rule);
  });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "False UnsupportedValue");
  const ObjectSnapshot snapshot = cluster.snapshot();
  const Registry registry(snapshot);
  EXPECT_EQ(GatewayApi(snapshot, registry).routes().at(0).dropped.size(), 16u);
}

TEST(GatewayApiController, of_a_route_with_one_rule_that_is_not_done_the_others_are_served) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", kTwoRules));
  cluster.edit(kinds::http_route(), "r",
               [](api::Json& body) { body["spec"]["rules"][1]["retry"] = {{"attempts", 3}}; });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "True Accepted");
  EXPECT_EQ(cluster.parent_condition("r", "PartiallyInvalid"), "True UnsupportedValue");
  const std::string status = cluster.get(kinds::http_route(), "r")->status().dump();
  EXPECT_NE(status.find("Dropped Rule: spec.rules[1].retry"), std::string::npos) << status;
  cluster.edit(kinds::http_route(), "r", [](api::Json& body) { body["spec"]["rules"][1].erase("retry"); });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "PartiallyInvalid"), "none");
}

TEST(GatewayApiController, a_stored_rule_that_redirects_is_served_whatever_it_says_of_forwarding) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", kTwoRules));
  cluster.edit(kinds::http_route(), "r", [](api::Json& body) {
    api::Json& rule = body["spec"]["rules"][1];
    rule.erase("backendRefs");
    rule["filters"] = api::Json::array(
        {{{"type", "RequestRedirect"}, {"requestRedirect", {{"scheme", "https"}}}},
         {{"type", "RequestHeaderModifier"}, {"requestHeaderModifier", {{"remove", {"x"}}}}}});
    rule["timeouts"] = {{"request", "10s"}};
  });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "True Accepted");
  EXPECT_EQ(cluster.parent_condition("r", "PartiallyInvalid"), "none");
}

TEST(GatewayApiController, a_rule_whose_match_is_not_known_is_as_if_it_were_not_there) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", kTwoRules));
  cluster.edit(kinds::http_route(), "r",
               [](api::Json& body) { body["spec"]["rules"][1]["matches"][0]["cookies"] = {{"name", "x"}}; });
  const ObjectSnapshot snapshot = cluster.snapshot();
  const Registry registry(snapshot);
  const GatewayApi read(snapshot, registry);
  EXPECT_FALSE(read.routes()[0].dropped.at(1).matches);
}

TEST(GatewayApiController, a_gateway_with_parameters_is_not_programmed_and_says_why) {
  GatewayCluster cluster(kGateway);
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) {
    body["spec"]["infrastructure"]["parametersRef"] = {{"group", ""}, {"kind", "ConfigMap"}, {"name", "c"}};
  });
  cluster.settle();
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Accepted"), "False InvalidParameters");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "False Invalid");
  EXPECT_TRUE(cluster.snapshot().all(kinds::deployment()).empty());
}

TEST(GatewayApiController, what_else_of_a_gateway_is_not_done_is_told_where_it_stands) {
  auto reason = [](auto edit) {
    GatewayCluster cluster(kGateway);
    cluster.edit(kinds::api_gateway(), "edge", edit);
    cluster.settle();
    return cluster.condition(kinds::api_gateway(), "edge", "Accepted");
  };
  EXPECT_EQ(reason([](api::Json& body) {
              body["spec"]["backendTLS"] = {{"clientCertificateRef", {{"name", "c"}}}};
            }),
            "False Invalid");
  EXPECT_EQ(reason([](api::Json& body) {
              body["spec"]["addresses"] = api::Json::array({{{"type", "IPAddress"}, {"value", "192.0.2.1"}}});
            }),
            "False UnsupportedAddress");
  EXPECT_EQ(reason([](api::Json& body) {
              body["spec"]["addresses"] = api::Json::array({{{"type", "Hostname"}, {"value", "a.example"}},
                                                            {{"type", "Hostname"}, {"value", "b.example"}}});
            }),
            "False UnsupportedAddress");
  EXPECT_EQ(reason([](api::Json& body) { body["spec"]["listeners"][0]["tls"] = {{"mode", "Terminate"}}; }),
            "True ListenersNotValid");
  EXPECT_EQ(reason([](api::Json& body) { body["metadata"]["finalizers"] = {"foregroundDeletion"}; }),
            "True Accepted");
}

TEST(GatewayApiController, a_listener_that_lets_in_nobody_has_no_routes) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", "{parentRefs: [{name: edge}]}"));
  cluster.edit(kinds::api_gateway(), "edge", [](api::Json& body) {
    for (auto& each : body["spec"]["listeners"]) each["allowedRoutes"]["namespaces"]["from"] = "None";
  });
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "False NotAllowedByListeners");
}

TEST(GatewayApiController, a_class_says_what_is_served_and_a_listener_of_another_protocol_takes_no_routes) {
  GatewayCluster cluster(kGateway);
  cluster.edit(kinds::api_gateway(), "edge",
               [](api::Json& body) { body["spec"]["listeners"][2]["protocol"] = "example.com/own"; });
  cluster.settle();
  const api::Json features = cluster.get(kinds::gateway_class(), "istio")->status()["supportedFeatures"];
  EXPECT_TRUE(std::ranges::is_sorted(features, {},
                                     [](const api::Json& each) { return each["name"].get<std::string>(); }));
  EXPECT_EQ(features[0]["name"], "Gateway");
  const api::Json listeners = cluster.get(kinds::api_gateway(), "edge")->status()["listeners"];
  EXPECT_EQ(listeners[0]["supportedKinds"].size(), 1u);
  EXPECT_EQ(GatewayCluster::condition_in(listeners[2], "Accepted"), "False UnsupportedProtocol");
  EXPECT_TRUE(listeners[2]["supportedKinds"].empty());
}

TEST(GatewayApiController, a_class_with_parameters_is_not_accepted_and_its_gateways_neither) {
  GatewayCluster cluster(kGateway);
  cluster.settle();
  cluster.edit(kinds::gateway_class(), "istio", [](api::Json& body) {
    body["spec"]["parametersRef"] = {{"group", ""}, {"kind", "ConfigMap"}, {"name", "c"}};
  });
  cluster.settle();
  EXPECT_EQ(cluster.condition(kinds::gateway_class(), "istio", "Accepted"), "False InvalidParameters");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Accepted"), "False InvalidParameters");
}

TEST(GatewayApiController,
     what_a_proxy_rejected_stands_in_the_status_of_a_route_and_a_gateway_until_it_is_over) {
  GatewayCluster cluster(kGateway);
  cluster.plan = plan_local_gateways;
  cluster.add(route_yaml("r", "default", "{parentRefs: [{name: edge}]}"));
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "weft.dev/Applied"), "none");
  const std::string reason = "ingress.istio-system rejected RDS: bad";
  cluster.rejections = {{{kinds::http_route(), "default", "r"}, reason},
                        {{kinds::api_gateway(), "default", "edge"}, reason}};
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "Accepted"), "True Accepted");
  EXPECT_EQ(cluster.parent_condition("r", "weft.dev/Applied"), "False Rejected");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "False Invalid");
  for (const api::KindInfo* kind : {kinds::http_route(), kinds::api_gateway()}) {
    const std::string status = cluster.get(kind, kind == kinds::http_route() ? "r" : "edge")->status().dump();
    EXPECT_NE(status.find(reason), status.npos) << status;
  }
  cluster.rejections.clear();
  cluster.settle();
  EXPECT_EQ(cluster.parent_condition("r", "weft.dev/Applied"), "none");
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "True Programmed");
}

TEST(GatewayApiController, another_controllers_word_on_a_route_stays) {
  GatewayCluster cluster(kGateway);
  cluster.add(route_yaml("r", "default", "{parentRefs: [{name: edge}]}"));
  cluster.edit(kinds::http_route(), "r", [](api::Json& body) {
    body["status"]["parents"] = api::Json::array({{{"controllerName", "example.com/other"}}});
  });
  cluster.settle();
  const api::Json parents = cluster.get(kinds::http_route(), "r")->status()["parents"];
  ASSERT_EQ(parents.size(), 2u);
  EXPECT_EQ(parents[0]["controllerName"], "example.com/other");
}

TEST(GatewayApiController, on_one_machine_a_gateway_is_the_ingress_gateway_and_nothing_is_deployed) {
  GatewayCluster cluster(kGateway);
  cluster.plan = plan_local_gateways;
  cluster.settle();
  EXPECT_EQ(cluster.condition(kinds::api_gateway(), "edge", "Programmed"), "True Programmed");
  EXPECT_EQ(cluster.get(kinds::api_gateway(), "edge")->status()["addresses"][0]["value"], "127.0.0.1");
  EXPECT_FALSE(cluster.get(kinds::deployment(), "edge-istio"));
}

TEST(GatewayApiController, of_other_deployments_the_mirror_keeps_only_that_they_are_there) {
  auto kept = keep_part(testing::objects(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: default, labels: {app: a}}
spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}})")
                            .front());
  EXPECT_EQ(kept->name(), "a");
  EXPECT_TRUE(kept->spec().empty());
}

TEST(Overlay, says_what_is_wanted_and_keeps_the_rest) {
  auto json = [](const char* text) { return api::Json::parse(text); };
  EXPECT_EQ(overlay(json(R"({"a":1,"b":{"c":2,"d":3}})"), json(R"({"b":{"c":4},"e":"","f":[],"g":5})")),
            json(R"({"a":1,"b":{"c":4,"d":3},"g":5})"));
  EXPECT_EQ(overlay(json(R"([{"name":"a","x":1},{"name":"b","x":2}])"), json(R"([{"name":"b","y":3}])")),
            json(R"([{"name":"b","x":2,"y":3}])"));
  EXPECT_EQ(overlay(json(R"({"resources":{"cpu":"2"},"v":"2"})"),
                    json(R"({"resources":{"cpu":"2000m"},"v":"2000m"})")),
            json(R"({"resources":{"cpu":"2"},"v":"2000m"})"));
  EXPECT_EQ(overlay(json(R"({"resources":{"memory":"1Gi"}})"), json(R"({"resources":{"memory":"1000Mi"}})")),
            json(R"({"resources":{"memory":"1000Mi"}})"));
}

}  // namespace
}  // namespace weft::control
