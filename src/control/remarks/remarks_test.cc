#include "control/remarks/remarks.h"

#include <gtest/gtest.h>

#include "control/remarks/on_write.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

constexpr std::string_view kShop = R"(
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: default}
spec: {selector: {app: reviews}, ports: [{port: 9080, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: rates, namespace: default}
spec: {selector: {app: rates}, ports: [{port: 7000, name: redis-api}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: default}
spec:
  selector: {matchLabels: {app: reviews, version: v1}}
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec: {containers: [{name: main, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-v1-a, namespace: default, labels: {app: reviews, version: v1}}
spec: {containers: [{name: main, image: x, ports: [{containerPort: 9080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: rates-v1, namespace: default}
spec:
  selector: {matchLabels: {app: rates}}
  template:
    metadata: {labels: {app: rates}}
    spec: {containers: [{name: main, image: x}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews-1, namespace: default, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: 9080}]
endpoints: [{addresses: [10.0.0.7], targetRef: {kind: Pod, name: reviews-v1-a}}]
)";

std::string rule(const std::string& name, const std::string& spec, const std::string& more = "") {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         ", namespace: default" + more + "}\nspec: " + spec + "\n";
}
std::string destination(const std::string& name, const std::string& spec) {
  return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name +
         ", namespace: default}\nspec: " + spec + "\n";
}

/// What is said of a mesh of these objects, one "kind name field: text" a line.
std::string said(const std::string& yaml, Ground ground = Ground::kOneMachine,
                 void (*edit)(api::Object&) = nullptr) {
  std::vector<api::ObjectPtr> objects;
  for (const auto& each : testing::objects(std::string(kShop) + yaml)) {
    auto object = std::make_shared<api::Object>(*each);
    if (edit) edit(*object);
    objects.push_back(std::move(object));
  }
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(objects))));
  std::string text;
  for (const auto& [key, remarks] : all_remarks(push, ground))
    for (const Remark& each : remarks)
      text += std::string(key.kind->kind) + " " + key.name + " " + each.field + ": " + each.text + "\n";
  return text;
}

TEST(Remarks, a_mesh_in_which_everything_is_there_has_none) {
  EXPECT_EQ(said(rule("r",
                      "{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1, "
                      "port: {number: 9080}}}]}]}") +
                 destination("r", "{host: reviews, subsets: [{name: v1, labels: {version: v1}}]}")),
            "");
}

TEST(Remarks, a_host_of_a_rule_that_exists_nowhere_is_told_with_what_was_meant) {
  EXPECT_EQ(
      said(rule("r", "{hosts: [review], http: [{route: [{destination: {host: reviews}}]}]}")),
      "VirtualService r spec.hosts[0]: waits for host review.default.svc.cluster.local: there is no such "
      "service; did you mean reviews?\n");
}

TEST(Remarks, a_route_behind_one_that_matches_everything_is_told) {
  const std::string to = "route: [{destination: {host: reviews}}]";
  const auto said_of = [&](const std::string& layer, const std::string& first, const std::string& second) {
    return said(
        rule("r", "{hosts: [reviews], " + layer + ": [{" + first + to + "}, {" + second + to + "}]}"));
  };
  const std::string told =
      "VirtualService r spec.http[1]: is never reached: spec.http[0] matches everything\n";
  const std::string jason = "match: [{headers: {end-user: {exact: jason}}}], ";
  EXPECT_EQ(said_of("http", "", jason), told);
  EXPECT_EQ(said_of("http", "match: [{uri: {prefix: /}}], ", jason), told);
  EXPECT_EQ(said_of("http", "match: [{uri: {prefix: /a}}, {uri: {prefix: /}}], ", ""), told);
  EXPECT_NE(said_of("tcp", "", "").find("spec.tcp[1]: is never reached: spec.tcp[0]"), std::string::npos);
  EXPECT_EQ(said_of("http", jason, ""), "");
  EXPECT_EQ(said_of("http", "match: [{uri: {prefix: /}, port: 9080}], ", ""), "");
  EXPECT_EQ(said_of("http", "match: [{uri: {prefix: /}, sourceLabels: {app: web}}], ", ""), "");
}

TEST(Remarks, rules_for_an_external_name_are_told_what_it_leads_to) {
  const auto service = [](const std::string& name) {
    return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {ports: [{port: 80}]}\n";
  };
  const auto lead_on = [](api::Object& object) {
    if (object.name() == "old")
      object.body["spec"] = {{"type", "ExternalName"}, {"externalName", "reviews.default.svc.cluster.local"}};
    if (object.name() == "far")
      object.body["spec"] = {{"type", "ExternalName"}, {"externalName", "api.example"}};
  };
  const auto told = [&](const std::string& host) {
    const std::string text =
        said(service("old") + service("far") +
                 rule("r", "{hosts: [" + host + "], http: [{route: [{destination: {host: reviews}}]}]}") +
                 destination("r", "{host: " + host + "}"),
             Ground::kCluster, lead_on);
    std::string rules;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      if (!text.substr(at).starts_with("Service")) rules += text.substr(at, text.find('\n', at) - at) + "\n";
    return rules;
  };
  const auto both = [](const std::string& what) {
    return "VirtualService r spec.hosts[0]: " + what + "\nDestinationRule r spec.host: " + what + "\n";
  };
  for (const char* host : {"old", "old.default", "old.default.svc.cluster.local"}) {
    const std::string name = host == std::string("old") ? "old.default.svc.cluster.local" : host;
    EXPECT_EQ(told(host),
              both(name + " is an ExternalName for reviews.default.svc.cluster.local, and a call to it is "
                          "one to that: write reviews"));
  }
  EXPECT_EQ(told("far"), both("waits for host far.default.svc.cluster.local: it is an ExternalName for "
                              "api.example, which is no service of the mesh"));
}

TEST(Remarks, a_host_outside_of_the_mesh_is_no_fault) {
  EXPECT_EQ(said(rule("r", "{hosts: [api.example.com], http: [{route: [{destination: {host: reviews}}]}]}")),
            "");
}

TEST(Remarks, what_a_destination_names_and_is_not_there_is_told_with_what_there_is) {
  const std::string text =
      said(rule("r",
                "{hosts: [reviews], http: [{match: [{port: 9080}], route: [{destination: {host: reviews, "
                "subset: v9, port: {number: 80}}}]}, {route: [{destination: {host: rewiews}}]}]}") +
           destination("r", "{host: reviews, subsets: [{name: v1, labels: {version: v1}}]}"));
  EXPECT_EQ(text,
            "VirtualService r spec.http[0].route[0].destination.port.number: waits for port 80 of host "
            "reviews.default.svc.cluster.local; there is 9080\n"
            "VirtualService r spec.http[0].route[0].destination.subset: waits for subset v9 of host "
            "reviews.default.svc.cluster.local: no DestinationRule defines it; did you mean v1?\n"
            "VirtualService r spec.http[1].route[0].destination.host: waits for host "
            "rewiews.default.svc.cluster.local: there is no such service; did you mean reviews?\n");
}

TEST(Remarks, a_younger_rule_for_the_same_host_is_told_that_the_older_one_holds) {
  const std::string spec = "{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}";
  const std::string text = said(rule("a", spec) + rule("b", spec));
  EXPECT_EQ(text.find("VirtualService a "), text.npos) << text;
  EXPECT_EQ(text.find("VirtualService b spec.hosts[0]: VirtualService default/a is older and has this host"),
            0u)
      << text;
}

TEST(Remarks, a_younger_rule_for_the_same_host_is_left_alone_where_a_call_is_left_to_it) {
  const std::string shop =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: default}\n"
      "spec: {selector: {app: reviews}, ports: [{port: 80, name: http}, {port: 81, name: http-b}, {port: 82, "
      "name: tcp}]}\n";
  const auto http = [](const std::string& match) {
    return "{hosts: [shop], http: [{" + match + "route: [{destination: {host: reviews}}]}]}";
  };
  const std::string tcp = "{hosts: [shop], tcp: [{route: [{destination: {host: reviews}}]}]}";
  const struct {
    std::string older, younger;
    bool hidden;
  } rows[] = {{http("match: [{port: 80}], "), http("match: [{port: 81}], "), false},
              {http("match: [{port: 80}], "), http(""), false},
              {http("match: [{port: 80}, {port: 81}], "), http(""), true},
              {http("match: [{port: 80}], "), http("match: [{port: 80, uri: {exact: /a}}], "), true},
              {http("match: [{sourceLabels: {app: a}}], "), http(""), false},
              {http("match: [{sourceLabels: {app: a}}], "),
               http("match: [{sourceLabels: {app: a, version: v1}}], "), true},
              {http(""), http("match: [{port: 80}], "), true},
              {tcp, http(""), false},
              {http(""), tcp, false},
              {tcp, tcp, true},
              {http(""), http("match: [{port: 9999}], "), true}};
  for (const auto& row : rows) {
    const std::string text = said(shop + rule("a", row.older) + rule("b", row.younger));
    EXPECT_EQ(text.find("VirtualService default/a is older") != text.npos, row.hidden) << row.older << "\n"
                                                                                       << row.younger << "\n"
                                                                                       << text;
  }
}

TEST(Remarks, a_younger_rule_is_told_too_where_its_other_routes_are_for_ports_that_the_service_has_not) {
  const std::string shop =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: default}\n"
      "spec: {selector: {app: reviews}, ports: [{port: 80, name: http}]}\n";
  const std::string to = "[{route: [{destination: {host: reviews}}]}]";
  const std::string text = said(shop + rule("a", "{hosts: [shop], http: " + to + "}") +
                                rule("b", "{hosts: [shop], http: " + to + ", tcp: " + to + "}"));
  EXPECT_NE(text.find("VirtualService default/a is older"), text.npos) << text;
}

TEST(Remarks, http_routes_for_a_service_without_an_http_port_are_told) {
  EXPECT_EQ(
      said(rule("r", "{hosts: [rates], http: [{route: [{destination: {host: rates}}]}]}")),
      "VirtualService r spec.hosts[0]: HTTP routes have no effect for rates.default.svc.cluster.local: no "
      "port of it is HTTP, 7000 (redis-api) pass as TCP; name the port http-… or give it appProtocol: "
      "http\n");
}

TEST(Remarks, a_gateway_that_is_not_there_or_has_no_host_of_the_rule_is_told) {
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: "
      "default}\nspec: "
      "{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: "
      "[Shop.example]}]}\n";
  const std::string to = ", http: [{route: [{destination: {host: reviews}}]}]}";
  EXPECT_EQ(said(gateway + rule("r", "{hosts: [shop.example], gateways: [edge]" + to)), "");
  EXPECT_EQ(
      said(gateway + rule("r", "{hosts: [shop.example], gateways: [edge.default.svc.cluster.local]" + to)),
      "");
  EXPECT_EQ(
      said(gateway + rule("r", "{hosts: [shop.example], gateways: [egde]" + to)),
      "VirtualService r spec.gateways[0]: waits for gateway default/egde: there is none of that name; did "
      "you mean edge?\n");
  EXPECT_EQ(
      said(gateway + rule("r", "{hosts: [other.example], gateways: [edge]" + to)),
      "VirtualService r spec.gateways[0]: no server of gateway default/edge has a host of this rule; its "
      "hosts are Shop.example\n");
}

TEST(Remarks, a_gateway_that_nobody_serves_is_told_and_a_port_that_does_not_lead_out) {
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: "
      "default}\nspec: "
      "{selector: {istio: egressgateway}, servers: [{port: {number: 9443, name: http, protocol: HTTP}, "
      "hosts: "
      "['*']}]}\n";
  EXPECT_EQ(
      said(gateway),
      "Gateway edge spec.selector: its selector (istio=egressgateway) matches no gateway; did you mean "
      "istio=ingressgateway?\n"
      "Gateway edge spec.servers[0].port.number: port 9443 is open inside of the mesh only: on one machine "
      "--ingress-port leads to port 80 (or 8080) of the gateway\n");
  EXPECT_EQ(
      said(gateway, Ground::kCluster),
      "Gateway edge spec.selector: its selector (istio=egressgateway) matches no gateway; gateways are pods "
      "with label istio=ingressgateway or istio=ingress\n");
}

TEST(Remarks, a_port_that_an_older_gateway_has_for_another_protocol_and_a_second_tcp_rule_are_told) {
  const auto gateway = [](const std::string& name, const std::string& protocol) {
    return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8080, "
           "name: p, protocol: " +
           protocol + "}, hosts: ['*']}]}\n";
  };
  EXPECT_EQ(said(gateway("a", "TCP") + gateway("b", "TCP")), "");
  EXPECT_EQ(
      said(gateway("a", "TCP") + gateway("b", "HTTP")),
      "Gateway b spec.servers[0].port: port 8080 is TCP in Gateway default/a, which is older and has it\n");
  const std::string to =
      "{hosts: ['*'], gateways: [a], tcp: [{route: [{destination: {host: rates, port: {number: 7000}}}]}]}";
  EXPECT_EQ(
      said(gateway("a", "TCP") + rule("one", to) + rule("two", to)),
      "VirtualService two spec.gateways[0]: VirtualService default/one is older and has the TCP server of "
      "gateway default/a, which takes the routes of one rule\n");
}

TEST(Remarks, subsets_without_pods_and_subsets_that_an_older_rule_defines_are_told) {
  const std::string v1 = "{name: v1, labels: {version: v1}}";
  EXPECT_EQ(
      said(destination("a", "{host: reviews, subsets: [" + v1 + "]}") +
           destination("b", "{host: reviews, subsets: [" + v1 + ", {name: v2, labels: {version: v2}}]}")),
      "DestinationRule b spec.subsets[0]: DestinationRule default/a is older and defines subset v1 of this "
      "host, which holds\n"
      "DestinationRule b spec.subsets[1].labels: subset v2 waits for pods: none of the service has "
      "version=v2; did you mean version=v1?\n");
}

TEST(Remarks, a_service_that_selects_nothing_and_one_for_outside_are_told_on_one_machine) {
  const std::string service =
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: {type: NodePort, "
      "selector: {app: review}, ports: [{port: 80}]}\n";
  EXPECT_EQ(
      said(service),
      "Service s spec.type: NodePort: nothing listens for it outside of the mesh on one machine; requests "
      "come in through the ingress gateway\n"
      "Service s spec.selector: waits for pods: none in namespace default has app=review; did you mean "
      "app=reviews?\n");
  EXPECT_EQ(said(service, Ground::kCluster), "");
}

TEST(Remarks, a_cluster_ip_that_no_pod_of_one_machine_reaches_is_told) {
  const auto service = [](const std::string& address) {
    return "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: {clusterIP: "
           "'" +
           address + "', selector: {app: reviews}, ports: [{port: 9080}]}\n";
  };
  for (const char* reached : {"None", "10.96.0.20", "10.111.255.255"}) EXPECT_EQ(said(service(reached)), "");
  for (const char* lost : {"10.43.7.7", "10.112.0.1", "10.244.0.9", "fd96::10"}) {
    EXPECT_EQ(
        said(service(lost)),
        "Service s spec.clusterIP: " + std::string(lost) +
            " is not in 10.96.0.0/12, where Services have their addresses on one machine: nothing that is "
            "sent to it arrives; remove it\n");
    EXPECT_EQ(said(service(lost), Ground::kCluster), "");
  }
}

TEST(Remarks, two_services_that_say_different_things_of_one_port_are_told_both) {
  const std::string told = said(
      "---\napiVersion: v1\nkind: Service\nmetadata: {name: another, namespace: default}\n"
      "spec: {selector: {app: reviews}, ports: [{port: 9080, name: tcp-x}]}\n"
      "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
      "metadata: {name: another-1, namespace: default, labels: {kubernetes.io/service-name: another}}\n"
      "addressType: IPv4\nports: [{name: tcp-x, port: 9080}]\n"
      "endpoints: [{addresses: [10.0.0.7], targetRef: {kind: Pod, name: reviews-v1-a}}]\n");
  EXPECT_NE(told.find("Service another spec.ports: Service "), std::string::npos) << told;
  EXPECT_NE(told.find("Service reviews spec.ports: Service "), std::string::npos) << told;
  EXPECT_NE(told.find("give both the same appProtocol"), std::string::npos) << told;
}

TEST(Remarks, what_sidecars_do_not_do_of_a_clusters_service_is_told) {
  auto affinity = [](api::Object& object) {
    if (object.name() == "reviews" && object.kind == kinds::service())
      object.body["spec"]["sessionAffinity"] = "ClientIP";
  };
  EXPECT_EQ(said("", Ground::kCluster, affinity),
            "Service reviews spec.sessionAffinity: ClientIP is not supported by weft yet: sidecars choose an "
            "endpoint for each request, and know no affinity\n");
}

TEST(Remarks, what_one_machine_accepts_and_does_not_do_of_a_deployment_is_told) {
  EXPECT_EQ(said(R"(
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: default}
spec:
  minReadySeconds: 5
  selector: {matchLabels: {app: d}}
  template:
    metadata:
      labels: {app: d}
      annotations:
        traffic.sidecar.istio.io/excludeOutboundPorts: "3306"
        sidecar.istio.io/proxyCPU: "1"
        proxy.istio.io/config: "concurrency: 1"
    spec: {nodeName: other, containers: [{name: main, image: x}]}
)"),
            "Deployment d spec.minReadySeconds: a pod counts as soon as it is ready\n"
            "Deployment d spec.template.metadata.annotations: sidecar.istio.io/proxyCPU has "
            "no effect on one machine; all sidecars are started alike there\n"
            "Deployment d spec.template.spec.nodeName: one machine is the only node, whatever its name\n");
}

TEST(Remarks, an_ingress_of_another_class_or_of_a_path_that_is_taken_is_told) {
  auto ingress = [](const std::string& name, const std::string& spec) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {" + spec +
           "rules: [{http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: reviews, port: "
           "{number: 9080}}}}]}}]}\n";
  };
  EXPECT_EQ(
      said(ingress("a", "") + ingress("b", "") + ingress("c", "ingressClassName: nginx, ")),
      "Ingress b spec.rules[0].http.paths[0].path: Ingress default/a is older and has this path of this "
      "host, which holds\n"
      "Ingress c spec.ingressClassName: Ingresses of class nginx are nobody's here; write istio, or leave it "
      "out\n");
}

TEST(Remarks, an_ingress_that_tells_another_controller_whom_to_let_in_hears_that_nobody_does_it) {
  EXPECT_EQ(
      said("---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, namespace: default, "
           "annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8, mine: x}}\nspec: "
           "{rules: [{http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: reviews, "
           "port: {number: 9080}}}}]}}]}\n"),
      "Ingress a metadata.annotations: nginx.ingress.kubernetes.io/whitelist-source-range is for another "
      "ingress controller, and nothing here does what it says\n");
}

TEST(Remarks, a_rule_that_its_gateway_does_not_see_or_whose_match_names_another_gateway_is_told) {
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: "
      "default}\nspec: "
      "{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: "
      "['*']}]}\n";
  const std::string route = "route: [{destination: {host: reviews}}]";
  EXPECT_EQ(
      said(gateway +
           rule("r", "{hosts: [a.example], gateways: [g], exportTo: ['.'], http: [{" + route + "}]}")),
      "VirtualService r spec.gateways[0]: exportTo keeps the rule in namespace default, where no pod of "
      "gateway default/g runs\n");
  EXPECT_EQ(
      said(gateway + rule("r",
                          "{hosts: [a.example], gateways: [g], http: [{match: [{gateways: [nothere, "
                          "g]}], " +
                              route + "}]}")),
      "VirtualService r spec.http[0].match[0].gateways[0]: no request comes by default/nothere: it is not "
      "among the rule's gateways, which are default/g\n");
}

TEST(Remarks, a_subset_that_is_kept_from_the_gateway_of_its_rule_is_told) {
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: "
      "default}\nspec: "
      "{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: "
      "['*']}]}\n";
  const auto subset = [](const std::string& more) {
    return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: "
           "default}\nspec: {host: reviews, " +
           more + "subsets: [{name: v1, labels: {app: reviews}}]}\n";
  };
  const std::string route = rule(
      "r",
      "{hosts: [a.example], gateways: [g], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}");
  EXPECT_EQ(said(gateway + subset("") + route), "");
  EXPECT_EQ(said(gateway + subset("exportTo: ['.'], ") + route),
            "VirtualService r spec.http[0].route[0].destination.subset: subset v1 of host "
            "reviews.default.svc.cluster.local is not there for gateway default/g: no DestinationRule that "
            "defines it is exported to namespace istio-system, where its pods run\n");
}

TEST(Remarks, a_host_that_no_server_of_the_rule_s_gateways_has_is_told_beside_one_that_is_served) {
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: "
      "default}\nspec: "
      "{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: "
      "[a.example]}]}\n";
  EXPECT_EQ(said(gateway + rule("r",
                                "{hosts: [z.example, a.example], gateways: [g], http: [{route: "
                                "[{destination: {host: reviews}}]}]}")),
            "VirtualService r spec.hosts[0]: no server of default/g has host z.example\n");
}

TEST(Remarks, an_annotation_that_keeps_a_service_from_others_is_told) {
  EXPECT_EQ(
      said("---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default, annotations: "
           "{networking.istio.io/exportTo: '.'}}\nspec: {selector: {app: reviews}, ports: [{port: 80}]}\n"),
      "Service s metadata.annotations: networking.istio.io/exportTo: . is not supported by weft yet: the "
      "Service is there for every namespace\n");
}

TEST(Remarks, two_gateways_of_the_gateway_api_that_one_machine_makes_one_are_told) {
  const auto gateway = [](const std::string& name, const std::string& listener) {
    return "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {gatewayClassName: istio, listeners: [{name: http, port: 80, "
           "protocol: "
           "HTTP" +
           listener + "}]}\n";
  };
  const std::string ours =
      "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: istio}\nspec: "
      "{controllerName: istio.io/gateway-controller}\n";
  EXPECT_EQ(said(ours + gateway("a", ", hostname: a.example") + gateway("b", ", hostname: b.example")), "");
  EXPECT_EQ(said(ours + gateway("a", "") + gateway("b", "")),
            "Gateway b spec.listeners[0]: one machine has one gateway for all Gateways: Gateway default/a is "
            "older and has this port and host, and of equal matches its routes hold\n");
}

TEST(Remarks, a_wish_for_injection_that_is_neither_true_nor_false_is_told) {
  const auto pod = [](const std::string& metadata) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default, " + metadata +
           "}\nspec: {containers: [{name: a, image: a}]}\n";
  };
  EXPECT_EQ(
      said(pod("labels: {sidecar.istio.io/inject: 'false'}, annotations: {sidecar.istio.io/inject: 'no'}")),
      "");
  EXPECT_EQ(
      said(pod("annotations: {sidecar.istio.io/inject: 'no'}")),
      "Pod p metadata.annotations: sidecar.istio.io/inject: \"no\" is neither true nor false, and is taken "
      "as not set: the pod gets a sidecar\n");
}

TEST(Remarks, of_two_services_with_one_address_the_younger_is_told) {
  const auto service = [](const std::string& name) {
    return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {clusterIP: 10.96.7.7, ports: [{port: 80}], selector: {app: "
           "reviews}}\n";
  };
  EXPECT_EQ(
      said(service("a") + service("b")),
      "Service b spec.clusterIP: 10.96.7.7 is the address of Service default/a, which is older and has it\n");
}

TEST(Remarks, what_no_proxy_would_accept_of_a_stored_rule_is_told_with_its_field) {
  auto discount = [](api::Object& object) {
    if (object.kind == kinds::virtual_service())
      object.body["spec"]["http"][0]["headers"]["request"]["set"]["x-discount"] = "100%";
  };
  const std::string text =
      said(rule("r", "{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}"),
           Ground::kCluster, discount);
  EXPECT_TRUE(
      text.starts_with("VirtualService r spec.http[0].headers.request.set.x-discount: no proxy accepts it: "))
      << text;
}

TEST(Remarks, what_came_past_validation_is_told_with_its_field) {
  auto mirror = [](api::Object& object) {
    if (object.kind == kinds::virtual_service())
      object.body["spec"]["http"][0]["mirror"] = {{"host", "reviews"}};
  };
  EXPECT_EQ(said(rule("r", "{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}"),
                 Ground::kCluster, mirror),
            "VirtualService r spec.http[0].mirror: mirror is not supported by weft yet; remove it; the "
            "route itself works without\n");
}

TEST(Remarks, are_told_to_whoever_asks_with_object_field_and_sort) {
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(
      1,
      testing::objects(std::string(kShop) +
                       rule("r", "{hosts: [review], http: [{route: [{destination: {host: reviews}}]}]}")))));
  const api::Json told = remarks_json(all_remarks(push, Ground::kOneMachine));
  ASSERT_EQ(told["remarks"].size(), 1u);
  const api::Json& one = told["remarks"][0];
  EXPECT_EQ(one["kind"], "VirtualService");
  EXPECT_EQ(one["group"], "networking.istio.io");
  EXPECT_EQ(one["namespace"], "default");
  EXPECT_EQ(one["name"], "r");
  EXPECT_EQ(one["remark"], "Waiting");
  EXPECT_EQ(one["field"], "spec.hosts[0]");
}

/// What is said of an object when it is about to be stored beside the others; the longer a name, the younger.
std::string said_on_write(const std::string& before, const std::string& object) {
  std::vector<api::ObjectPtr> stored;
  for (const auto& each : testing::objects(std::string(kShop) + before)) {
    auto made = std::make_shared<api::Object>(*each);
    made->body["metadata"]["creationTimestamp"] =
        "2026-01-0" + std::to_string(each->name().size()) + "T00:00:00Z";
    stored.push_back(std::move(made));
  }
  const PushContext push(std::make_shared<const ObjectSnapshot>(ObjectSnapshot::of(1, std::move(stored))));
  std::string text;
  for (const Remark& each : remarks_on_write(push, testing::objects(object).front(), Ground::kCluster))
    text += each.field + ": " + each.text + "\n";
  return text;
}

TEST(Remarks, a_rule_that_is_about_to_be_stored_is_told_what_it_will_wait_for) {
  const std::string to_v2 =
      rule("r", "{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v2}}]}]}");
  EXPECT_NE(said_on_write("", to_v2).find("spec.http[0].route[0].destination.subset: waits for subset v2"),
            std::string::npos)
      << said_on_write("", to_v2);
  const std::string defined =
      destination("d", "{host: reviews, subsets: [{name: v2, labels: {version: v1}}]}");
  EXPECT_EQ(said_on_write(defined, to_v2), "");
  EXPECT_NE(said_on_write("", destination("d", "{host: reviws}")).find("did you mean reviews?"),
            std::string::npos);
  const std::string gateway =
      "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\n"
      "spec: {selector: {app: nobody}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: "
      "['*']}]}\n";
  EXPECT_NE(said_on_write("", gateway), "");
}

TEST(Remarks, a_rule_that_is_about_to_be_changed_is_told_by_what_it_will_be) {
  const std::string bad = rule("r", "{hosts: [reviews], http: [{route: [{destination: {host: nobody}}]}]}");
  const std::string good = rule("r", "{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}");
  EXPECT_EQ(said_on_write(bad, good), "");
  EXPECT_NE(said_on_write(good, bad).find("waits for host nobody"), std::string::npos);
}

TEST(Remarks,
     a_rule_that_is_about_to_be_stored_is_the_youngest_and_one_that_is_changed_stays_as_old_as_it_is) {
  const std::string spec = "{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}";
  EXPECT_NE(said_on_write(rule("b", spec), rule("a", spec)).find("default/b is older and has this host"),
            std::string::npos);
  const std::string two = rule("b", spec) + rule("cc", spec);
  EXPECT_EQ(said_on_write(two, rule("b", spec)), "");
  EXPECT_NE(said_on_write(two, rule("cc", spec)).find("default/b is older"), std::string::npos);
}

TEST(Remarks, in_a_mesh_of_very_many_rules_a_write_is_told_by_its_status_alone) {
  std::string many;
  for (int i = 0; i <= 1000; ++i) many += destination("d" + std::to_string(i), "{host: h.example}");
  EXPECT_EQ(said_on_write(many, destination("d", "{host: reviws}")), "");
}

}  // namespace
}  // namespace weft::control
