#pragma once

#include <string>

#include "local/container.h"
#include "local/host.h"

namespace weft::local {

inline constexpr std::string_view kSidecarName = "istio-proxy";

/// What a pod's proxy is told at its start: who it is, and where its configuration comes from.
struct SidecarIdentity {
  std::string ns, pod, ip, service_account, app;
  bool gateway = false;
};

/// The Envoy bootstrap of a sidecar or gateway, as JSON. `delta`: over a stream that says what has changed,
/// as our own proxy asks for it.
std::string bootstrap_text(const SidecarIdentity& identity, const std::string& xds_socket, bool delta);

/// A pod's proxy as a container: ours, or the one that annotation `weft.dev/proxy-command` names. `pod` and
/// `interface` outlive it.
Container::Plan sidecar_plan(const Host& host, const api::Object& pod, const PodInterface& interface,
                             const SidecarIdentity& identity, std::vector<Mount> mounts,
                             std::function<void()> on_change);

/// "concurrency: 4" in annotation proxy.istio.io/config; 2 unless given.
int proxy_concurrency(const api::Object& pod);

}  // namespace weft::local
