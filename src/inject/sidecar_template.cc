#include "inject/sidecar_template.h"

#include <utility>

#include "api/json_room.h"
#include "base/strings.h"
#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

/// The same text whatever the order of members.
std::string in_order(const Json& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Json field_variable(const char* name, const char* path) {
  Json made = Json::object();
  api::reserve_members(made, 2);
  made["name"] = name;
  made["valueFrom"]["fieldRef"]["fieldPath"] = path;
  return made;
}

Json variable(const std::string& name, std::string value) {
  Json made = Json::object();
  api::reserve_members(made, 2);
  made["name"] = name;
  made["value"] = std::move(value);
  return made;
}

/// One whose value Kubernetes must hand over as it is: "$(NAME)" would be expanded.
Json exact_variable(const std::string& name, const std::string& value) {
  std::string escaped;
  for (const char c : value) escaped.append(c == '$' ? 2 : 1, c);
  return variable(name, std::move(escaped));
}

std::string excluded_inbound(const PodOptions& options) {
  std::string ports = std::to_string(kMetricsPort) + "," + std::to_string(kHealthPort);
  if (options.status_port != 0) ports += "," + std::to_string(options.status_port);
  return options.exclude_inbound_ports.empty() ? ports : ports + "," + options.exclude_inbound_ports;
}

Json capture_arguments(const PodOptions& options) {
  Json arguments = {"capture",
                    "-p",
                    "15001",
                    "-z",
                    "15006",
                    "-u",
                    std::to_string(kProxyUser),
                    "-m",
                    "REDIRECT",
                    "-i",
                    options.include_outbound_ranges,
                    "-x",
                    options.exclude_outbound_ranges,
                    "-b",
                    options.include_inbound_ports,
                    "-d",
                    excluded_inbound(options)};
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    arguments.push_back(name);
    arguments.push_back(value);
  };
  add("-q", options.include_outbound_ports);
  add("-o", options.exclude_outbound_ports);
  add("-k", options.virtual_interfaces);
  add("-c", options.exclude_interfaces);
  if (options.capture_dns) arguments.push_back("--redirect-dns");
  return arguments;
}

Json init_container(const PodOptions& options, const Settings& settings) {
  return {{"name", kInitContainer},
          {"image", options.image},
          {"imagePullPolicy", settings.image_pull_policy},
          {"args", capture_arguments(options)},
          {"env", Json::array({field_variable("INSTANCE_IP", "status.podIP")})},
          {"resources", options.resources},
          {"securityContext",
           {{"allowPrivilegeEscalation", false},
            {"capabilities", {{"add", Json::array({"NET_ADMIN"})}, {"drop", Json::array({"ALL"})}}},
            {"privileged", false},
            {"readOnlyRootFilesystem", true},
            {"runAsGroup", 0},
            {"runAsNonRoot", false},
            {"runAsUser", 0}}}};
}

/// The ports that the application's containers declare.
Json pod_ports(const Json& spec) {
  Json all = Json::array();
  for (const Json& container : json::list(spec, "containers"))
    for (const Json& port : json::list(container, "ports")) all.push_back(port);
  return all;
}

std::string application_containers(const Json& spec) {
  std::string names;
  for (const Json& container : json::list(spec, "containers"))
    names += (names.empty() ? "" : ",") + json::string(container, "name");
  return names;
}

std::string owner_reference(const Owner& owner) {
  return "kubernetes://apis/" + owner.api_version + "/namespaces/" + owner.ns + "/" + to_lower(owner.kind) +
         "s/" + owner.name;
}

void add_identity(Json& environment, const Json& spec, const Owner& owner, const Settings& settings) {
  environment.push_back(field_variable("POD_NAME", "metadata.name"));
  environment.push_back(field_variable("POD_NAMESPACE", "metadata.namespace"));
  environment.push_back(field_variable("INSTANCE_IP", "status.podIP"));
  environment.push_back(field_variable("SERVICE_ACCOUNT", "spec.serviceAccountName"));
  environment.push_back(field_variable("HOST_IP", "status.hostIP"));
  environment.push_back(field_variable("ISTIO_META_NODE_NAME", "spec.nodeName"));
  environment.push_back(variable("CA_ADDR", settings.discovery_address));
  environment.push_back(variable("ISTIO_META_CLUSTER_ID", settings.cluster_id));
  environment.push_back(variable("ISTIO_META_MESH_ID", settings.mesh_id));
  environment.push_back(variable("TRUST_DOMAIN", settings.trust_domain));
  environment.push_back(exact_variable("ISTIO_META_POD_PORTS", in_order(pod_ports(spec))));
  environment.push_back(variable("ISTIO_META_APP_CONTAINERS", application_containers(spec)));
  if (!owner.name.empty()) {
    environment.push_back(variable("ISTIO_META_WORKLOAD_NAME", owner.name));
    environment.push_back(variable("ISTIO_META_OWNER", owner_reference(owner)));
  }
}

/// A name stands once: the pod's own value is the one.
void set_variable(Json& environment, Json wanted) {
  for (Json& each : environment)
    if (each["name"] == wanted["name"]) return (void)(each = std::move(wanted));
  environment.push_back(std::move(wanted));
}

Json environment_of(const Json& spec, const Owner& owner, const PodOptions& options, const Settings& settings,
                    const Json& probers, const Json& prometheus) {
  Json environment = Json::array();
  add_identity(environment, spec, owner, settings);
  const bool none = options.interception == PodOptions::Interception::kNone;
  if (options.form == PodOptions::Template::kSidecar)
    environment.push_back(variable("ISTIO_META_INTERCEPTION_MODE", none ? "NONE" : "REDIRECT"));
  Json config = options.proxy_config;
  if (options.status_port != kStatusPort) config["statusPort"] = options.status_port;
  environment.push_back(exact_variable("PROXY_CONFIG", in_order(config)));
  for (const auto& [name, value] : options.metadata) set_variable(environment, variable(name, value));
  if (!probers.empty()) environment.push_back(exact_variable(kProbersVariable, in_order(probers)));
  if (!prometheus.is_null()) environment.push_back(exact_variable(kPrometheusVariable, in_order(prometheus)));
  return environment;
}

Json mounts_of(const PodOptions& options) {
  Json mounts = {{{"name", "istiod-ca-cert"}, {"mountPath", "/var/run/secrets/istio"}, {"readOnly", true}},
                 {{"name", "istio-token"}, {"mountPath", "/var/run/secrets/tokens"}, {"readOnly", true}},
                 {{"name", "istio-podinfo"}, {"mountPath", "/etc/istio/pod"}, {"readOnly", true}}};
  for (const Json& each : options.user_mounts) mounts.push_back(each);
  return mounts;
}

Json probe(int port, const char* path, int delay, int period, int failures) {
  return {{"failureThreshold", failures},
          {"httpGet", {{"path", path}, {"port", port}}},
          {"initialDelaySeconds", delay},
          {"periodSeconds", period},
          {"timeoutSeconds", 3}};
}

Json drain_command(const PodOptions& options) {
  Json command = {"/weft", "proxy", "drain"};
  if (options.status_port != kStatusPort)
    for (const std::string& each : {std::string("--status-port"), std::to_string(options.status_port)})
      command.push_back(each);
  return command;
}

void add_lifecycle(Json& container, const PodOptions& options) {
  if (options.native) {
    container["restartPolicy"] = "Always";
    // The proxy hears of it on its status port alone.
    if (options.status_port != 0)
      container["lifecycle"] = {{"preStop", {{"exec", {{"command", drain_command(options)}}}}}};
  } else if (options.hold_application) {
    container["lifecycle"] = {{"postStart", {{"exec", {{"command", {"/weft", "proxy", "wait"}}}}}}};
  }
}

Json metrics_port() {
  return {{"containerPort", kMetricsPort}, {"name", "http-envoy-prom"}, {"protocol", "TCP"}};
}

/// Made once, and copied.
const Json& proxy_rights() {
  static const Json kRights = {{"allowPrivilegeEscalation", false},
                               {"capabilities", {{"drop", Json::array({"ALL"})}}},
                               {"privileged", false},
                               {"readOnlyRootFilesystem", true},
                               {"runAsGroup", kProxyUser},
                               {"runAsNonRoot", true},
                               {"runAsUser", kProxyUser}};
  return kRights;
}

Json proxy_container(Json environment, const PodOptions& options, const Settings& settings) {
  const bool gateway = options.form == PodOptions::Template::kGateway;
  Json container = Json::object();
  constexpr std::size_t kMembers = 16;
  api::reserve_members(container, kMembers);
  container["name"] = kProxyContainer;
  container["image"] = options.image;
  container["imagePullPolicy"] = settings.image_pull_policy;
  container["args"] = {"proxy",       gateway ? "router" : "sidecar",
                       "--domain",    "$(POD_NAMESPACE).svc." + settings.cluster_domain,
                       "--log-level", options.log_level};
  container["ports"] = Json::array({metrics_port()});
  container["env"] = std::move(environment);
  container["resources"] = options.resources;
  container["securityContext"] = proxy_rights();
  container["volumeMounts"] = mounts_of(options);
  if (options.status_port != 0) {
    if (!gateway) container["startupProbe"] = probe(kHealthPort, "/healthz/ready", 0, 1, 600);
    container["readinessProbe"] = probe(kHealthPort, "/healthz/ready", options.readiness_delay,
                                        options.readiness_period, options.readiness_failures);
  }
  add_lifecycle(container, options);
  return container;
}

Json volumes_of(const PodOptions& options, const Settings& settings) {
  const auto downward = [](const char* path, const char* field) {
    return Json{{"path", path}, {"fieldRef", {{"fieldPath", field}}}};
  };
  const Json token = {{"audience", "istio-ca"}, {"expirationSeconds", 43200}, {"path", "istio-token"}};
  Json volumes = {
      {{"name", "istiod-ca-cert"}, {"configMap", {{"name", settings.root_certificate_config_map}}}},
      {{"name", "istio-token"},
       {"projected", {{"sources", Json::array({{{"serviceAccountToken", token}}})}}}},
      {{"name", "istio-podinfo"},
       {"downwardAPI",
        {{"items", Json::array({downward("labels", "metadata.labels"),
                                downward("annotations", "metadata.annotations")})}}}}};
  for (const Json& each : options.user_volumes) volumes.push_back(each);
  return volumes;
}

}  // namespace

Sidecar make_sidecar(const Json& spec, const Owner& owner, const PodOptions& options,
                     const Settings& settings, const Json& probers, const Json& prometheus) {
  Sidecar made;
  if (options.interception == PodOptions::Interception::kRedirect)
    made.init_container = init_container(options, settings);
  made.proxy_container =
      proxy_container(environment_of(spec, owner, options, settings, probers, prometheus), options, settings);
  made.volumes = volumes_of(options, settings);
  return made;
}

}  // namespace weft::inject
