#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/json.h"
#include "base/error.h"
#include "inject/settings.h"

namespace weft::inject {

/// What one pod asks for by its annotations, with the mesh's settings where it says nothing. Every value has
/// been checked; a wrong one is an error that names the annotation, the value and what would be right.
struct PodOptions {
  enum class Interception : std::uint8_t { kRedirect, kNone };
  /// A sidecar beside an application, or a pod that is a gateway.
  enum class Template : std::uint8_t { kSidecar, kGateway };

  Template form = Template::kSidecar;
  Interception interception = Interception::kRedirect;
  std::string include_outbound_ranges, exclude_outbound_ranges;
  std::string include_inbound_ports, exclude_inbound_ports;
  std::string include_outbound_ports, exclude_outbound_ports;
  std::string exclude_interfaces, virtual_interfaces;
  std::uint16_t status_port = 15020;
  int readiness_delay = 0, readiness_period = 15, readiness_failures = 4;  ///< seconds, seconds, times
  api::Json resources;
  std::string image, log_level;
  bool native = true, hold_application = true, rewrite_probes = true, merge_metrics = true;
  bool capture_dns = false;
  int stale_endpoint_wait = 0;  ///< seconds; 0: none
  /// proxy.istio.io/config as it was written; empty object when there is none.
  api::Json proxy_config = api::Json::object();
  /// Environment for the sidecar: proxyMetadata.
  std::map<std::string, std::string> metadata;
  api::Json user_volumes = api::Json::array(), user_mounts = api::Json::array();
  /// What was asked for and has no effect, by name.
  std::vector<std::string> warnings;

  /// From a pod's metadata (`labels`, `annotations`). Error: kInvalid, the pod's author's fault.
  static Result<PodOptions> read(const api::Json& metadata, const Settings& settings);
};

}  // namespace weft::inject
