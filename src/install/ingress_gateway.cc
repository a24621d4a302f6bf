#include "install/ingress_gateway.h"

#include "inject/names.h"
#include "inject/pod_options.h"
#include "inject/sidecar_template.h"
#include "install/control_plane.h"
#include "install/names.h"

namespace weft::install {
namespace {

using api::Json;

constexpr int kHttpPort = 8080, kHttpsPort = 8443;

Json labels_of(const IngressGateway& gateway) { return {{"app", gateway.name}, {"istio", gateway.label}}; }

Json metadata_of(const IngressGateway& gateway) {
  return {{"name", gateway.name}, {"namespace", gateway.ns}, {"labels", labels_of(gateway)}};
}

Json container_port(const char* name, int port) {
  return {{"name", name}, {"containerPort", port}, {"protocol", "TCP"}};
}

/// The program of a sidecar with a sidecar's environment; nothing is captured, and no application waits for
/// it.
inject::Sidecar proxy_of(const IngressGateway& gateway, const Plan& plan) {
  inject::PodOptions options;
  options.interception = inject::PodOptions::Interception::kNone;
  options.native = false;
  options.hold_application = false;
  options.readiness_period = 2;
  options.image = plan.image;
  options.log_level = plan.settings.log_level;
  options.resources = {{"requests", {{"cpu", "20m"}, {"memory", "24Mi"}}}, {"limits", {{"memory", "256Mi"}}}};
  inject::Settings settings = plan.settings;
  settings.image_pull_policy = plan.image_pull_policy;
  const inject::Owner owner{"apps/v1", "Deployment", gateway.name, gateway.ns};
  return inject::make_sidecar(Json::object(), owner, options, settings, Json::object(), nullptr);
}

Json pod_spec(const IngressGateway& gateway, const Plan& plan) {
  inject::Sidecar made = proxy_of(gateway, plan);
  Json& container = made.proxy_container;
  container["args"][1] = "router";
  container.erase("startupProbe");
  for (const auto& port : {container_port("http", kHttpPort), container_port("https", kHttpsPort),
                           container_port("status-port", inject::kHealthPort)})
    container["ports"].push_back(port);
  // Clients that have not heard yet that this pod ends are still served.
  container["lifecycle"] = {{"preStop", {{"sleep", {{"seconds", 2}}}}}};
  Json spec = {{"serviceAccountName", gateway.name},
               // It shows a token of its own audience, and needs no rights at the API server.
               {"automountServiceAccountToken", false},
               {"terminationGracePeriodSeconds", 30},
               {"securityContext", locked_pod()},
               {"containers", Json::array({std::move(container)})},
               {"volumes", std::move(made.volumes)}};
  for (const std::string& secret : plan.settings.image_pull_secrets)
    spec["imagePullSecrets"].push_back({{"name", secret}});
  return spec;
}

Part deployment(const IngressGateway& gateway, const Plan::Entry& entry, const Plan& plan) {
  Json pod_labels = labels_of(gateway);
  pod_labels[kPartOfLabel] = kPartOf;
  pod_labels["sidecar.istio.io/inject"] = "false";
  return {
      "The gateway itself: the program of a sidecar, as a router. It waits until the control plane has\n"
      "published its root certificate.",
      {{"apiVersion", "apps/v1"},
       {"kind", "Deployment"},
       {"metadata", metadata_of(gateway)},
       {"spec",
        {{"replicas", entry.replicas},
         {"selector", {{"matchLabels", labels_of(gateway)}}},
         {"strategy", {{"rollingUpdate", {{"maxSurge", 1}, {"maxUnavailable", 0}}}}},
         {"template",
          {{"metadata", {{"labels", std::move(pod_labels)}}}, {"spec", pod_spec(gateway, plan)}}}}}}};
}

Json service_port(const char* name, int port, int target) {
  return {{"name", name}, {"port", port}, {"targetPort", target}, {"protocol", "TCP"}};
}

Part service(const IngressGateway& gateway, const Plan::Entry& entry) {
  Json http = service_port("http2", 80, kHttpPort);
  if (entry.node_port != 0) http["nodePort"] = entry.node_port;
  return {
      "Where requests from outside come in. A Gateway that says port 80 listens on the pods' 8080.",
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata", metadata_of(gateway)},
       {"spec",
        {{"type", entry.type},
         {"selector", labels_of(gateway)},
         {"ports", Json::array({std::move(http), service_port("https", 443, kHttpsPort),
                                service_port("status-port", inject::kHealthPort, inject::kHealthPort)})}}}}};
}

}  // namespace

Parts ingress_gateway(const IngressGateway& gateway, const Plan::Entry& entry, const Plan& plan) {
  Parts parts;
  parts.push_back({"Who the gateway is: its certificate and what it may be told follow from this account.",
                   {{"apiVersion", "v1"},
                    {"kind", "ServiceAccount"},
                    {"metadata", metadata_of(gateway)},
                    {"automountServiceAccountToken", false}}});
  parts.push_back(service(gateway, entry));
  parts.push_back(deployment(gateway, entry, plan));
  return parts;
}

Part ingress_class() {
  return {
      "Ingresses with ingressClassName istio, or with the older annotation kubernetes.io/ingress.class:\n"
      "istio, are served by the mesh's gateways.",
      {{"apiVersion", "networking.k8s.io/v1"},
       {"kind", "IngressClass"},
       {"metadata", {{"name", "istio"}}},
       {"spec", {{"controller", "istio.io/ingress-controller"}}}}};
}

}  // namespace weft::install
