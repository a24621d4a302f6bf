#include <gtest/gtest.h>

#include "api/admit.h"
#include "api/parse.h"

namespace weft::api {
namespace {

/// What is wrong with a spec of the kind, the file and the line left off; "none" when nothing is.
std::string wrong(std::string_view kind, std::string_view api_version, std::string_view rest) {
  std::string text = "apiVersion: " + std::string(api_version) + "\nkind: " + std::string(kind) +
                     "\nmetadata: {name: a}\n" + std::string(rest) + "\n";
  Parsed parsed = parse_objects(text, "f");
  std::string found;
  for (Problem& problem : parsed.problems)
    found += (found.empty() ? "" : " | ") + problem.field + ": " + problem.text;
  EXPECT_EQ(parsed.objects.size(), parsed.problems.empty() ? 1u : 0u) << text;
  return found.empty() ? "none" : found;
}

struct Row {
  const char* spec;
  const char* problem;
};

void expect_all(std::string_view kind, std::string_view api_version, std::span<const Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(wrong(kind, api_version, row.spec), row.problem) << row.spec;
}

TEST(Rules, services) {
  const Row rows[] = {
      {"spec: {ports: [{port: 80}]}", "none"},
      {"spec: {ports: [{port: 80, targetPort: web}], clusterIP: None}", "none"},
      {"spec: {clusterIP: None}", "none"},
      {"spec: {}", "spec.ports: is required: at least one port"},
      {"spec: {ports: [{port: 80}, {port: 81, name: b}]}",
       "spec.ports[0].name: is required when there are several ports"},
      {"spec: {ports: [{port: 80, name: b}, {port: 81, name: b}]}",
       "spec.ports[1].name: \"b\": this port's name is there twice"},
      {"spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}",
       "spec.ports[1].port: \"80\": this port is there twice"},
      {"spec: {ports: [{port: 0}]}", "spec.ports[0].port: 0: must be from 1 to 65535"},
      {"spec: {ports: [{port: 80, protocol: UDP}]}",
       "spec.ports[0].protocol: UDP is not supported by weft yet; the mesh carries TCP; remove this port"},
      {"spec: {ports: [{port: 80, protocol: http}]}", "spec.ports[0].protocol: \"http\": must be TCP"},
      {"spec: {ports: [{port: 80, targetPort: \"80\"}]}",
       "spec.ports[0].targetPort: \"80\": must be a number without quotes, or a port's name"},
      {"spec: {ports: [{port: 80}], clusterIP: 10.0.0}",
       "spec.clusterIP: \"10.0.0\": must be an IP address such as 10.0.0.1, or None"},
      {"spec: {ports: [{port: 80}], type: ExternalName}",
       "spec.type: ExternalName is not supported by weft yet; name the external host where it is used"},
      {"spec: {ports: [{port: 80}], selector: {app: 1}}",
       "spec.selector.app: must be a text (write \"1\"), and is 1"},
      {"spec: {ports: {port: 80}}", "spec.ports: must be a list, and is a map"},
      {"spec: [1]", "spec: must be a map, and is a list"},
      {"", "spec: is required"},
  };
  expect_all("Service", "v1", rows);
}

constexpr const char* kPodStart =
    "spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: web}]";

TEST(Rules, pods) {
  const Row rows[] = {
      {"}]}", "none"},
      {", readinessProbe: {httpGet: {port: web}}, env: [{name: A, value: \"1\"}]}]}", "none"},
      {", volumeMounts: [{name: t, mountPath: /t}]}], volumes: [{name: t, emptyDir: {}}]}", "none"},
      {"}, {name: c, image: i}]}", "spec.containers[1].name: \"c\": this container's name is there twice"},
      {", volumeMounts: [{name: t, mountPath: /t}]}]}",
       "spec.containers[0].volumeMounts[0].name: \"t\": must be the name of one of the pod's volumes"},
      {"}], volumes: [{name: t}]}", "spec.volumes[0]: needs a source: write emptyDir: {}"},
      {"}], volumes: [{name: t, hostPath: {path: /}}]}",
       "spec.volumes[0].hostPath: hostPath is not supported by weft yet; use emptyDir"},
      {", readinessProbe: {httpGet: {port: webb}}}]}",
       "spec.containers[0].readinessProbe.httpGet.port: \"webb\": must be the name of a port of this "
       "container"},
      {", readinessProbe: {httpGet: {port: 0}}}]}",
       "spec.containers[0].readinessProbe.httpGet.port: 0: must be from 1 to 65535"},
      {", livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}}]}",
       "spec.containers[0].livenessProbe.successThreshold: 2: must be 1 here"},
      {", livenessProbe: {tcpSocket: {port: 80}, exec: {command: [a]}}}]}",
       "spec.containers[0].livenessProbe: only one of httpGet, tcpSocket and exec may be given"},
      {", livenessProbe: {periodSeconds: 5}}]}",
       "spec.containers[0].livenessProbe: one of httpGet, tcpSocket and exec is required"},
      {", env: [{name: A, value: 1}]}]}",
       "spec.containers[0].env[0].value: must be a text (write \"1\"), and is 1"},
      {", env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]}]}",
       "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: \"status.phase\": must be metadata.name, "
       "metadata.namespace, metadata.uid, metadata.labels['key'], metadata.annotations['key'], "
       "spec.nodeName, "
       "spec.serviceAccountName, status.podIP or status.hostIP"},
      {", resources: {limits: {cpu: lots}}}]}",
       "spec.containers[0].resources.limits.cpu: \"lots\": must be a quantity such as 100m, 0.5, 128Mi or "
       "1Gi"},
      {", imagePullPolicy: Sometimes}]}",
       "spec.containers[0].imagePullPolicy: \"Sometimes\": must be one of Always, IfNotPresent, Never"},
      {"}], hostNetwork: true}",
       "spec.hostNetwork: hostNetwork is not supported by weft yet; remove it; each pod has namespaces of "
       "its own"},
      {", comand: [a]}]}", "spec.containers[0].comand: unknown field; did you mean \"command\"?"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(wrong("Pod", "v1", kPodStart + std::string(row.spec)), row.problem) << row.spec;
}

TEST(Rules, deployments) {
  const std::string pod =
      "template: {metadata: {labels: {app: a, v: w}}, spec: {containers: [{name: c, image: i}]}}";
  const Row rows[] = {
      {"selector: {matchLabels: {app: a}}", "none"},
      {"selector: {matchExpressions: [{key: v, operator: In, values: [w, x]}]}", "none"},
      {"replicas: 1", "spec.selector: is required"},
      {"selector: {}", "spec.selector: must have matchLabels or matchExpressions"},
      {"selector: {matchLabels: {app: b}}",
       "spec.selector: must match the template's labels, which are {\"app\":\"a\",\"v\":\"w\"}"},
      {"selector: {matchExpressions: [{key: v, operator: In}]}",
       "spec.selector: label selector: operator In needs values"},
      {"selector: {matchLabels: {app: a}}, replicas: -1", "spec.replicas: -1: must be from 0 to 1000"},
      {"selector: {matchLabels: {app: a}}, replicas: 1.5",
       "spec.replicas: must be a whole number, and is 1.5"},
      {"selector: {matchLabels: {app: a}}, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}",
       "spec.strategy.rollingUpdate.maxUnavailable: may not be 0 when maxSurge is 0 too: nothing could be "
       "replaced"},
      {"selector: {matchLabels: {app: a}}, strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}",
       "spec.strategy.rollingUpdate: may not be given with type Recreate; remove it"},
      {"selector: {matchLabels: {app: a}}, strategy: {rollingUpdate: {maxSurge: some}}",
       "spec.strategy.rollingUpdate.maxSurge: \"some\": must be a number without quotes, or a percentage "
       "such as 25%"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(wrong("Deployment", "apps/v1", "spec: {" + pod + ", " + row.spec + "}"), row.problem)
        << row.spec;
  EXPECT_EQ(wrong("Deployment", "apps/v1",
                  "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
                  "{restartPolicy: "
                  "Never, containers: []}}}"),
            "spec.template.spec.containers: must have at least one container | "
            "spec.template.spec.restartPolicy: \"Never\": must be Always here");
}

TEST(Rules, virtual_services) {
  const char* to = "route: [{destination: {host: a}}]";
  const Row rows[] = {
      {"hosts: [a], http: [{TO}]", "none"},
      {"hosts: ['*'], gateways: [g], http: [{TO}]", "none"},
      {"hosts: [a.b], gateways: [g, mesh, ns/g], http: [{TO, match: [{uri: {regex: '/a.*'}, gateways: "
       "[mesh]}]}]",
       "none"},
      {"hosts: [a], http: [{TO, match: [{headers: {end-user: {exact: jason}, x: {}}}], timeout: 0s}]",
       "none"},
      {"hosts: [a], tcp: [{TO}]", "none"},
      {"hosts: [a], http: [{directResponse: {status: 200, body: {string: hi}}}]", "none"},
      {"hosts: [a], http: [{match: [{method: {exact: GET}}, {method: {exact: CONNECT}}], directResponse: "
       "{status: "
       "200}}]",
       "spec.http[0].match[1].method.exact: \"CONNECT\": is not routed by weft: the response is 404; match "
       "another "
       "method"},
      {"hosts: [a], http: [{route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: "
       "1}]}]",
       "none"},
      {"hosts: [a], http: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]",
       "spec.http[0].route: the weights add up to 0; give at least one destination a weight"},
      {"hosts: [a], http: [{route: [{destination: {host: a}, weight: -1}]}]",
       "spec.http[0].route[0].weight: -1: must be from 0 to 2147483647"},
      {"http: [{TO}]", "spec.hosts: must have at least one host"},
      {"hosts: [], http: [{TO}]", "spec.hosts: must have at least one host"},
      {"hosts: [a, A], http: [{TO}]", "spec.hosts[1]: \"a\": this host is there twice"},
      {"hosts: [a b], http: [{TO}]",
       "spec.hosts[0]: \"a b\": must be a host name, * or a name that begins with *."},
      {"hosts: ['*'], http: [{TO}]",
       "spec.hosts[0]: \"*\" may stand only where all gateways are named and mesh is none of them"},
      {"hosts: [a]", "spec: needs http or tcp routes"},
      {"hosts: [a], http: [{name: x}]", "spec.http[0]: needs a route, a redirect or a directResponse"},
      {"hosts: [a], http: [{TO, redirect: {uri: /}}]",
       "spec.http[0]: only one of route, redirect and directResponse may be given"},
      {"hosts: [a], http: [{redirect: {redirectCode: 305, uri: /}}]",
       "spec.http[0].redirect.redirectCode: 305: must be 301, 302, 303, 307 or 308"},
      {"hosts: [a], http: [{redirect: {}}]",
       "spec.http[0].redirect: must change the uri, authority, scheme or port"},
      {"hosts: [a], http: [{TO, rewrite: {}}]", "spec.http[0].rewrite: must have a uri or an authority"},
      {"hosts: [a], http: [{TO, match: [{uri: {regex: '(a'}}]}]",
       "spec.http[0].match[0].uri.regex: \"(a\": must be an RE2 regular expression: missing ): (a"},
      {"hosts: [a], http: [{TO, match: [{uri: {regex: ''}}]}]",
       "spec.http[0].match[0].uri.regex: \"\": must not be empty"},
      {"hosts: [a], http: [{TO, match: [{headers: {x: {regex: ''}}}]}]",
       "spec.http[0].match[0].headers.x.regex: \"\": must not be empty"},
      {"hosts: [a], http: [{TO, match: [{uri: {exact: /, prefix: /}}]}]",
       "spec.http[0].match[0].uri: only one of exact, prefix and regex may be given"},
      {"hosts: [a], http: [{TO, match: [{uri: {}}]}]",
       "spec.http[0].match[0].uri: one of exact, prefix and regex is required"},
      {"hosts: [a], http: [{TO, match: [{uri: /a}]}]",
       "spec.http[0].match[0].uri: must be a map, and is \"/a\""},
      {"hosts: [a], http: [{TO, timeout: 5}]",
       "spec.http[0].timeout: must be a text (write \"5\"), and is 5"},
      {"hosts: [a], http: [{TO, timeout: 5 s}]",
       "spec.http[0].timeout: \"5 s\": must be a duration such as 1.5s, 300ms or 1h2m"},
      {"hosts: [a], http: [{TO, timeout: -1s}]",
       "spec.http[0].timeout: \"-1s\": must be a duration such as 1.5s, 300ms or 1h2m"},
      {"hosts: [a], http: [{TO, retries: {attempts: 2, retryOn: '5xx,503,resett'}}]",
       "spec.http[0].retries.retryOn: \"resett\": must be a retry condition such as 5xx, reset or 503; did "
       "you mean "
       "\"reset\"?"},
      {"hosts: [a], http: [{TO, retries: {attempts: 0, perTryTimeout: 1s}}]",
       "spec.http[0].retries.attempts: 0 turns retries off; remove what else is said of them, or allow "
       "attempts"},
      {"hosts: [a], http: [{TO, retries: {attempts: 0, backoff: 1s}}]",
       "spec.http[0].retries.attempts: 0 turns retries off; remove what else is said of them, or allow "
       "attempts"},
      {"hosts: [a], http: [{TO, retries: {retryOn: 5xx}}]",
       "spec.http[0].retries: without attempts retries are off; add attempts, or remove what else is said of "
       "them"},
      {"hosts: [a], http: [{TO, retries: {}}]", "none"},
      {"hosts: [a], http: [{TO, fault: {abort: {httpStatus: 500, percentage: {value: 0.1}}}}]", "none"},
      {"hosts: [a], http: [{TO, fault: {delay: {fixedDelay: 7s, percent: 50}, abort: {httpStatus: 555, "
       "percentage: {value: 1}}}}]",
       "none"},
      {"hosts: [a], http: [{TO, fault: {}}]", "spec.http[0].fault: must have a delay, an abort, or both"},
      {"hosts: [a], http: [{TO, fault: {abort: {httpStatus: 600}}}]",
       "spec.http[0].fault.abort.httpStatus: 600: must be from 200 to 599"},
      {"hosts: [a], http: [{TO, fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}}}]", "none"},
      {"hosts: [a], http: [{TO, fault: {abort: {grpcStatus: '14'}}}]",
       "spec.http[0].fault.abort.grpcStatus: \"14\": must be the name of a gRPC status, such as UNAVAILABLE "
       "or "
       "NOT_FOUND"},
      {"hosts: [a], http: [{TO, fault: {abort: {grpcStatus: UNAVAILABLE, httpStatus: 503}}}]",
       "spec.http[0].fault.abort: only one of httpStatus and grpcStatus may be given"},
      {"hosts: [a], http: [{TO, fault: {abort: {percentage: {value: 1}}}}]",
       "spec.http[0].fault.abort: one of httpStatus and grpcStatus is required"},
      {"hosts: [a], http: [{TO, fault: {delay: {fixedDelay: 0s}}}]",
       "spec.http[0].fault.delay.fixedDelay: \"0s\": must be longer than zero"},
      {"hosts: [a], http: [{TO, fault: {delay: {fixedDelay: 1s, percentage: {value: 100.5}}}}]",
       "spec.http[0].fault.delay.percentage.value: 100.5: must be from 0 to 100"},
      {"hosts: [a], http: [{TO, fault: {delay: {fixedDelay: 1s, percent: 1, percentage: {value: 1}}}}]",
       "spec.http[0].fault.delay.percent: only one of percentage and its older form, percent, may be given"},
      {"hosts: [a], http: [{TO}], exportTo: [ns]",
       "spec.exportTo[0]: \"ns\": must be \"*\" or \".\"; weft does not export to single namespaces yet"},
      {"hosts: [a], http: [{TO}], tls: [{}]",
       "spec.tls: tls is not supported by weft yet; route by tcp; TLS pass-through comes later"},
      {"hosts: [a], htp: [{TO}]", "spec.htp: unknown field; did you mean \"http\"?"},
      {"hosts: [a], http: [{TO, match: [{headers: {'a b': {exact: c}}}]}]",
       "spec.http[0].match[0].headers[\"a b\"]: this key must be a header's name, or :authority, :method, "
       ":path or :scheme"},
  };
  for (Row row : rows) {
    std::string spec = row.spec;
    if (auto at = spec.find("TO"); at != spec.npos) spec.replace(at, 2, to);
    for (const char* version : {"v1", "v1beta1", "v1alpha3"})
      EXPECT_EQ(
          wrong("VirtualService", std::string("networking.istio.io/") + version, "spec: {" + spec + "}"),
          row.problem)
          << spec;
  }
}

TEST(Rules, destination_rules) {
  const Row rows[] = {
      {"spec: {host: a, subsets: [{name: v1, labels: {version: v1}}]}", "none"},
      {"spec: {host: a, trafficPolicy: {loadBalancer: {simple: RANDOM}, tls: {mode: DISABLE}}}", "none"},
      {"spec: {host: a, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1, connectTimeout: 1s}, http: "
       "{http1MaxPendingRequests: 1, http2MaxRequests: 5, maxRequestsPerConnection: 1, maxRetries: 1, "
       "idleTimeout: 5s}}}}",
       "none"},
      {"spec: {host: a, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE, "
       "useClientProtocol: true, maxConcurrentStreams: 1}}}}",
       "none"},
      {"spec: {host: a, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: ALWAYS}}}}",
       "spec.trafficPolicy.connectionPool.http.h2UpgradePolicy: \"ALWAYS\": must be one of DEFAULT, "
       "DO_NOT_UPGRADE, UPGRADE"},
      {"spec: {host: a, trafficPolicy: {connectionPool: {http: {maxConcurrentStreams: 0}}}}",
       "spec.trafficPolicy.connectionPool.http.maxConcurrentStreams: 0: must be from 1 to 2147483647"},
      {"spec: {subsets: []}", "spec.host: is required"},
      {"spec: {host: a, subsets: [{name: v1}, {name: v1}]}",
       "spec.subsets[1].name: \"v1\": this subset's name is there twice"},
      {"spec: {host: a, trafficPolicy: {loadBalancer: {}}}",
       "spec.trafficPolicy.loadBalancer: must have simple, such as simple: LEAST_REQUEST"},
      {"spec: {host: a, trafficPolicy: {loadBalancer: {simple: ROUNDROBIN}}}",
       "spec.trafficPolicy.loadBalancer.simple: \"ROUNDROBIN\": must be one of ROUND_ROBIN, LEAST_REQUEST, "
       "LEAST_CONN, "
       "RANDOM, PASSTHROUGH, UNSPECIFIED"},
      {"spec: {host: a, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}",
       "spec.trafficPolicy.tls.mode: ISTIO_MUTUAL is not supported by weft yet; certificates come later; "
       "write DISABLE or "
       "remove tls"},
      {"spec: {host: a, trafficPolicy: {outlierDetection: {interval: 1s}}}",
       "spec.trafficPolicy.outlierDetection: outlierDetection is not supported by weft yet; remove it; "
       "ejection comes later"},
      {"spec: {host: a, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 0s}}}}",
       "spec.trafficPolicy.connectionPool.tcp.connectTimeout: \"0s\": must be longer than zero"},
  };
  expect_all("DestinationRule", "networking.istio.io/v1", rows);
}

TEST(Rules, gateways) {
  const Row rows[] = {
      {"spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, "
       "hosts: ['*']}]}",
       "none"},
      {"spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [ns/a.b, ./c, '*/*']}]}",
       "none"},
      {"spec: {servers: []}", "spec.servers: must have at least one server"},
      {"spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: []}]}",
       "spec.servers[0].hosts: must have at least one host"},
      {"spec: {servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a]}, {port: {number: 80, "
       "name: h, protocol: "
       "TCP}, hosts: [b]}]}",
       "spec.servers[1].port.name: \"h\": this port's name is there twice | spec.servers[1].port.protocol: "
       "\"TCP\": port 80 "
       "is HTTP in another server"},
      {"spec: {servers: [{port: {number: 443, name: h, protocol: HTTPS}, hosts: [a], tls: {mode: SIMPLE}}]}",
       "spec.servers[0].port.protocol: HTTPS is not supported by weft yet; write HTTP, HTTP2, GRPC, "
       "GRPC-WEB or TCP | "
       "spec.servers[0].tls: tls is "
       "not supported by weft yet; certificates come later; serve HTTP"},
  };
  expect_all("Gateway", "networking.istio.io/v1", rows);
}

TEST(Rules, ingresses_endpoint_slices_and_maps) {
  const char* backend = "backend: {service: {name: s, port: {number: 80}}}";
  std::string prefix = std::string("spec: {rules: [{http: {paths: [{") + backend;
  EXPECT_EQ(wrong("Ingress", "networking.k8s.io/v1", prefix + ", path: /, pathType: Prefix}]}}]}"), "none");
  EXPECT_EQ(wrong("Ingress", "networking.k8s.io/v1", prefix + ", pathType: Exact}]}}]}"),
            "spec.rules[0].http.paths[0].path: is required with pathType Exact");
  EXPECT_EQ(wrong("Ingress", "networking.k8s.io/v1", prefix + ", path: /}]}}]}"),
            "spec.rules[0].http.paths[0].pathType: is required");
  EXPECT_EQ(wrong("Ingress", "networking.k8s.io/v1", "spec: {}"),
            "spec.rules: rules or a defaultBackend is required");
  EXPECT_EQ(
      wrong("Ingress", "networking.k8s.io/v1", "spec: {rules: [{http: {paths: []}}], tls: [{hosts: [a]}]}"),
      "spec.tls: tls is not supported by weft yet; certificates come later; serve HTTP");
  EXPECT_EQ(wrong("EndpointSlice", "discovery.k8s.io/v1",
                  "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1, '::1']}]"),
            "endpoints[0].addresses[1]: \"::1\": must be an address of type IPv4");
  EXPECT_EQ(wrong("ConfigMap", "v1", "data: {a b: c}"),
            "data[\"a b\"]: this key must be a key: letters, digits, '-', '_' and '.', at most 253");
  EXPECT_EQ(wrong("ConfigMap", "v1", "data: {a: \"" + std::string(1 << 20, 'x') + "\"}"),
            ": 1048577 bytes of data; at most 1048576 may be kept in one object");
  EXPECT_EQ(wrong("Secret", "v1", "data: {a: '?'}"),
            "data.a: \"?\": must be base64; plain texts go to stringData");
}

TEST(Rules, names_labels_and_kinds) {
  auto first = [](std::string_view text) {
    auto found = parse_objects(text, "f").problems;
    return found.empty() ? std::string("none") : found[0].to_string();
  };
  EXPECT_EQ(first("apiVersion: v1\nkind: Service\nmetadata: {name: 1a}\nspec: {ports: [{port: 1}]}"),
            "f:3: metadata.name: \"1a\": must be a DNS label that begins with a letter: lower-case letters, "
            "digits and '-', "
            "at most 63");
  EXPECT_EQ(first("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_b}"),
            "f:3: metadata.name: \"A_b\": must be a DNS name: lower-case letters, digits, '-' and '.', at "
            "most 253, a letter "
            "or digit at both ends");
  EXPECT_EQ(first("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}"),
            "f:3: metadata.namespace: a Namespace is in no namespace; remove it");
  EXPECT_EQ(
      first(
          "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    app.kubernetes.io/x: a b\n"),
      "f:6: metadata.labels[\"app.kubernetes.io/x\"]: \"a b\": must be empty or letters, digits, '-', '_' "
      "and '.', at "
      "most 63, a letter or digit at both ends");
  EXPECT_EQ(first("apiVersion: v2\nkind: Service\nmetadata: {name: a}"),
            "f:1: apiVersion: \"v2\": weft does not know this version of Service; write v1");
  EXPECT_EQ(first("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}"),
            "f:2: kind: StatefulSet is not supported by weft yet; remove the object");
  EXPECT_EQ(first("kind: Service"), "f:1: apiVersion: is required");
  EXPECT_EQ(first("- a"), "f:1: must be a map with apiVersion, kind and metadata, and is a list");
  EXPECT_EQ(first("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-, name: a}"),
            "f:3: metadata.generateName: generateName is not supported by weft yet; give the object a name");
}

/// One HTTP route of a VirtualService, and what is wrong with it.
std::string wrong_http(const std::string& http) {
  return wrong("VirtualService", "networking.istio.io/v1", "spec: {hosts: [a], http: [" + http + "]}");
}

TEST(Rules, texts_that_would_break_a_message_are_named_where_they_enter) {
  const std::string to = "route: [{destination: {host: a}}]";
  const std::string line =
      ": must be one line without control characters; in YAML write >- in place of | or >";
  const std::string ascii =
      ": must be a path without spaces, control characters and letters beyond ASCII; write those as %20 and "
      "the "
      "like";
  const std::string host = ": must be a host, perhaps with a port, such as reviews:9080";
  EXPECT_EQ(wrong_http("{" + to + ", headers: {request: {set: {x: \"a\\nb\"}}}}"),
            "spec.http[0].headers.request.set.x: \"a\\nb\"" + line);
  EXPECT_EQ(wrong_http("{" + to + ", headers: {response: {add: {x: \"a\\r\\nb: c\"}}}}"),
            "spec.http[0].headers.response.add.x: \"a\\r\\nb: c\"" + line);
  EXPECT_EQ(wrong_http("{" + to + ", headers: {request: {set: {x: \"a\\tb\"}}}}"), "none");
  EXPECT_EQ(wrong_http("{" + to + ", rewrite: {uri: /a b}}"), "spec.http[0].rewrite.uri: \"/a b\"" + ascii);
  EXPECT_EQ(wrong_http("{" + to + ", rewrite: {uri: a}}"),
            "spec.http[0].rewrite.uri: \"a\": must begin with /");
  EXPECT_EQ(wrong_http("{" + to + ", rewrite: {uri: '/a#b'}}"),
            "spec.http[0].rewrite.uri: \"/a#b\": must not have a fragment (#)");
  EXPECT_EQ(wrong_http("{" + to + ", rewrite: {authority: 'a b'}}"),
            "spec.http[0].rewrite.authority: \"a b\"" + host);
  EXPECT_EQ(wrong_http("{redirect: {uri: '/a#b', authority: 'a:80'}}"), "none");
  EXPECT_EQ(wrong_http("{redirect: {uri: \"/a\\n\"}}"), "spec.http[0].redirect.uri: \"/a\\n\"" + ascii);
  EXPECT_EQ(wrong_http("{redirect: {authority: \"a\\r\\nb\"}}"),
            "spec.http[0].redirect.authority: \"a\\r\\nb\"" + host);
}

TEST(Rules, the_host_of_a_request_can_be_set_and_nothing_else_be_done_with_it) {
  const std::string to = "route: [{destination: {host: a}}]";
  const std::string only_set = ": the host can only be set: write it under set";
  const std::string nowhere = ": the host can only be set in requests that go to a destination";
  EXPECT_EQ(wrong_http("{" + to + ", headers: {request: {set: {Host: b}}}}"), "none");
  EXPECT_EQ(wrong_http(
                "{route: [{destination: {host: a}, weight: 1, headers: {request: {set: {':authority': b}}}}, "
                "{destination: {host: b}, weight: 1}]}"),
            "none");
  EXPECT_EQ(wrong_http("{" + to + ", headers: {request: {add: {host: b}}}}"),
            "spec.http[0].headers.request.add.host" + only_set);
  EXPECT_EQ(wrong_http("{" + to + ", headers: {request: {remove: [Host]}}}"),
            "spec.http[0].headers.request.remove[0]" + only_set);
  EXPECT_EQ(wrong_http("{" + to + ", headers: {response: {set: {host: b}}}}"),
            "spec.http[0].headers.response.set.host" + nowhere);
  EXPECT_EQ(wrong_http("{redirect: {uri: /}, headers: {request: {set: {host: b}}}}"),
            "spec.http[0].headers.request: needs a route; a redirect and a directResponse send the request "
            "nowhere");
  EXPECT_EQ(
      wrong_http("{" + to + ", headers: {request: {set: {':path': /b}}}}"),
      "spec.http[0].headers.request.set[\":path\"]: this key is not a header that can be changed; write "
      ":authority or host for the host, and rewrite.uri for the path");
}

TEST(Rules, sums_and_sizes_that_no_proxy_takes) {
  EXPECT_EQ(
      wrong_http("{route: [{destination: {host: a}, weight: 2147483647}, {destination: {host: b}, weight: "
                 "2147483647}, {destination: {host: c}, weight: 2}]}"),
      "spec.http[0].route: the weights add up to 4294967296; their sum may be at most 4294967295: divide "
      "them all");
  Json direct = {{"status", 200}};
  direct["body"]["string"] = std::string((1 << 20) + 1, 'a');
  Json http = {{"directResponse", direct}};
  Json body = {
      {"apiVersion", "networking.istio.io/v1"}, {"kind", "VirtualService"}, {"metadata", {{"name", "a"}}}};
  body["spec"] = {{"hosts", Json::array({"a"})}, {"http", Json::array({http})}};
  const auto admitted = admit(body);
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().text,
            "spec.http[0].directResponse.body: 1048577 bytes; a response of a rule may have at most 1048576");
}

TEST(Rules, retry_conditions_without_effect_are_named) {
  const std::string to = "route: [{destination: {host: a}}]";
  EXPECT_EQ(wrong_http("{" + to +
                       ", retries: {attempts: 2, retryOn: 'gateway-error,connect-failure,refused-stream'}}"),
            "none");
  EXPECT_EQ(wrong_http("{" + to + ", retries: {attempts: 2, retryOn: '5xx,retriable-headers'}}"),
            "spec.http[0].retries.retryOn: retriable-headers is not supported by weft yet; remove it");
}

TEST(Rules, what_acts_on_requests_that_go_to_a_destination_needs_a_route) {
  for (const std::string action : {"redirect: {uri: /a}", "directResponse: {status: 200}"}) {
    const std::string start = "{" + action + ", ";
    const std::string needs = ": needs a route; a redirect and a directResponse send the request nowhere";
    EXPECT_EQ(wrong_http(start + "timeout: 1s}"), "spec.http[0].timeout" + needs);
    EXPECT_EQ(wrong_http(start + "retries: {attempts: 0}}"), "spec.http[0].retries" + needs);
    EXPECT_EQ(wrong_http(start + "rewrite: {authority: a}}"),
              "spec.http[0].rewrite: needs a route; a redirect has its own uri");
    EXPECT_EQ(wrong_http(start + "headers: {request: {set: {x: b}}}}"),
              "spec.http[0].headers.request" + needs);
    EXPECT_EQ(wrong_http(start + "headers: {request: {remove: [host]}}}"),
              "spec.http[0].headers.request" + needs);
    // These act, or say nothing.
    EXPECT_EQ(wrong_http(start + "headers: {request: {add: {}}, response: {set: {x: b}}}}"), "none");
    EXPECT_EQ(wrong_http(start + "fault: {delay: {fixedDelay: 1s, percentage: {value: 1}}}}"), "none");
  }
}

TEST(Rules, what_is_not_supported_and_acts_though_it_is_empty_is_named) {
  const struct {
    const char* policy;
    const char* field;
  } rows[] = {{"outlierDetection: {}", "outlierDetection"},
              {"connectionPool: {tcp: {tcpKeepalive: {}}}", "connectionPool.tcp.tcpKeepalive"},
              {"loadBalancer: {simple: RANDOM, consistentHash: {}}", "loadBalancer.consistentHash"},
              {"proxyProtocol: {}", "proxyProtocol"},
              {"retryBudget: {}", "retryBudget"}};
  const auto rule = [](const std::string& rest) {
    return wrong("DestinationRule", "networking.istio.io/v1", "spec: {host: a, " + rest + "}");
  };
  const auto begin = [](const std::string& field) {
    const std::string name = field.substr(field.rfind('.') + 1);
    return "spec." + field + ": " + name + " is not supported by weft yet; ";
  };
  for (const auto& row : rows) {
    const std::string wanted = begin("trafficPolicy." + std::string(row.field));
    EXPECT_TRUE(rule("trafficPolicy: {" + std::string(row.policy) + "}").starts_with(wanted)) << row.policy;
  }
  EXPECT_TRUE(rule("workloadSelector: {}").starts_with(begin("workloadSelector")));
  EXPECT_EQ(rule("trafficPolicy: {outlierDetection: null, portLevelSettings: []}"), "none");
  const std::string to = "{route: [{destination: {host: a}}], retries: {attempts: 3, ";
  EXPECT_TRUE(wrong_http(to + "retryIgnorePreviousHosts: false}}")
                  .starts_with("spec.http[0].retries.retryIgnorePreviousHosts: "));
  const auto route = [](const std::string& rule) {
    return wrong("HTTPRoute", "gateway.networking.k8s.io/v1", "spec: {rules: [{" + rule + "}]}");
  };
  EXPECT_TRUE(route("sessionPersistence: {}").starts_with("spec.rules[0].sessionPersistence: "));
  EXPECT_EQ(route("retry: {}"), "none");
  EXPECT_TRUE(wrong("Pod", "v1", "spec: {hostUsers: false, containers: [{name: c, image: i}]}")
                  .starts_with("spec.hostUsers: "));
}

TEST(Rules, a_path_of_an_ingress_or_a_route_has_no_query) {
  EXPECT_EQ(
      wrong("Ingress", "networking.k8s.io/v1",
            "spec: {rules: [{http: {paths: [{path: '/a?b', pathType: Prefix, backend: {service: {name: a, "
            "port: "
            "{number: 80}}}}]}}]}"),
      "spec.rules[0].http.paths[0].path: \"/a?b\": must be a path only; queries (?) and fragments (#) match "
      "nothing");
  EXPECT_EQ(wrong("HTTPRoute", "gateway.networking.k8s.io/v1",
                  "spec: {rules: [{matches: [{path: {value: '/a?b'}}]}]}"),
            "spec.rules[0].matches[0].path.value: \"/a?b\": must not contain ?");
}

}  // namespace
}  // namespace weft::api
