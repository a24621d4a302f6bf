#include "inject/gateway_template.h"

#include "inject/names.h"
#include "inject/pod_options.h"
#include "inject/sidecar_template.h"

namespace weft::inject {
namespace {

using api::Json;

Json port(std::uint16_t number, const std::string& name) {
  return {{"containerPort", number}, {"name", name}, {"protocol", "TCP"}};
}

/// A gateway has no application beside it: nothing is captured, no application waits for it, nothing outlives
/// it.
PodOptions options_of(const Settings& settings) {
  PodOptions options;
  options.interception = PodOptions::Interception::kNone;
  options.native = false;
  options.hold_application = false;
  options.status_port = settings.status_port;
  options.readiness_period = 10;
  options.image = settings.image;
  options.log_level = settings.log_level;
  options.resources = {{"limits", {{"cpu", settings.cpu_limit}, {"memory", settings.memory_limit}}},
                       {"requests", {{"cpu", settings.cpu_request}, {"memory", settings.memory_request}}}};
  return options;
}

Json pod_spec(const GatewayDeployment& gateway, const Settings& settings) {
  Json spec = Json::object();
  const Owner owner{"apps/v1", "Deployment", gateway.name, gateway.ns};
  Sidecar made = make_sidecar(spec, owner, options_of(settings), settings, Json(), Json());
  Json& container = made.proxy_container;
  container["args"][1] = "router";
  container["ports"].push_back(port(kHealthPort, "status-port"));
  for (std::uint16_t number : gateway.ports)
    container["ports"].push_back(port(number, "port-" + std::to_string(number)));
  spec["serviceAccountName"] = gateway.service_account;
  spec["terminationGracePeriodSeconds"] = 30;
  // The proxy has no special user, and 80 is the port that clients know.
  spec["securityContext"] = {
      {"sysctls", Json::array({{{"name", "net.ipv4.ip_unprivileged_port_start"}, {"value", "0"}}})}};
  spec["containers"] = Json::array({std::move(container)});
  spec["volumes"] = std::move(made.volumes);
  if (settings.image_pull_secrets.empty()) return spec;
  for (const std::string& name : settings.image_pull_secrets)
    spec["imagePullSecrets"].push_back({{"name", name}});
  return spec;
}

}  // namespace

Json gateway_deployment(const GatewayDeployment& gateway, const Settings& settings) {
  Json metadata = {{"name", gateway.name}, {"namespace", gateway.ns}, {"labels", gateway.labels}};
  if (!gateway.annotations.empty()) metadata["annotations"] = gateway.annotations;
  if (!gateway.owner_references.empty()) metadata["ownerReferences"] = gateway.owner_references;
  Json pod_labels = gateway.selector;
  pod_labels.update(gateway.pod_labels);
  pod_labels["sidecar.istio.io/inject"] = "false";
  Json pod_metadata = {{"labels", std::move(pod_labels)}};
  if (!gateway.pod_annotations.empty()) pod_metadata["annotations"] = gateway.pod_annotations;
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"selector", {{"matchLabels", gateway.selector}}},
            {"template", {{"metadata", std::move(pod_metadata)}, {"spec", pod_spec(gateway, settings)}}}}}};
}

}  // namespace weft::inject
