#include "inject/injector.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "api/yaml_reader.h"
#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

Json yaml(std::string_view text) {
  const api::YamlStream stream = api::read_yaml(text);
  EXPECT_FALSE(stream.fault) << stream.fault->text;
  return stream.documents.empty() ? Json() : stream.documents.front().value;
}

const Owner kOwner{"apps/v1", "Deployment", "shop", "default"};

struct Made {
  Json pod;
  std::vector<std::string> warnings;
};

Made injected(Json pod, const Settings& settings = {}, const Owner& owner = kOwner) {
  const auto outcome = inject_template(pod, owner, settings);
  EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().text);
  return {pod, outcome ? outcome->warnings : std::vector<std::string>()};
}

std::string rejected(Json pod, const Settings& settings = {}) {
  const Json before = pod;
  const auto outcome = inject_template(pod, kOwner, settings);
  EXPECT_EQ(pod, before);
  return outcome ? "injected" : outcome.error().text;
}

Json annotated(const std::string& annotation, const std::string& value) {
  Json pod = yaml("spec: {containers: [{name: a}]}");
  pod["metadata"]["annotations"][annotation] = value;
  return pod;
}

const Json& lifecycle(const Made& made) { return json::at(made.pod["spec"]["containers"][0], "lifecycle"); }

std::string variable(const Json& container, std::string_view name) {
  for (const Json& each : container["env"])
    if (each["name"] == name) return json::string(each, "value");
  return "none";
}

TEST(Injector, tells_capture_the_pods_first_address_as_it_tells_the_sidecar) {
  const Made made = injected(yaml("spec: {containers: [{name: a}]}"));
  int told = 0;
  for (const char* list : {"initContainers", "containers"})
    for (const Json& container : json::list(made.pod["spec"], list))
      for (const Json& each : json::list(container, "env"))
        if (json::string(each, "name") == "INSTANCE_IP") {
          EXPECT_EQ(each["valueFrom"]["fieldRef"]["fieldPath"], "status.podIP");
          ++told;
        }
  EXPECT_EQ(told, 2);
}

TEST(StaleEndpoints, are_waited_for_by_applications_without_a_pre_stop_of_their_own) {
  const Made made = injected(yaml(R"(
spec:
  containers:
  - name: plain
  - {name: own, lifecycle: {preStop: {exec: {command: [bye]}}}}
  - {name: start, lifecycle: {postStart: {exec: {command: [hi]}}}}
)"));
  const Json& containers = made.pod["spec"]["containers"];
  const Json wait = Json::parse(R"({"sleep": {"seconds": 2}})");
  EXPECT_EQ(containers[0]["lifecycle"]["preStop"], wait);
  EXPECT_TRUE(containers[1]["lifecycle"]["preStop"].contains("exec"));
  EXPECT_FALSE(containers[1]["lifecycle"]["preStop"].contains("sleep"));
  EXPECT_EQ(containers[2]["lifecycle"]["preStop"], wait);
  EXPECT_TRUE(containers[2]["lifecycle"].contains("postStart"));
}

TEST(StaleEndpoints, are_not_waited_for_by_what_ends_by_itself_or_has_no_time) {
  const Json pod = yaml("spec: {containers: [{name: a}]}");
  for (const char* kind : {"Job", "CronJob"})
    EXPECT_TRUE(lifecycle(injected(pod, {}, {"batch/v1", kind, "j", "default"})).is_null()) << kind;
  EXPECT_TRUE(lifecycle(injected(yaml("spec: {terminationGracePeriodSeconds: 2, containers: [{name: a}]}")))
                  .is_null());
  EXPECT_FALSE(lifecycle(injected(yaml("spec: {terminationGracePeriodSeconds: 3, containers: [{name: a}]}")))
                   .is_null());
  Settings old;
  old.fit_to_cluster(29);
  EXPECT_TRUE(old.native);
  EXPECT_TRUE(lifecycle(injected(pod, old)).is_null());
}

TEST(StaleEndpoints, are_waited_for_as_long_as_the_pod_says) {
  const std::string key = "weft.dev/stale-endpoint-wait-seconds";
  EXPECT_EQ(lifecycle(injected(annotated(key, "7")))["preStop"]["sleep"]["seconds"], 7);
  EXPECT_TRUE(lifecycle(injected(annotated(key, "0"))).is_null());
  EXPECT_EQ(
      rejected(annotated(key, "2s")),
      "annotation weft.dev/stale-endpoint-wait-seconds: \"2s\" must be seconds from 0 (no wait) to 3600, "
      "without a unit");
}

TEST(PreStop, tells_the_sidecar_to_drain_where_it_listens_and_is_not_there_when_it_does_not) {
  const auto pre_stop = [](const char* port) {
    const Json pod = injected(annotated("status.sidecar.istio.io/port", port)).pod;
    for (const Json& each : pod["spec"]["initContainers"])
      if (each["name"] == "istio-proxy") return each.value("lifecycle", Json());
    return Json("no sidecar");
  };
  const auto command = [&](const char* port) { return pre_stop(port)["preStop"]["exec"]["command"].dump(); };
  EXPECT_EQ(command("15020"), R"(["/weft","proxy","drain"])");
  EXPECT_EQ(command("15030"), R"(["/weft","proxy","drain","--status-port","15030"])");
  EXPECT_TRUE(pre_stop("0").is_null());
}

TEST(PodOptions, reject_what_weft_does_not_do_and_a_pod_would_miss) {
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"sidecar.istio.io/interceptionMode", "TPROXY"},
           {"sidecar.istio.io/bootstrapOverride", "mine"},
           {"sidecar.istio.io/capNetBindService", "true"},
           {"inject.istio.io/templates", "grpc-agent"},
           {"inject.istio.io/templates", "sidecar,mine"},
           {"prometheus.istio.io/scrape-targets", "[]"},
           {"proxy.istio.io/config", "tracing: {}"},
           {"proxy.istio.io/config", "proxyMetadata: {A: [1]}"},
           {"proxy.istio.io/config", "proxyMetadata: {ISTIO_META_DNS_CAPTURE: '1'}"},
           {"status.sidecar.istio.io/port", "15021"},
           {"readiness.status.sidecar.istio.io/periodSeconds", "0"},
           {"traffic.sidecar.istio.io/excludeOutboundPorts", "80,"},
           {"sidecar.istio.io/userVolume", "{\"a\": 1}"},
           {"prometheus.io/port", "15020"}})
    EXPECT_TRUE(rejected(annotated(key, value)).starts_with("annotation " + std::string(key) + ": "))
        << key << ": " << rejected(annotated(key, value));
}

TEST(PodOptions, warn_by_name_of_what_has_no_effect) {
  const std::pair<const char*, const char*> rows[] = {
      {"sidecar.istio.io/proxyImageType", "is not done by weft and has no effect"},
      {"sidecar.istio.io/componentLogLevel", "is not done by weft and has no effect"},
      {"sidecar.istio.io/extraStatTags", "is not done by weft and has no effect"},
      {"sidecar.istio.io/proxyCpu",
       "is not known to weft and has no effect; is it sidecar.istio.io/proxyCPU?"}};
  for (const auto& [key, warning] : rows)
    EXPECT_EQ(injected(annotated(key, "x")).warnings,
              std::vector<std::string>{"annotation " + std::string(key) + ": " + warning});
  EXPECT_TRUE(injected(annotated("sidecar.istio.io/capNetBindService", "false")).warnings.empty());
  EXPECT_TRUE(injected(annotated("sidecar.istio.io/interceptionMode", "REDIRECT")).warnings.empty());
  EXPECT_EQ(injected(annotated("sidecar.istio.io/interceptionMode", "NONE")).warnings,
            std::vector<std::string>{
                "annotation sidecar.istio.io/interceptionMode: NONE leads nothing to the sidecar, "
                "neither in nor out: it runs, and no rule holds for this pod"});
  EXPECT_EQ(
      injected(annotated("proxy.istio.io/config", "proxyMetadata: {ISTIO_META_DNS_AUTO_ALLOCATE: 'true'}"))
          .warnings,
      std::vector<std::string>{"annotation proxy.istio.io/config: proxyMetadata: "
                               "ISTIO_META_DNS_AUTO_ALLOCATE is not done by weft and has no effect"});
  EXPECT_EQ(injected(annotated("proxy.istio.io/config", "proxyMetadata: {ISTIO_META_HTTP10: '1'}")).warnings,
            std::vector<std::string>{"annotation proxy.istio.io/config: proxyMetadata: ISTIO_META_HTTP10 is "
                                     "passed on, and nothing of weft reads it"});
}

TEST(Injector, gives_a_gateway_the_router_and_low_ports_and_captures_nothing) {
  Json pod = annotated("inject.istio.io/templates", "gateway");
  pod["spec"] = yaml("containers: [{name: istio-proxy, image: auto, ports: [{containerPort: 80}]}]");
  const Json spec = injected(pod).pod["spec"];
  EXPECT_FALSE(spec.contains("initContainers"));
  ASSERT_EQ(spec["containers"].size(), 1u);
  const Json& proxy = spec["containers"][0];
  EXPECT_EQ(proxy["args"][1], "router");
  EXPECT_EQ(proxy["ports"].size(), 2u);
  EXPECT_FALSE(proxy.contains("startupProbe"));
  EXPECT_TRUE(proxy.contains("readinessProbe"));
  EXPECT_FALSE(proxy.contains("lifecycle"));
  EXPECT_EQ(spec["securityContext"]["sysctls"],
            Json::parse(R"([{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}])"));
}

TEST(Injector, pulls_its_own_image_as_the_mesh_says_whatever_an_api_server_made_of_auto) {
  const auto policy = [](const char* own) {
    const Json pod =
        yaml("spec: {containers: [{name: istio-proxy, image: auto, imagePullPolicy: " + std::string(own) +
             "}, {name: a}]}");
    return json::string(injected(pod).pod["spec"]["initContainers"][1], "imagePullPolicy");
  };
  EXPECT_EQ(policy("Always"), "IfNotPresent");
  EXPECT_EQ(policy("Never"), "Never");
}

TEST(Injector, takes_one_handler_where_the_pod_has_its_own) {
  const Json pod = yaml(R"(
spec:
  containers:
  - name: istio-proxy
    readinessProbe: {tcpSocket: {port: 1}, periodSeconds: 3}
    env: [{name: POD_NAME, value: mine}]
    securityContext: {runAsUser: 2000}
  - name: a
)");
  const Json spec = injected(pod).pod["spec"];
  const Json& proxy = spec["initContainers"][1];
  EXPECT_FALSE(proxy["readinessProbe"].contains("httpGet"));
  EXPECT_EQ(proxy["readinessProbe"]["periodSeconds"], 3);
  EXPECT_EQ(proxy["readinessProbe"]["timeoutSeconds"], 3);
  EXPECT_EQ(variable(proxy, "POD_NAME"), "mine");
  EXPECT_EQ(proxy["securityContext"]["runAsUser"], 2000);
  EXPECT_EQ(proxy["securityContext"]["readOnlyRootFilesystem"], true);
  EXPECT_EQ(spec["initContainers"][0]["args"][6], "2000");
}

TEST(Injector, keeps_the_kubelet_from_expanding_what_a_probe_says) {
  const Json spec = injected(yaml(R"(
spec:
  containers:
  - name: a
    readinessProbe: {httpGet: {path: /$(POD_NAME), port: 80}}
)"))
                        .pod["spec"];
  EXPECT_NE(variable(spec["initContainers"][1], "ISTIO_KUBE_APP_PROBERS").find("/$$(POD_NAME)"),
            std::string::npos);
}

TEST(Injector, names_no_variable_twice) {
  const Json spec =
      injected(annotated("proxy.istio.io/config", "proxyMetadata: {ISTIO_META_CLUSTER_ID: other}"))
          .pod["spec"];
  std::vector<std::string> names;
  for (const Json& each : spec["initContainers"][1]["env"]) names.push_back(each["name"]);
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_EQ(variable(spec["initContainers"][1], "ISTIO_META_CLUSTER_ID"), "other");
}

TEST(Injector, names_are_captured_where_they_are_asked_to_be) {
  const auto captures = [](const char* value) {
    const Json spec =
        injected(annotated("proxy.istio.io/config",
                           std::string("proxyMetadata: {ISTIO_META_DNS_CAPTURE: ") + value + "}"))
            .pod["spec"];
    const Json& arguments = spec["initContainers"][0]["args"];
    EXPECT_EQ(variable(spec["initContainers"][1], "ISTIO_META_DNS_CAPTURE"),
              std::string(value).substr(1, std::string(value).size() - 2));
    return std::ranges::find(arguments, Json("--redirect-dns")) != arguments.end();
  };
  EXPECT_TRUE(captures("'true'"));
  EXPECT_FALSE(captures("'false'"));
}

TEST(Injector, leaves_probes_that_come_before_a_classic_sidecar) {
  Settings classic;
  classic.native = false;
  const Json pod = yaml(R"(
spec:
  initContainers:
  - {name: helper, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}, livenessProbe: {tcpSocket: {port: 1}}}
  containers: [{name: a}]
)");
  const Json helper = injected(pod, classic).pod["spec"]["initContainers"][0];
  EXPECT_TRUE(helper["startupProbe"].contains("tcpSocket"));
  EXPECT_TRUE(helper["livenessProbe"].contains("httpGet"));
  EXPECT_TRUE(injected(pod).pod["spec"]["initContainers"][2]["startupProbe"].contains("httpGet"));
}

TEST(Injector, takes_a_pod_that_has_no_name_yet) {
  Json pod = yaml("metadata: {generateName: shop-7d9c-}\nspec: {containers: [{name: a}]}");
  const Json spec = injected(pod, {}, {"apps/v1", "Deployment", "shop", "requested"}).pod["spec"];
  EXPECT_EQ(variable(spec["initContainers"][1], "ISTIO_META_OWNER"),
            "kubernetes://apis/apps/v1/namespaces/requested/deployments/shop");
  EXPECT_EQ(variable(injected(pod, {}, {"v1", "Pod", "", "requested"}).pod["spec"]["initContainers"][1],
                     "ISTIO_META_WORKLOAD_NAME"),
            "none");
}

TEST(Injector, rejects_wrong_shapes_by_their_place) {
  EXPECT_EQ(rejected(yaml("spec: []")), "spec: must be a map");
  EXPECT_EQ(rejected(yaml("spec: {containers: [{name: a}, 5]}")), "spec.containers[1]: must be a map");
  EXPECT_EQ(rejected(yaml("metadata: {labels: [a]}\nspec: {containers: [{name: a}]}")),
            "metadata.labels: must be a map");
  EXPECT_EQ(rejected(yaml("spec: {containers: [{name: a}], volumes: [{name: istio-token}]}")),
            "spec.volumes: \"istio-token\" is a volume of the sidecar's too; rename the pod's");
  EXPECT_EQ(rejected(yaml("spec: {containers: [{name: istio-proxy}]}")),
            "spec.containers: there is no container but the sidecar");
}

TEST(Injector, warns_of_a_job_that_a_classic_sidecar_keeps_from_ending) {
  Settings classic;
  classic.native = false;
  const Json pod = yaml("spec: {containers: [{name: a}]}");
  const Owner job{"batch/v1", "Job", "j", "default"};
  const auto only_warning = [&] {
    const std::vector<std::string> warnings = injected(pod, classic, job).warnings;
    return warnings.size() == 1 ? warnings[0] : std::to_string(warnings.size()) + " warnings";
  };
  EXPECT_TRUE(only_warning().ends_with("; let it POST to http://127.0.0.1:15020/quitquitquit"))
      << only_warning();
  classic.status_port = 15030;
  EXPECT_TRUE(only_warning().ends_with("; let it POST to http://127.0.0.1:15030/quitquitquit"))
      << only_warning();
  classic.status_port = 0;
  EXPECT_TRUE(only_warning().ends_with("nothing can tell that to end without a status port"))
      << only_warning();
  EXPECT_TRUE(injected(pod, {}, job).warnings.empty());
}

TEST(Injector, a_native_sidecar_that_a_pod_asks_for_is_none_where_the_cluster_has_none) {
  Settings old;
  old.fit_to_cluster(28);
  const Made made = injected(annotated("sidecar.istio.io/nativeSidecar", "true"), old);
  EXPECT_EQ(made.pod["spec"]["containers"].size(), 2u);
  ASSERT_EQ(made.warnings.size(), 1u);
  EXPECT_NE(made.warnings[0].find("has no effect before Kubernetes 1.29"), std::string::npos);
  Settings by_choice;
  by_choice.native = false;
  EXPECT_EQ(injected(annotated("sidecar.istio.io/nativeSidecar", "true"), by_choice)
                .pod["spec"]["containers"]
                .size(),
            1u);
}

TEST(Injector, warns_of_what_a_sidecar_changes_without_an_error) {
  const auto warnings = [](const char* spec) { return injected(yaml(spec)).warnings; };
  using Warnings = std::vector<std::string>;
  const Warnings user = {
      "container a runs as user 1337, the sidecar's, whose connections are not captured; give it another "
      "runAsUser"};
  EXPECT_EQ(warnings("spec: {containers: [{name: a, securityContext: {runAsUser: 1337}}]}"), user);
  EXPECT_EQ(warnings("spec: {securityContext: {runAsUser: 1337}, containers: [{name: a}]}"), user);
  EXPECT_EQ(warnings("spec: {securityContext: {runAsUser: 1337}, containers: [{name: a, securityContext: "
                     "{runAsUser: 1}}]}"),
            Warnings());
  EXPECT_EQ(warnings("spec: {containers: [{name: a, ports: [{containerPort: 15090}]}]}"),
            Warnings{"container a has port 15090, on which the sidecar listens; give it another"});
  EXPECT_EQ(warnings("spec: {containers: [{name: a, ports: [{containerPort: 1, name: http-envoy-prom}]}]}"),
            Warnings{"container a names a port http-envoy-prom, as the sidecar does; give it another name"});
  EXPECT_EQ(
      warnings("spec: {containers: [{name: a, livenessProbe: {httpGet: {path: /, port: web}}}]}"),
      Warnings{"container a: livenessProbe asks for port \"web\", which the container does not declare; "
               "it is left as it is and will fail"});
  EXPECT_EQ(warnings("spec: {containers: [{name: a, ports: [{name: web, containerPort: 80}], livenessProbe: "
                     "{httpGet: {path: /, port: web}}}]}"),
            Warnings());
}

TEST(Injector, leaves_a_pod_for_windows_and_says_why) {
  Json pod = yaml("spec: {os: {name: windows}, containers: [{name: a}]}");
  const Json before = pod;
  const auto outcome = inject_template(pod, kOwner, {});
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->injected);
  EXPECT_EQ(outcome->reason, "its os is windows, for which there is no sidecar");
  EXPECT_EQ(pod, before);
}

TEST(Injector, a_pod_with_more_containers_than_anybody_runs_is_rejected_before_they_are_compared) {
  Json pod = yaml("spec: {containers: []}");
  for (int i = 0; i < 1001; ++i)
    pod["spec"]["containers"].push_back({{"name", "c" + std::to_string(i)}, {"image", "i"}});
  EXPECT_EQ(rejected(pod), "the pod has a list or map of more than 1,000 entries, which none needs");
}

TEST(Injector, a_record_of_an_injection_that_is_nested_without_end_is_none) {
  const std::string deep =
      R"({"containers":[)" + std::string(100'000, '[') + std::string(100'000, ']') + "]}";
  injected(annotated(kStatusAnnotation, deep));
  Json overridden = annotated(kStatusAnnotation, R"({"containers":["istio-proxy"]})");
  overridden["metadata"]["annotations"][kOverridesAnnotation] = deep;
  injected(overridden);
  Json variables = annotated(kStatusAnnotation, "{}");
  for (const char* name : {kPrometheusVariable, kProbersVariable})
    variables["spec"]["containers"][1]["env"].push_back(
        {{"name", name}, {"value", R"({"port":)" + deep + "}"}});
  variables["spec"]["containers"][1]["name"] = "istio-proxy";
  static_cast<void>(inject_template(variables, kOwner, {}));
}

TEST(PodOptions, reject_a_request_above_its_limit) {
  const auto both = [](const char* what, const char* request, const char* limit) {
    Json pod = annotated("sidecar.istio.io/proxy" + std::string(what), request);
    pod["metadata"]["annotations"]["sidecar.istio.io/proxy" + std::string(what) + "Limit"] = limit;
    return rejected(pod);
  };
  EXPECT_EQ(both("CPU", "2", "1500m"),
            "annotation sidecar.istio.io/proxyCPU: \"2\" must not be more than "
            "sidecar.istio.io/proxyCPULimit, \"1500m\"");
  EXPECT_EQ(both("Memory", "1Gi", "1G"),
            "annotation sidecar.istio.io/proxyMemory: \"1Gi\" must not be more than "
            "sidecar.istio.io/proxyMemoryLimit, \"1G\"");
  EXPECT_NE(both("CPU", "3e3", "2k").find("must not be more"), std::string::npos);
}

TEST(PodOptions, take_a_request_up_to_its_limit) {
  for (const auto& [request, limit] : std::initializer_list<std::pair<const char*, const char*>>{
           {"100m", "0.1"}, {"1", "1"}, {"128Mi", "1Gi"}, {"1e3", "1k"}}) {
    Json pod = annotated("sidecar.istio.io/proxyMemory", request);
    pod["metadata"]["annotations"]["sidecar.istio.io/proxyMemoryLimit"] = limit;
    injected(pod);
  }
}

TEST(Settings, are_rejected_by_line_and_name_when_they_are_wrong) {
  for (const char* wrong :
       {"includeOutboundIPRanges: 10.0.0.0", "logLevel: loud", "staleEndpointWaitSeconds: -1",
        "cpuRequest: lots", "neverInjectSelector: [{matchExpressions: [{key: a, operator: Is}]}]",
        "statusPort: 15090", "imagePullPolicy: Sometimes", "native: 1", "unknown: 1"}) {
    const auto settings = Settings::parse(std::string("# settings\n") + wrong, "s.yaml");
    ASSERT_FALSE(settings) << wrong;
    EXPECT_TRUE(settings.error().text.starts_with("s.yaml:2: ")) << settings.error().text;
  }
  const auto settings = Settings::parse("staleEndpointWaitSeconds: 5\nnative: false\n", "s.yaml");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->stale_endpoint_wait, 5);
  EXPECT_FALSE(settings->native);
}

TEST(Settings, are_all_in_the_table_of_the_documentation) {
  std::ifstream file(WEFT_SOURCE_DIR "/docs/injection.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string table = text.str().substr(std::min(text.str().find("| setting |"), text.str().size()));
  for (const std::string_view name : Settings::names())
    EXPECT_NE(table.find("`" + std::string(name) + "`"), std::string::npos) << name;
}

}  // namespace
}  // namespace weft::inject
