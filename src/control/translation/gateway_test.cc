#include <gtest/gtest.h>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

constexpr std::string_view kServices = R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: default}
spec: {ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: rest, namespace: default}
spec: {ports: [{port: 80, name: http}]}
)";

PushContext push_context_of(const std::string& yaml) {
  return PushContext(std::make_shared<const ObjectSnapshot>(
      ObjectSnapshot::of(1, testing::objects(std::string(kServices) + "---\n" + yaml))));
}

ProxyIdentity ingress(std::string ns = "istio-system") {
  return {ProxyIdentity::Kind::kGateway, std::move(ns), "gw", "", {{"istio", "ingressgateway"}}};
}

std::string path_of(const route::RouteMatch& match) {
  if (match.has_path()) return "=" + match.path();
  if (match.has_path_separated_prefix()) return match.path_separated_prefix() + "/";
  return match.prefix();
}

/// The short name of the service that a route's cluster is for.
std::string service_of(const route::Route& made) {
  if (made.has_direct_response()) return std::to_string(made.direct_response().status());
  const std::string& cluster = made.route().cluster();
  const auto at = cluster.rfind('|');
  return cluster.substr(at + 1, cluster.find('.', at) - at - 1);
}

/// "path service" of each route of the domain's virtual host on the gateway, in order, with what it asks of
/// the host.
std::vector<std::string> routes_of(const PushContext& push, const std::string& domain,
                                   const ProxyIdentity& proxy = ingress()) {
  const ResourceSet set = translate(push, proxy);
  std::vector<std::string> found;
  for (const ResourcePtr& resource : set[Type::kRoute]) {
    route::RouteConfiguration table;
    EXPECT_TRUE(table.ParseFromString(resource->message()));
    for (const auto& host : table.virtual_hosts()) {
      if (host.domains(0) != domain) continue;
      for (const auto& each : host.routes()) {
        std::string text = path_of(each.match()) + " " + service_of(each);
        for (const auto& header : each.match().headers())
          text += std::string(header.invert_match() ? " not " : " at ") +
                  header.string_match().safe_regex().regex();
        found.push_back(std::move(text));
      }
    }
  }
  return found;
}

using Routes = std::vector<std::string>;

Routes routes(const std::string& yaml, const std::string& domain, const ProxyIdentity& proxy = ingress()) {
  return routes_of(push_context_of(yaml), domain, proxy);
}

std::string ingress_yaml(const std::string& name, const std::string& spec) {
  return "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: " + name +
         ", namespace: default}\nspec: " + spec + "\n";
}
std::string path(const std::string& path, const std::string& type, const std::string& service) {
  return "{path: " + path + ", pathType: " + type + ", backend: {service: {name: " + service +
         ", port: {number: 80}}}}";
}
std::string host(const std::string& name, const std::string& paths) {
  return "{host: '" + name + "', http: {paths: [" + paths + "]}}";
}

TEST(IngressTranslation, paths_of_several_ingresses_of_one_host_are_one_table) {
  const std::string yaml =
      ingress_yaml("a", "{rules: [" + host("shop.example", path("/api", "Prefix", "web")) + "]}") +
      ingress_yaml("b", "{rules: [" +
                            host("Shop.example",
                                 path("/api/v2/", "Prefix", "api") + ", " + path("/api", "Exact", "rest")) +
                            "]}");
  EXPECT_EQ(routes(yaml, "shop.example"), (Routes{"/api/v2/ api", "=/api rest", "/api/ web"}));
}

TEST(IngressTranslation, a_default_backend_serves_unknown_paths_of_its_hosts_after_everybodys_rules) {
  const std::string fallback = "defaultBackend: {service: {name: rest, port: {number: 80}}}";
  const std::string yaml =
      ingress_yaml("a", "{" + fallback + ", rules: [" + host("shop.example", path("/a", "Prefix", "web")) +
                            ", {host: bare.example}]}") +
      ingress_yaml("b", "{rules: [" + host("shop.example", path("/", "Prefix", "api")) + "]}");
  EXPECT_EQ(routes(yaml, "shop.example"), (Routes{"/a/ web", "/ api", "/ rest"}));
  EXPECT_EQ(routes(yaml, "bare.example"), (Routes{"/ rest"}));
  EXPECT_EQ(routes(yaml, "*"), (Routes{"/ rest"}));
}

TEST(IngressTranslation, a_wildcard_is_one_label_and_longer_names_are_those_of_no_host) {
  const std::string yaml =
      ingress_yaml("a", "{rules: [" + host("*.foo.example", path("/", "Prefix", "web")) + "]}") +
      ingress_yaml("b", "{rules: [{http: {paths: [" + path("/", "Prefix", "rest") + "]}}]}");
  const std::string one = "(?i)[^.]+\\.foo\\.example\\.?(:[0-9]+)?";
  EXPECT_EQ(routes(yaml, "*.foo.example"), (Routes{"/ web at " + one, "/ rest not " + one}));
}

/// The objects of the text after an edit that no reader of files would let through.
template <class Edit>
PushContext edited(const std::string& yaml, Edit edit) {
  std::vector<api::ObjectPtr> objects;
  for (const auto& each : testing::objects(yaml)) {
    auto object = std::make_shared<api::Object>(*each);
    edit(*object);
    objects.push_back(std::move(object));
  }
  return PushContext(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
}

/// The routes of an Ingress that is as a cluster's API server has it: read by nothing of ours.
Routes routes_of_cluster(const std::string& path, const std::string& type) {
  const std::string yaml = ingress_yaml("a", "{rules: [" +
                                                 host("shop.example",
                                                      "{path: /x, pathType: Prefix, backend: {service: "
                                                      "{name: web, port: {number: 80}}}}") +
                                                 "]}");
  return routes_of(edited(std::string(kServices) + yaml,
                          [&](api::Object& object) {
                            if (object.kind != kinds::ingress()) return;
                            api::Json& only = object.body["spec"]["rules"][0]["http"]["paths"][0];
                            only["path"] = path;
                            only["pathType"] = type;
                            if (path.empty()) only.erase("path");
                          }),
                   "shop.example");
}

TEST(IngressTranslation, an_implementations_own_path_is_exact_but_for_a_wildcard_at_its_end) {
  const struct {
    const char* path;
    const char* route;
  } rows[] = {{"", "/ web"},
              {"*", "/ web"},
              {"/*", "/ web"},
              {".*", "/ web"},
              {"/.*", "/ web"},
              {"/static/*", "/static/ web"},
              {"/static/.*", "/static/ web"},
              {"/static.*", "/static/ web"},
              {"/login", "=/login web"},
              {"/", "=/ web"},
              {"/a*b", "=/a*b web"},
              {"/static*", "=/static* web"}};
  for (const auto& row : rows)
    EXPECT_EQ(routes_of_cluster(row.path, "ImplementationSpecific"), Routes{row.route}) << row.path;
  EXPECT_EQ(routes_of_cluster("/a/*", "Prefix"), Routes{"/a/*/ web"});
  EXPECT_EQ(routes_of_cluster("/a/*", "Exact"), Routes{"=/a/* web"});
}

std::string gateway_yaml(const std::string& host) {
  return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: "
         "default}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, "
         "protocol: "
         "HTTP}, hosts: ['" +
         host + "']}]}\n";
}
std::string rule_yaml(const std::string& spec) {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r, namespace: "
         "default}\nspec: {" +
         spec + "}\n";
}
const std::string kToWeb = ", http: [{route: [{destination: {host: web}}]}]";

TEST(GatewayTranslation, gateways_of_both_kinds_with_one_name_and_time_are_both_served) {
  const std::string of_api =
      "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: "
      "default}\nspec: {gatewayClassName: weft, listeners: [{name: http, port: 80, protocol: HTTP}]}\n";
  EXPECT_EQ(routes(gateway_yaml("shop.example") + of_api +
                       rule_yaml("hosts: [shop.example], gateways: [edge]" + kToWeb),
                   "shop.example"),
            (Routes{"/ web"}));
}

TEST(GatewayTranslation, upper_case_in_hosts_is_no_other_host) {
  EXPECT_EQ(
      routes(gateway_yaml("Shop.Example") + rule_yaml("hosts: [shop.example], gateways: [edge]" + kToWeb),
             "shop.example"),
      (Routes{"/ web"}));
  EXPECT_EQ(
      routes(gateway_yaml("default/*.EXAMPLE") +
                 rule_yaml("hosts: [SHOP.example], gateways: [edge], http: [{route: [{destination: {host: "
                           "WEB.default.svc.cluster.local}}]}]"),
             "shop.example"),
      (Routes{"/ web"}));
}

TEST(GatewayTranslation, a_rule_names_its_gateway_in_each_of_istios_ways) {
  for (const char* name :
       {"edge", "default/edge", "./edge", "edge.default", "edge.default.svc.cluster.local"}) {
    const std::string rule = std::string("hosts: [shop.example], gateways: ['") + name + "']";
    EXPECT_EQ(routes(gateway_yaml("*") + rule_yaml(rule + kToWeb), "shop.example"), (Routes{"/ web"}))
        << name;
    EXPECT_EQ(routes(gateway_yaml("*") + rule_yaml(rule + ", http: [{match: [{gateways: ['" + name +
                                                   "']}], route: [{destination: {host: web}}]}]"),
                     "shop.example"),
              (Routes{"/ web"}))
        << name;
  }
}

TEST(GatewayTranslation, a_match_for_clients_of_some_labels_is_for_no_gateway_without_them) {
  const auto rule = [](const std::string& match) {
    return gateway_yaml("*") +
           rule_yaml("hosts: [shop.example], gateways: [edge, mesh], http: [{match: [{" + match +
                     "}], route: [{destination: {host: api}}]}, {route: [{destination: {host: web}}]}]");
  };
  EXPECT_EQ(routes(rule("sourceLabels: {app: tester}"), "shop.example"), (Routes{"/ web"}));
  EXPECT_EQ(routes(rule("sourceLabels: {istio: ingressgateway}"), "shop.example"), (Routes{"/ api"}));
  EXPECT_EQ(routes(rule("sourceLabels: {app: tester}, gateways: [edge]"), "shop.example"), (Routes{"/ api"}));
}

TEST(GatewayTranslation, a_rule_that_is_not_exported_is_not_seen_by_gateways_of_other_namespaces) {
  const std::string yaml =
      gateway_yaml("*") + rule_yaml("exportTo: ['.'], hosts: [shop.example], gateways: [edge]" + kToWeb);
  EXPECT_EQ(routes(yaml, "shop.example", ingress("istio-system")), Routes{});
  EXPECT_EQ(routes(yaml, "shop.example", ingress("default")), (Routes{"/ web"}));
}

/// The ports that the gateway listens on, and what for.
std::map<std::uint16_t, std::string> open_ports(const PushContext& push,
                                                const ProxyIdentity& proxy = ingress()) {
  std::map<std::uint16_t, std::string> found;
  for (const ResourcePtr& resource : translate(push, proxy)[Type::kListener]) {
    listener::Listener made;
    EXPECT_TRUE(made.ParseFromString(resource->message()));
    const std::string& filter = made.filter_chains(0).filters(0).name();
    found[static_cast<std::uint16_t>(made.address().socket_address().port_value())] =
        filter.find("http") == filter.npos ? "tcp" : "http";
  }
  return found;
}

std::string edge(const std::string& name, const std::string& servers) {
  return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {selector: {istio: ingressgateway}, servers: [" + servers + "]}\n";
}

TEST(GatewayTranslation, a_gateway_with_an_address_listens_where_the_services_named_port_leads) {
  const std::string yaml = R"(
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: weft}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: default}
spec: {selector: {app: edge}, ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 81, targetPort: nowhere}]}
---
apiVersion: v1
kind: Pod
metadata: {name: edge-1, namespace: default, labels: {app: edge}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: weft
  addresses: [{type: Hostname, value: edge}]
  listeners: [{name: http, port: 80, protocol: HTTP}, {name: gone, port: 81, protocol: HTTP}]
)";
  const ProxyIdentity proxy{ProxyIdentity::Kind::kGateway, "default", "edge-1", "", {{"app", "edge"}}};
  EXPECT_EQ(open_ports(push_context_of(yaml), proxy),
            (std::map<std::uint16_t, std::string>{{81, "http"}, {8080, "http"}}));
}

std::string server(int port, const std::string& protocol) {
  const std::string number = std::to_string(port);
  return "{port: {number: " + number + ", name: p" + number + ", protocol: " + protocol + "}, hosts: ['*']}";
}

TEST(GatewayTranslation, a_server_that_asks_for_tls_or_an_address_of_its_own_stays_closed) {
  const std::string yaml = edge("a", server(80, "HTTP") + "," + server(81, "HTTP") + "," +
                                         server(82, "HTTP") + "," + server(83, "HTTP"));
  const PushContext push = edited(yaml, [](api::Object& object) {
    api::Json& servers = object.body["spec"]["servers"];
    servers[1]["tls"] = {{"httpsRedirect", true}};
    servers[2]["bind"] = "127.0.0.1";
    servers[3]["port"]["protocol"] = "HTTPS";
    servers[3]["tls"] = {{"mode", "MUTUAL"}, {"credentialName", "c"}};
  });
  EXPECT_EQ(open_ports(push), (std::map<std::uint16_t, std::string>{{80, "http"}}));
}

TEST(GatewayTranslation, every_server_with_a_fault_stays_closed_however_many_there_are) {
  for (const int count : {8, 60, 600}) {
    std::string servers;
    for (int i = 0; i < count; ++i) servers += (i > 0 ? "," : "") + server(8000 + i, "HTTP");
    const PushContext push = edited(edge("a", servers), [](api::Object& object) {
      for (api::Json& each : object.body["spec"]["servers"]) {
        each["port"]["protocol"] = "HTTPS";
        each["tls"] = {{"mode", "MUTUAL"}, {"credentialName", "c"}};
      }
    });
    EXPECT_EQ(open_ports(push).size(), 0u) << count;
  }
}

TEST(GatewayTranslation, of_gateways_that_differ_about_a_port_the_older_has_it) {
  const std::string yaml =
      std::string(kServices) + edge("a", server(9000, "HTTP")) + edge("b", server(9000, "TCP")) +
      "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: t, namespace: "
      "default}\nspec: {hosts: ['*'], gateways: [b], tcp: [{route: [{destination: {host: web, port: {number: "
      "80}}}]}]}\n";
  const auto ports = [&](const std::string& older) {
    return open_ports(edited(yaml, [&](api::Object& object) {
      object.body["metadata"]["creationTimestamp"] =
          object.name() == older ? "2026-01-01T00:00:00Z" : "2026-01-02T00:00:00Z";
    }));
  };
  EXPECT_EQ(ports("a"), (std::map<std::uint16_t, std::string>{{9000, "http"}}));
  EXPECT_EQ(ports("b"), (std::map<std::uint16_t, std::string>{{9000, "tcp"}}));
}

/// The outbound clusters without endpoints when the rule for web has this policy.
std::string closed_clusters(const std::string& policy) {
  const std::string yaml = std::string(kServices) +
                           "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: "
                           "d, namespace: default}\nspec: {host: web, subsets: [{name: v1, labels: {version: "
                           "v1}}, {name: plain, labels: {version: v2}}]}\n";
  const PushContext push = edited(yaml, [&](api::Object& object) {
    if (object.kind != kinds::destination_rule()) return;
    object.body["spec"]["trafficPolicy"] = api::Json::parse(policy);
    object.body["spec"]["subsets"][1]["trafficPolicy"]["tls"]["mode"] = "DISABLE";
  });
  std::string closed;
  for (const ResourcePtr& resource : translate(push, ingress())[Type::kCluster]) {
    cluster::Cluster made;
    EXPECT_TRUE(made.ParseFromString(resource->message()));
    if (resource->name.starts_with("outbound") && made.type() == cluster::Cluster::STATIC)
      closed += resource->name + " ";
  }
  return closed;
}

TEST(ClusterTranslation, what_is_to_travel_in_tls_goes_nowhere) {
  const std::string both =
      "outbound|80|v1|web.default.svc.cluster.local outbound|80||web.default.svc.cluster.local ";
  EXPECT_EQ(closed_clusters(R"({"tls": {"mode": "SIMPLE"}})"), both);
  EXPECT_EQ(
      closed_clusters(R"({"portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "MUTUAL"}}]})"),
      both);
  EXPECT_EQ(
      closed_clusters(R"({"portLevelSettings": [{"port": {"number": 81}, "tls": {"mode": "MUTUAL"}}]})"), "");
  EXPECT_EQ(closed_clusters(R"({"tls": {"mode": "DISABLE"}})"), "");
}

TEST(RulesReading, a_destination_rule_in_the_root_namespace_holds_where_no_other_does) {
  auto rule = [](const std::string& ns, const std::string& host, int limit) {
    return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: " +
           ns + "}\nspec: {host: '" + host +
           "', trafficPolicy: {connectionPool: {tcp: {maxConnections: " + std::to_string(limit) + "}}}}\n";
  };
  auto limit = [](const PushContext& push, std::string_view host) {
    const auto* policy = push.rules.destination(host, "default").policy;
    return policy ? static_cast<int>(policy->pool.value().tcp.max_connections.value_or(0)) : 0;
  };
  const PushContext push = push_context_of(rule("istio-system", "*.local", 7) + rule("default", "WEB", 9));
  EXPECT_EQ(limit(push, "web.default.svc.cluster.local"), 9);
  EXPECT_EQ(limit(push, "api.default.svc.cluster.local"), 7);
  EXPECT_EQ(limit(push, "api.example"), 0);
}

TEST(RulesReading, what_holds_for_the_whole_mesh_does_not_hide_a_services_own_rule_from_the_gateway) {
  const auto rule = [](const std::string& ns, const std::string& more) {
    return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: " +
           ns + "}\nspec: {" + more + "}\n";
  };
  const auto subsets = [](const PushContext& push, std::string_view ns) {
    return push.rules.destination("web.default.svc.cluster.local", ns).subsets.size();
  };
  const std::string own = rule("default", "host: web, subsets: [{name: v1, labels: {version: v1}}]");
  const PushContext whole = push_context_of(own + rule("istio-system", "host: '*.local'"));
  EXPECT_EQ(subsets(whole, "istio-system"), 1u);
  EXPECT_EQ(subsets(whole, "default"), 1u);
  const PushContext only_there =
      push_context_of(own + rule("istio-system", "host: '*.local', exportTo: ['.']"));
  EXPECT_EQ(subsets(only_there, "istio-system"), 0u) << "it is for this namespace alone";
  EXPECT_EQ(subsets(only_there, "default"), 1u);
}

TEST(RulesReading, what_stands_behind_a_route_for_everything_is_never_reached_at_a_gateway_either) {
  const PushContext push = push_context_of(
      gateway_yaml("*") +
      rule_yaml(
          "hosts: [shop.example], gateways: [edge], http: [{match: [{uri: {exact: /a}}], directResponse: "
          "{status: 200}}, {directResponse: {status: 503}}, {match: [{uri: {prefix: /foo}}], "
          "directResponse: {status: 200}}]"));
  const ResourceSet set = translate(push, ingress());
  route::RouteConfiguration table;
  ASSERT_TRUE(table.ParseFromString(set[Type::kRoute].begin()->get()->message()));
  ASSERT_EQ(table.virtual_hosts(0).routes_size(), 2);
  EXPECT_EQ(table.virtual_hosts(0).routes(1).direct_response().status(), 503u);
}

/// The routes of a rule with two matches, of which the second was stored with more than is accepted.
std::vector<std::string> paths_of_stored(const api::Json& second) {
  const std::string yaml =
      gateway_yaml("*") + rule_yaml(
                              "hosts: [shop.example], gateways: [edge], http: [{match: [{uri: {exact: /a}}, "
                              "{uri: {regex: /b}}], route: [{destination: {host: web}}]}]");
  std::vector<api::ObjectPtr> objects;
  for (const auto& each : testing::objects(std::string(kServices) + "---\n" + yaml)) {
    auto object = std::make_shared<api::Object>(*each);
    if (object->kind == kinds::virtual_service()) object->body["spec"]["http"][0]["match"][1].update(second);
    objects.push_back(std::move(object));
  }
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  const ResourceSet set = translate(push, ingress());
  route::RouteConfiguration table;
  EXPECT_TRUE(table.ParseFromString(set[Type::kRoute].begin()->get()->message()));
  std::vector<std::string> paths;
  for (const auto& each : table.virtual_hosts(0).routes())
    paths.push_back(each.match().path() + each.match().safe_regex().regex());
  return paths;
}

TEST(RulesReading, a_match_that_asks_for_what_is_not_known_matches_nothing) {
  EXPECT_EQ(paths_of_stored({{"sourceNamespace", "trusted"}}), std::vector<std::string>{"/a"});
}

TEST(RulesReading, a_match_with_a_field_that_has_no_effect_is_one_without_it) {
  EXPECT_EQ(paths_of_stored({{"ignoreUriCase", true}}), (std::vector<std::string>{"/a", "/b"}));
}

}  // namespace
}  // namespace weft::control
