#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json.h"
#include "base/error.h"

namespace weft::inject {

/// What injection needs to know besides the pod: the mesh's choices, the same for every pod. On a cluster
/// they are the ConfigMap `weft-injector`; kube-inject without a cluster has these defaults.
///
/// Immutable once read; any thread.
struct Settings {
  enum class Policy : std::uint8_t { kEnabled, kDisabled };

  std::string image = "weft.dev/weft:" WEFT_VERSION;
  std::string image_pull_policy = "IfNotPresent";
  std::vector<std::string> image_pull_secrets;
  /// Where the control plane's TLS port is: host:port.
  std::string discovery_address = "weft-control.weft-system.svc:15012";
  std::string cluster_domain = "cluster.local";
  std::string trust_domain = "cluster.local";
  std::string cluster_id = "Kubernetes";
  std::string mesh_id = "cluster.local";
  std::string revision = "default";
  /// The ConfigMap, present in every namespace, that holds the control plane's root certificate.
  std::string root_certificate_config_map = "weft-ca-root-cert";
  std::string log_level = "warning";
  Policy policy = Policy::kEnabled;
  std::vector<api::Json> never_inject;   ///< label selectors
  std::vector<api::Json> always_inject;  ///< label selectors
  bool native = true;                    ///< a sidecar is an init container that goes on (Kubernetes 1.29)
  bool cluster_has_native = true;        ///< no setting: what fit_to_cluster() was told
  bool hold_application = true;          ///< classic: the application starts when the proxy is ready
  bool rewrite_probes = true;
  bool merge_metrics = true;
  /// How long an application that has no preStop goes on serving after its pod was told to end; 0: not.
  int stale_endpoint_wait = 2;  ///< seconds
  bool pre_stop_sleep = true;   ///< the cluster knows `preStop: {sleep: …}` (Kubernetes 1.30)
  std::uint16_t status_port = 15020;
  std::string include_outbound_ranges = "*", exclude_outbound_ranges;
  std::string include_inbound_ports = "*", exclude_inbound_ports;
  std::string include_outbound_ports, exclude_outbound_ports;
  /// Of the sidecar's container; measured, see docs/injection.md.
  std::string cpu_request = "10m", memory_request = "16Mi", cpu_limit = "2000m", memory_limit = "256Mi";

  /// What the cluster's version has: sidecars as init containers from 1.29, preStop sleep from 1.30. Only
  /// lowers what is set.
  void fit_to_cluster(int minor);

  /// From YAML or JSON with these names in lowerCamelCase. Unknown names and wrong types are rejected.
  static Result<Settings> parse(std::string_view text, std::string_view file_name);
  /// The names that parse() knows.
  static std::vector<std::string_view> names();
};

}  // namespace weft::inject
