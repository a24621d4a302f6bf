#pragma once

#include <cstdint>

#include "api/json.h"

namespace weft::inject {

/// Sends the kubelet's probes of every container but the sidecar through the sidecar's status port, where no
/// redirection and no identity stands in the way: httpGet, tcpSocket and grpc become an httpGet of
/// /app-health/<container>/{readyz,livez,startupz}; lifecycle hooks by HTTP or TCP one of
/// /app-lifecycle/<container>/{prestopz,poststartz}. Named ports are resolved; exec stays as it is, and so
/// does what asks another host than the pod.
///
/// Returns the originals by path: what the sidecar is given as ISTIO_KUBE_APP_PROBERS.
api::Json rewrite_probes(api::Json& spec, std::uint16_t status_port);

/// Puts the originals back.
void restore_probes(api::Json& spec, const api::Json& originals);

}  // namespace weft::inject
