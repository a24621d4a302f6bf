#include "inject/manifest.h"

#include <gtest/gtest.h>

#include "api/yaml_reader.h"

namespace weft::inject {
namespace {

using api::Json;

Manifest injected(std::string_view text, ManifestOptions options = {}) {
  auto made = inject_manifest(text, "f.yaml", options);
  EXPECT_TRUE(made) << (made ? "" : made.error().text) << "\n" << text;
  return made ? std::move(*made) : Manifest{};
}

std::string rejected(std::string_view text, ManifestOptions options = {}) {
  const auto made = inject_manifest(text, "f.yaml", options);
  return made ? "injected" : made.error().text;
}

Json first_object(const std::string& text) {
  const api::YamlStream stream = api::read_yaml(text);
  return stream.documents.empty() ? Json() : stream.documents.front().value;
}

std::vector<std::string> names(const Json& list) {
  std::vector<std::string> names;
  for (const Json& each : list) names.push_back(each.value("name", ""));
  return names;
}
using Names = std::vector<std::string>;

constexpr std::string_view kDeployment = R"(# the ratings service
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ratings-v1
spec:
  replicas: 1   # one is enough
  selector:
    matchLabels: {app: ratings, version: v1}
  template:
    metadata:
      labels:
        app: ratings
        version: v1
    spec:
      # no account of its own
      containers:
      - name: ratings
        image: "examples/ratings:v1"   # theirs
        ports:
        - containerPort: 9080
)";

std::string with_annotation(const std::string& key, const std::string& value) {
  std::string text(kDeployment);
  const std::string labels = "        version: v1\n    spec:";
  return text.replace(
      text.find(labels), labels.size(),
      "        version: v1\n      annotations:\n        " + key + ": " + value + "\n    spec:");
}

TEST(Manifest, adds_one_init_container_and_the_proxy_and_touches_no_other) {
  const Json before = first_object(std::string(kDeployment));
  ManifestOptions classic;
  classic.settings.native = false;
  classic.settings.hold_application = false;
  const Json after = first_object(injected(kDeployment, classic).text);
  const Json& spec = after["spec"]["template"]["spec"];
  EXPECT_EQ(names(spec["initContainers"]), Names({"istio-init"}));
  EXPECT_EQ(names(spec["containers"]), Names({"ratings", "istio-proxy"}));
  Json application = spec["containers"][0];
  EXPECT_EQ(application["lifecycle"], Json::parse(R"({"preStop": {"sleep": {"seconds": 2}}})"));
  application.erase("lifecycle");
  EXPECT_EQ(application, before["spec"]["template"]["spec"]["containers"][0]);
}

TEST(Manifest, makes_the_proxy_a_native_sidecar_after_the_capture_and_before_all_else) {
  const Json spec = first_object(injected(kDeployment).text)["spec"]["template"]["spec"];
  EXPECT_EQ(names(spec["initContainers"]), Names({"istio-init", "istio-proxy"}));
  EXPECT_EQ(names(spec["containers"]), Names({"ratings"}));
  EXPECT_EQ(spec["initContainers"][1]["restartPolicy"], "Always");
}

TEST(Manifest, starts_a_held_application_after_the_proxy) {
  ManifestOptions classic;
  classic.settings.native = false;
  const Json spec = first_object(injected(kDeployment, classic).text)["spec"]["template"]["spec"];
  EXPECT_EQ(names(spec["containers"]), Names({"istio-proxy", "ratings"}));
  EXPECT_TRUE(spec["containers"][0]["lifecycle"].contains("postStart"));
}

TEST(Manifest, keeps_every_line_of_the_file) {
  const std::string after = injected(kDeployment).text;
  std::size_t at = 0;
  for (std::size_t begin = 0; begin < kDeployment.size();) {
    const std::size_t end = kDeployment.find('\n', begin);
    const std::string line(kDeployment.substr(begin, end - begin + 1));
    at = after.find(line, at);
    ASSERT_NE(at, after.npos) << line << "\n" << after;
    at += line.size();
    begin = end + 1;
  }
}

TEST(Manifest, gives_the_same_bytes_when_it_is_injected_again) {
  const char* probe = R"(
kind: Pod
apiVersion: v1
metadata: {name: p, annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9080"}}
spec:
  containers:
  - name: a
    image: x
    ports: [{name: web, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /, port: web}, periodSeconds: 3}
    livenessProbe: {tcpSocket: {port: 8080}}
    lifecycle: {preStop: {httpGet: {path: /bye, port: 8080}}}
  - name: istio-proxy
    image: auto
    resources: {requests: {cpu: 7m}}
)";
  for (const bool native : {true, false}) {
    ManifestOptions options;
    options.settings.native = native;
    for (const std::string_view text : {kDeployment, std::string_view(probe)}) {
      const std::string once = injected(text, options).text;
      EXPECT_EQ(injected(once, options).text, once);
    }
  }
}

TEST(Manifest, changes_from_native_to_classic_and_back_leave_nothing_over) {
  ManifestOptions native, classic;
  classic.settings.native = false;
  const std::string once = injected(kDeployment, classic).text;
  const Json round = first_object(injected(injected(once, native).text, classic).text);
  EXPECT_EQ(nlohmann::json(round), nlohmann::json(first_object(once)));
}

TEST(Manifest, leaves_documents_of_other_kinds_and_their_order_byte_for_byte) {
  const std::string service = "# before\napiVersion: v1\nkind:   Service\nmetadata: {name: a} # x\n";
  const std::string custom = "apiVersion: example.com/v1\nkind: Deployment\nspec: {odd: [1,  2]}\n";
  const std::string text = "---\n" + service + "--- # second\n" + custom + "---\n\n---\n# nothing\n";
  EXPECT_EQ(injected(text).text, text);
  const std::string mixed = service + "---\n" + std::string(kDeployment) + "---\n" + custom;
  const std::string after = injected(mixed).text;
  EXPECT_TRUE(after.starts_with(service + "---\n# the ratings service\n"));
  EXPECT_TRUE(after.ends_with("---\n" + custom));
}

TEST(Manifest, passes_on_what_json_has_no_form_for_where_it_is_not_concerned) {
  const std::string map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
  for (const char* data :
       {"base: &a {x: \"1\"}\ndata:\n  <<: *a\n", "binaryData: {a: !!binary aGk=}\n", "data: !mine {a: b}\n",
        "data: {a: b, a: c}\n", "data: {}\ndata: {}\n", "data: {a: .inf, b: .nan}\n", "data: {[a, b]: c}\n",
        "data: {? {a: b} : c}\n", "base: &a {x: y}\n<<: *a\n"}) {
    const std::string text = map + data;
    ASSERT_TRUE(api::read_yaml(text).fault) << text;
    EXPECT_EQ(injected(text + "---\n" + text).text, text + "---\n" + text);
    for (const char* concerned :
         {"apiVersion: v1\nkind: Pod\n", "apiVersion: apps/v1\nkind: Deployment\n",
          "apiVersion: v1\nkind: List\n", "apiVersion: extensions/v1beta1\nkind: Ingress\n",
          "apiVersion: v1\nkind: Service\nkind: Pod\n", "kind: Service\n",
          "apiVersion: v1\nkind: [Service]\n", "apiVersion: v1\nk: &k Service\nkind: *k\n"})
      EXPECT_NE(rejected(concerned + std::string(data)), "injected") << concerned << data;
  }
  EXPECT_EQ(rejected("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  <<: *a\n").substr(0, 9),
            "f.yaml:5:");
  EXPECT_EQ(rejected(map + "data: {a: b, a: c}\nx: [\n").substr(0, 7), "f.yaml:");
  EXPECT_EQ(rejected(map + "data: {a: b, a: c}\n{}\n").substr(0, 7), "f.yaml:");
  ManifestOptions keep;
  keep.keep_api_versions = true;
  const std::string old = "apiVersion: extensions/v1beta1\nkind: Ingress\nspec: {a: .inf}\n";
  EXPECT_EQ(injected(old, keep).text, old);
}

TEST(Manifest, injects_every_kind_that_has_a_pod_template) {
  const std::string pod = "{metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: x}]}}";
  const std::pair<const char*, const char*> kinds[] = {{"apps/v1", "Deployment"},
                                                       {"apps/v1", "DaemonSet"},
                                                       {"apps/v1", "ReplicaSet"},
                                                       {"apps/v1", "StatefulSet"},
                                                       {"v1", "ReplicationController"},
                                                       {"batch/v1", "Job"},
                                                       {"apps.openshift.io/v1", "DeploymentConfig"}};
  std::vector<std::string> texts;
  for (const auto& [version, kind] : kinds) {
    const std::string text = std::string("apiVersion: ") + version + "\nkind: " + kind +
                             "\nmetadata: {name: n}\nspec:\n  template: " + pod + "\n";
    texts.push_back(text);
  }
  texts.push_back("apiVersion: v1\nkind: Pod\nmetadata: {name: n}\nspec: {containers: [{name: a}]}\n");
  texts.push_back(
      "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: n}\nspec:\n  jobTemplate:\n    spec:\n"
      "      template: " +
      pod + "\n");
  for (const bool native : {true, false}) {
    ManifestOptions options;
    options.settings.native = native;
    for (const std::string& text : texts) {
      const Manifest made = injected(text, options);
      EXPECT_EQ(made.injected, 1) << text;
      const std::string& once = made.text;
      EXPECT_EQ(injected(once, options).text, once);
    }
  }
}

TEST(Manifest, injects_the_items_of_a_list_where_they_are) {
  const std::string text = R"({"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}},
  {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}]}}
]}
)";
  const Manifest made = injected(text);
  EXPECT_EQ(made.injected, 1);
  EXPECT_TRUE(made.text.starts_with(text.substr(0, text.find("\"Pod\"")))) << made.text;
  EXPECT_EQ(first_object(made.text)["items"].size(), 2u);
}

TEST(Manifest, never_injects_the_host_s_network_nor_the_system_s_namespaces) {
  const std::string host =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {sidecar.istio.io/inject: \"true\"}}\n"
      "spec: {hostNetwork: true, containers: [{name: a}]}\n";
  const Manifest made = injected(host);
  EXPECT_EQ(made.text, host);
  ASSERT_EQ(made.notes.size(), 1u);
  EXPECT_EQ(made.notes[0],
            "Pod default/p: no sidecar: it uses the host's network, which no sidecar can redirect");
  for (const char* system : {"kube-system", "kube-public", "kube-node-lease"}) {
    const std::string pod = std::string("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ") +
                            system + "}\nspec: {containers: [{name: a}]}\n";
    EXPECT_EQ(injected(pod).text, pod);
  }
}

TEST(Manifest, takes_the_label_before_the_annotation_and_neither_for_another_word) {
  const auto pod = [](const char* label, const char* annotation) {
    return std::string("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {sidecar.istio.io/inject: \"") +
           label + "\"}\n  annotations: {sidecar.istio.io/inject: \"" + annotation +
           "\"}\nspec: {containers: [{name: a}]}\n";
  };
  EXPECT_EQ(injected(pod("false", "true")).injected, 0);
  EXPECT_EQ(injected(pod("true", "false")).injected, 1);
  EXPECT_EQ(injected(pod("maybe", "false")).injected, 1);
  ManifestOptions disabled;
  disabled.settings.policy = Settings::Policy::kDisabled;
  EXPECT_EQ(injected(pod("maybe", "true"), disabled).injected, 0);
  EXPECT_EQ(injected(pod("true", "false"), disabled).injected, 1);
}

TEST(Manifest, keeps_what_the_pod_says_of_the_proxy_and_fills_in_the_rest) {
  const Json after = first_object(injected(R"(
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: istio-proxy
    image: auto
    resources: {requests: {cpu: 7m}}
    env: [{name: MINE, value: "1"}]
  - {name: a, image: x}
)")
                                      .text);
  const Json& proxy = after["spec"]["initContainers"][1];
  EXPECT_EQ(proxy["resources"], Json::parse(R"({"requests": {"cpu": "7m"}})"));
  EXPECT_EQ(proxy["image"], Settings().image);
  EXPECT_EQ(proxy["env"].back()["name"], "MINE");
  EXPECT_EQ(proxy["env"][0]["name"], "POD_NAME");
  EXPECT_EQ(names(after["spec"]["containers"]), Names({"a"}));
}

TEST(Manifest, rejects_a_wrong_annotation_by_file_line_name_and_value) {
  EXPECT_EQ(
      rejected(with_annotation("traffic.sidecar.istio.io/includeOutboundIPRanges", "10.0.0.0/33")),
      "f.yaml:16: Deployment default/ratings-v1: annotation "
      "traffic.sidecar.istio.io/includeOutboundIPRanges: \"10.0.0.0/33\" must be a list of ranges such as "
      "10.0.0.0/8,fd00::/8; \"10.0.0.0/33\" is not");
  EXPECT_EQ(
      rejected("\n---\n" + with_annotation("sidecar.istio.io/proxyCPU", "lots")),
      "f.yaml:18: Deployment default/ratings-v1: annotation sidecar.istio.io/proxyCPU: \"lots\" must be a "
      "quantity such as 100m, 0.5, 128Mi or 1Gi");
  EXPECT_EQ(rejected(with_annotation("status.sidecar.istio.io/port", "15020")),
            "f.yaml:16: Deployment default/ratings-v1: annotation status.sidecar.istio.io/port: 15020 must "
            "be a text: "
            "write quotes around it");
  EXPECT_NE(rejected(with_annotation("sidecar.istio.io/interceptionMode", "TPROXY")).find("not supported"),
            std::string::npos);
  EXPECT_NE(rejected(with_annotation("proxy.istio.io/config", "'tracing: {}'"))
                .find("tracing: {} is not supported"),
            std::string::npos);
}

TEST(Manifest, lets_one_resource_annotation_replace_all_defaults) {
  const Json after = first_object(injected(with_annotation("sidecar.istio.io/proxyMemory", "64Mi")).text);
  EXPECT_EQ(after["spec"]["template"]["spec"]["initContainers"][1]["resources"],
            Json::parse(R"({"requests": {"memory": "64Mi"}})"));
}

TEST(Manifest, sends_probes_by_http_tcp_and_grpc_through_the_proxy_and_leaves_commands) {
  const Json after = first_object(injected(R"(
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: a
    ports: [{name: web, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /ok, port: web, scheme: HTTPS}, timeoutSeconds: 2}
    livenessProbe: {grpc: {port: 9000, service: s}}
    startupProbe: {exec: {command: [true]}}
)")
                                      .text);
  const Json& container = after["spec"]["containers"][0];
  EXPECT_EQ(nlohmann::json(container["readinessProbe"]),
            nlohmann::json::parse(
                R"({"httpGet":{"path":"/app-health/a/readyz","port":15020},"timeoutSeconds":2})"));
  EXPECT_EQ(container["livenessProbe"]["httpGet"]["path"], "/app-health/a/livez");
  EXPECT_TRUE(container["startupProbe"].contains("exec"));
  std::string probers;
  for (const Json& each : after["spec"]["initContainers"][1]["env"])
    if (each["name"] == "ISTIO_KUBE_APP_PROBERS") probers = each["value"];
  EXPECT_EQ(nlohmann::json::parse(probers),
            nlohmann::json::parse(
                R"({"/app-health/a/livez":{"grpc":{"port":9000,"service":"s"}},
                    "/app-health/a/readyz":{"httpGet":{"path":"/ok","port":8080,"scheme":"HTTPS"},"timeoutSeconds":2}})"));
}

TEST(Manifest, asks_for_no_rights_but_the_capture_s) {
  const Json spec = first_object(injected(kDeployment).text)["spec"]["template"]["spec"];
  const Json& init = spec["initContainers"][0]["securityContext"];
  EXPECT_EQ(init["capabilities"], Json::parse(R"({"add": ["NET_ADMIN"], "drop": ["ALL"]})"));
  const Json& proxy = spec["initContainers"][1]["securityContext"];
  EXPECT_EQ(proxy["capabilities"], Json::parse(R"({"drop": ["ALL"]})"));
  EXPECT_EQ(proxy["runAsUser"], 1337);
  EXPECT_EQ(proxy["runAsGroup"], 1337);
  EXPECT_EQ(proxy["runAsNonRoot"], true);
  EXPECT_EQ(proxy["readOnlyRootFilesystem"], true);
}

TEST(Manifest, writes_removed_api_versions_as_today_s_and_says_so) {
  const std::string old = R"(apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: gateway
  annotations:
    kubernetes.io/ingress.class: "istio"   # ours
spec:
  rules:
  - http:
      paths:
      - path: /productpage
        backend:
          serviceName: productpage
          servicePort: 9080
      - path: /api/v1/products/.*
        backend:
          serviceName: productpage
          servicePort: 9080
---
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: details-v1
spec:
  replicas: 1
  template:
    metadata:
      labels:
        app: details
    spec:
      containers:
      - name: details
        image: examples/details:v1
)";
  const Manifest made = injected(old);
  const api::YamlStream stream = api::read_yaml(made.text);
  ASSERT_EQ(stream.documents.size(), 2u) << made.text;
  const Json& ingress = stream.documents[0].value;
  EXPECT_EQ(ingress["apiVersion"], "networking.k8s.io/v1");
  const Json& paths = ingress["spec"]["rules"][0]["http"]["paths"];
  EXPECT_EQ(paths[0]["backend"], Json::parse(R"({"service":{"name":"productpage","port":{"number":9080}}})"));
  EXPECT_EQ(paths[0]["pathType"], "ImplementationSpecific");
  EXPECT_EQ(paths[1]["path"], "/api/v1/products/");
  EXPECT_EQ(paths[1]["pathType"], "Prefix");
  EXPECT_NE(made.text.find("kubernetes.io/ingress.class: \"istio\"   # ours"), std::string::npos);
  const Json& deployment = stream.documents[1].value;
  EXPECT_EQ(deployment["apiVersion"], "apps/v1");
  EXPECT_EQ(deployment["spec"]["selector"], Json::parse(R"({"matchLabels":{"app":"details"}})"));
  EXPECT_EQ(made.notes.size(), 4u) << made.notes.back();
  ManifestOptions keep;
  keep.keep_api_versions = true;
  const Manifest kept = injected(old, keep);
  EXPECT_EQ(kept.injected, 1);
  EXPECT_TRUE(kept.notes.empty());
  const api::YamlStream same = api::read_yaml(kept.text);
  ASSERT_EQ(same.documents.size(), 2u) << kept.text;
  EXPECT_EQ(same.documents[0].value, api::read_yaml(old).documents[0].value);
  EXPECT_EQ(same.documents[1].value["apiVersion"], "extensions/v1beta1");
  EXPECT_FALSE(same.documents[1].value["spec"].contains("selector"));
}

TEST(Manifest, says_that_a_selector_is_missing_where_no_labels_give_one) {
  const Manifest made = injected(
      "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: "
      "{containers: [{name: a}]}}}\n");
  ASSERT_EQ(made.notes.size(), 2u);
  EXPECT_EQ(made.notes[1],
            "Deployment d: spec.selector is required today, and the template has no labels to take it from; "
            "write both");
}

TEST(Manifest, names_the_line_of_what_is_not_yaml_in_any_document) {
  EXPECT_EQ(rejected("a: 1\n---\nb: [1\nc: 2\n").substr(0, 9), "f.yaml:3:");
  EXPECT_EQ(rejected("a: 1\n---\nb: 1\nb: 2\n"), "f.yaml:4: duplicate key \"b\"; write it once");
  EXPECT_EQ(rejected("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: {}\n"),
            "f.yaml:5: Pod default/p: spec.containers: must be a list of at least one container");
}

TEST(Manifest, takes_a_document_after_an_end_mark_and_rejects_two_without_any) {
  const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}\n";
  EXPECT_EQ(injected(pod + "...\n" + pod + "... # end\n---\n" + pod).injected, 3);
  EXPECT_EQ(rejected("[1]\n[2]\n").substr(0, 9), "f.yaml:2:");
}

TEST(Manifest, says_why_a_workload_gets_no_sidecar) {
  const auto notes = [](const char* label) {
    return injected(std::string("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: m, labels: {") +
                    label + "}}\nspec: {containers: [{name: a}]}\n")
        .notes;
  };
  EXPECT_EQ(notes("sidecar.istio.io/inject: \"false\""),
            Names{"Pod m/p: no sidecar: sidecar.istio.io/inject is false"});
  EXPECT_EQ(notes("a: b"), Names{});
}

TEST(Manifest, warns_of_the_wish_that_stands_on_the_workload) {
  const Manifest made = injected(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, annotations: {sidecar.istio.io/inject: "
      "\"false\"}}\n"
      "spec: {template: {spec: {containers: [{name: a}]}}}\n");
  EXPECT_EQ(made.injected, 1);
  ASSERT_EQ(made.notes.size(), 1u);
  EXPECT_TRUE(
      made.notes[0].starts_with("Deployment default/d: sidecar.istio.io/inject stands on the Deployment"));
}

TEST(Manifest, rejects_an_ingress_of_no_shape_without_falling_over) {
  for (const char* spec : {"5", "[]", "{rules: {}}", "{rules: [5]}",
                           "{rules: [{http: {paths: [5, {backend: 5}]}}]}", "{backend: {resource: {}}}"})
    EXPECT_NE(
        injected(std::string("apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i}\nspec: ") +
                 spec + "\n")
            .text.find("networking.k8s.io/v1"),
        std::string::npos);
}

TEST(Manifest, leaves_a_pod_of_the_hosts_network_alone_in_each_way_to_write_it) {
  for (const char* yes : {"true", "yes", "Yes", "on", "ON", "y"}) {
    std::string text(kDeployment);
    text.replace(text.find("      # no account"), 0, std::string("      hostNetwork: ") + yes + "\n");
    const Manifest made = injected(text);
    EXPECT_EQ(made.injected, 0) << yes;
    EXPECT_EQ(made.text, text);
  }
}

TEST(Manifest, injects_the_items_of_a_typed_list) {
  const Manifest made = injected(
      "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: p}\n  spec: {containers: [{name: a}]}\n"
      "- apiVersion: v1\n  kind: Pod\n  metadata: {name: q}\n  spec: {containers: [{name: a}]}\n"
      "---\napiVersion: apps/v1\nkind: DeploymentList\nitems:\n"
      "- metadata: {name: d}\n  spec: {template: {spec: {containers: [{name: a}]}}}\n"
      "---\napiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: s}\n");
  EXPECT_EQ(made.injected, 3);
  EXPECT_EQ(
      rejected("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: d}\n  spec: {}\n"),
      "f.yaml:5: Deployment default/d: items[0].spec.template: is missing");
}

TEST(Manifest, injects_files_that_were_joined_to_one) {
  const std::string mark = "\xef\xbb\xbf";
  const std::string text(kDeployment);
  for (const std::string& joined : {text + "---\n" + mark + text, text + mark + "---\n" + text}) {
    const Manifest made = injected(joined);
    EXPECT_EQ(made.injected, 2) << joined;
    EXPECT_TRUE(made.notes.empty()) << made.notes.front();
    EXPECT_NE(made.text.find(mark), made.text.npos);
  }
  const std::string pod =
      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}]}})";
  const Manifest made = injected(pod + "\n" + pod + pod + "\n");
  EXPECT_EQ(made.injected, 3);
  const api::YamlStream read = api::read_yaml(made.text);
  ASSERT_FALSE(read.fault) << read.fault->text;
  EXPECT_EQ(read.documents.size(), 3u);
}

TEST(Manifest, edits_a_list_of_any_length_in_place) {
  std::string text = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n";
  for (int i = 0; i < 1'500; ++i)
    text +=
        std::string(i == 0 ? "" : ",\n") +
        R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}]}})";
  const Manifest made = injected(text + "\n]}\n");
  EXPECT_EQ(made.injected, 1'500);
  EXPECT_TRUE(made.notes.empty());
}

}  // namespace
}  // namespace weft::inject
