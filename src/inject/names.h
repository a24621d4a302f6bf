#pragma once

namespace weft::inject {

/// Names by which tools know what was injected.
inline constexpr const char* kProxyContainer = "istio-proxy";
inline constexpr const char* kInitContainer = "istio-init";
inline constexpr const char* kStatusAnnotation = "sidecar.istio.io/status";
inline constexpr const char* kOverridesAnnotation = "proxy.istio.io/overrides";
inline constexpr const char* kStaleEndpointWaitAnnotation = "weft.dev/stale-endpoint-wait-seconds";
inline constexpr const char* kProbersVariable = "ISTIO_KUBE_APP_PROBERS";
inline constexpr const char* kPrometheusVariable = "ISTIO_PROMETHEUS_ANNOTATIONS";
inline constexpr const char* kLowPortsControl = "net.ipv4.ip_unprivileged_port_start";
inline constexpr int kProxyUser = 1337;
inline constexpr int kStatusPort = 15020;
inline constexpr int kHealthPort = 15021;
inline constexpr int kMetricsPort = 15090;

}  // namespace weft::inject
