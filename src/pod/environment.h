#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "api/json.h"
#include "base/error.h"
#include "net/address.h"
#include "pod/proxy_config.h"

namespace weft::pod {

/// What a proxy in a pod is: beside an application, or a gateway.
enum class Role : std::uint8_t { kSidecar, kRouter };

using Variables = std::map<std::string, std::string>;
/// Those of this process.
Variables process_variables();

/// What the variables of a pod's proxy container say, checked. A value; see docs/kubernetes.md for the names.
struct Environment {
  Role role = Role::kSidecar;
  std::string pod, ns, domain;
  net::Address ip;  ///< of the pod; its port is 0
  std::string control_host;
  std::uint16_t control_port = 0;
  api::Json metadata = api::Json::object();  ///< of the node: what ISTIO_META_… say, and who the pod is
  ProxyConfig proxy_config;
  std::string probes;        ///< ISTIO_KUBE_APP_PROBERS
  std::string metrics;       ///< ISTIO_PROMETHEUS_ANNOTATIONS
  bool capture_dns = false;  ///< the pod's questions to its name servers come to the proxy
  /// Drain by connections instead of by requests: EXIT_ON_ZERO_ACTIVE_CONNECTIONS.
  bool wait_for_connections = false;

  /// "sidecar~10.0.0.1~reviews-1.default~default.svc.cluster.local".
  std::string node_id() const;

  /// `domain` empty: "<namespace>.svc.cluster.local". Errors: kInvalid, with the variable's name, its value
  /// and what would be right.
  static Result<Environment> read(Role role, std::string domain, Variables variables);
};

}  // namespace weft::pod
