#include "install/control_plane.h"

#include "api/yaml.h"
#include "inject/names.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;

constexpr int kXdsPort = 15012, kWebhookPort = 15017, kStatusPort = 15014;

Json labels() { return {{"app", kControl}, {kPartOfLabel, kPartOf}, {"sidecar.istio.io/inject", "false"}}; }

Json field_variable(const char* name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

Json probe(const char* path, int period, int failures) {
  return {{"httpGet", {{"path", path}, {"port", kStatusPort}}},
          {"periodSeconds", period},
          {"timeoutSeconds", 3},
          {"failureThreshold", failures}};
}

Json container_port(const char* name, int port) {
  return {{"name", name}, {"containerPort", port}, {"protocol", "TCP"}};
}

Json container(const Plan& plan) {
  return {
      {"name", "control"},
      {"image", plan.image},
      {"imagePullPolicy", plan.image_pull_policy},
      {"args", {"control", "--kubernetes", "--log-level", plan.log_level}},
      {"env", Json::array({field_variable("POD_NAME", "metadata.name"),
                           field_variable("POD_NAMESPACE", "metadata.namespace"),
                           field_variable("POD_IP", "status.podIP")})},
      {"ports",
       Json::array({container_port("grpc-xds", kXdsPort), container_port("https-webhooks", kWebhookPort),
                    container_port("http-status", kStatusPort)})},
      {"startupProbe", probe("/healthz", 1, 60)},
      {"readinessProbe", probe("/ready", 2, 2)},
      {"livenessProbe", probe("/healthz", 10, 6)},
      {"resources", {{"requests", {{"cpu", "20m"}, {"memory", "48Mi"}}}, {"limits", {{"memory", "256Mi"}}}}},
      {"securityContext", locked_container()}};
}

Part deployment(const Plan& plan) {
  Json spec = {{"replicas", plan.replicas},
               {"selector", {{"matchLabels", {{"app", kControl}}}}},
               {"strategy", {{"rollingUpdate", {{"maxSurge", 1}, {"maxUnavailable", 0}}}}},
               {"template",
                {{"metadata", {{"labels", labels()}}},
                 {"spec",
                  {{"serviceAccountName", kControl},
                   {"automountServiceAccountToken", true},
                   {"securityContext", locked_pod()},
                   {"containers", Json::array({container(plan)})}}}}}};
  return {
      "The control plane. It needs no disk: what it knows it reads from the API server, and what it makes\n"
      "(certificates, the Lease) it keeps there. While it is away, proxies go on with what they have.",
      {{"apiVersion", "apps/v1"},
       {"kind", "Deployment"},
       {"metadata", {{"name", kControl}, {"namespace", kNamespace}, {"labels", {{"app", kControl}}}}},
       {"spec", std::move(spec)}}};
}

Json service_port(const char* name, int port, int target) {
  return {{"name", name}, {"port", port}, {"targetPort", target}, {"protocol", "TCP"}};
}

Part service() {
  return {
      "15012: where proxies get their configuration, under TLS. 443: where the API server calls the\n"
      "webhooks. 15014: readiness and metrics.",
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata", {{"name", kControl}, {"namespace", kNamespace}, {"labels", {{"app", kControl}}}}},
       {"spec",
        {{"selector", {{"app", kControl}}},
         {"ports", Json::array({service_port("grpc-xds", kXdsPort, kXdsPort),
                                service_port("https-webhooks", 443, kWebhookPort),
                                service_port("http-status", kStatusPort, kStatusPort)})}}}}};
}

Part injection_settings(const Plan& plan) {
  return {
      "How sidecars are injected: read again whenever it changes, and by `weft kube-inject`. Settings that\n"
      "are not here have their defaults; docs/injection.md lists them all.",
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"metadata", {{"name", kInjectorSettings}, {"namespace", kNamespace}}},
       {"data", {{"settings", api::to_yaml(plan.injection)}}}}};
}

}  // namespace

Json locked_container() {
  return {{"allowPrivilegeEscalation", false},
          {"capabilities", {{"drop", Json::array({"ALL"})}}},
          {"privileged", false},
          {"readOnlyRootFilesystem", true}};
}

Json locked_pod() {
  return {{"runAsNonRoot", true},
          {"runAsUser", inject::kProxyUser},
          {"runAsGroup", inject::kProxyUser},
          {"fsGroup", inject::kProxyUser},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

Part control_plane_account() {
  return {"Who the control plane is. Its token goes only into the pods that say so.",
          {{"apiVersion", "v1"},
           {"kind", "ServiceAccount"},
           {"metadata", {{"name", kControl}, {"namespace", kNamespace}}},
           {"automountServiceAccountToken", false}}};
}

Parts control_plane(const Plan& plan) {
  Parts parts;
  parts.push_back(injection_settings(plan));
  parts.push_back(service());
  parts.push_back(deployment(plan));
  return parts;
}

}  // namespace weft::install
