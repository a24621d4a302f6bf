#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json.h"

namespace weft::inject {

/// What rewrite_probes() changed, by the new path.
struct RewrittenProbes {
  api::Json originals = api::Json::object();   ///< what the sidecar is given as ISTIO_KUBE_APP_PROBERS
  api::Json port_names = api::Json::object();  ///< of ports that were written as names
  std::vector<std::string> warnings;           ///< of ports whose names are not declared
};

/// Sends the kubelet's probes of every container but the sidecar through the sidecar's status port, where no
/// redirection and no identity stands in the way: httpGet, tcpSocket and grpc become an httpGet of
/// /app-health/<container>/{readyz,livez,startupz}; lifecycle hooks by HTTP or TCP one of
/// /app-lifecycle/<container>/{prestopz,poststartz}. Named ports are resolved; exec stays as it is, and so
/// does what asks another host than the pod or a port that is not declared. With a classic sidecar so do
/// startup probes and postStart of init containers, which come before it.
RewrittenProbes rewrite_probes(api::Json& spec, std::uint16_t status_port, bool native);

/// Puts them back.
void restore_probes(api::Json& spec, const RewrittenProbes& previous);

}  // namespace weft::inject
