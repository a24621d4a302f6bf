#include "inject/warnings.h"

#include <algorithm>
#include <array>

#include "api/json_text.h"
#include "inject/json_access.h"
#include "inject/names.h"

namespace weft::inject {
namespace {

using api::Json;

constexpr std::array<int, 6> kOwnPorts = {15001, 15006, kStatusPort, kHealthPort, 15053, kMetricsPort};
constexpr const char* kOwnPortName = "http-envoy-prom";

/// Which user the redirection leaves alone: the user of the sidecar.
Json proxy_user(const Json& spec) {
  for (const char* list : {"initContainers", "containers"})
    for (const Json& each : json::list(spec, list))
      if (json::string(each, "name") == kProxyContainer)
        if (const Json& user = json::at(json::at(each, "securityContext"), "runAsUser");
            user.is_number_unsigned())
          return user;
  return static_cast<unsigned>(kProxyUser);
}

void look_at_user(const Json& container, const Json& pod_user, const Json& proxy,
                  std::vector<std::string>& warnings) {
  const Json& own = json::at(json::at(container, "securityContext"), "runAsUser");
  if ((own.is_null() ? pod_user : own) == proxy)
    warnings.push_back("container " + json::string(container, "name") + " runs as user " +
                       api::json_text(proxy) +
                       ", the sidecar's, whose connections are not captured; give it another runAsUser");
}

void look_at_ports(const Json& container, std::vector<std::string>& warnings) {
  for (const Json& each : json::list(container, "ports")) {
    const Json& port = json::at(each, "containerPort");
    const std::string name = json::string(container, "name");
    if (std::ranges::any_of(kOwnPorts, [&](int own) { return port == own; }))
      warnings.push_back("container " + name + " has port " + api::json_text(port) +
                         ", on which the sidecar listens; give it another");
    else if (json::string(each, "name") == kOwnPortName)
      warnings.push_back("container " + name + " names a port " + kOwnPortName +
                         ", as the sidecar does; give it another name");
  }
}

std::string remedy_of(std::uint16_t status_port) {
  if (status_port == 0) return ", and nothing can tell that to end without a status port";
  return "; let it POST to http://127.0.0.1:" + std::to_string(status_port) + "/quitquitquit";
}

}  // namespace

std::vector<std::string> warnings_of(const Json& spec, const Owner& owner, const PodOptions& options) {
  std::vector<std::string> warnings;
  const Json& policy = json::at(spec, "dnsPolicy");
  if (!policy.is_null() && policy != "ClusterFirst")
    warnings.push_back("dnsPolicy " + api::json_text(policy) +
                       ": names of the cluster may not resolve in this pod");
  const bool ends = owner.kind == "Job" || owner.kind == "CronJob";
  if (ends && !options.native)
    warnings.push_back("it does not end by itself beside a classic sidecar" + remedy_of(options.status_port));
  const Json proxy = proxy_user(spec);
  const Json& pod_user = json::at(json::at(spec, "securityContext"), "runAsUser");
  for (const char* list : {"initContainers", "containers"})
    for (const Json& each : json::list(spec, list)) {
      const std::string name = json::string(each, "name");
      if (name == kProxyContainer || name == kInitContainer) continue;
      if (options.interception == PodOptions::Interception::kRedirect)
        look_at_user(each, pod_user, proxy, warnings);
      look_at_ports(each, warnings);
    }
  return warnings;
}

}  // namespace weft::inject
