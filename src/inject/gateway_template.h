#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json.h"
#include "inject/settings.h"

namespace weft::inject {

/// A gateway that is to run as a Deployment: what differs between one and another.
struct GatewayDeployment {
  std::string name, ns, service_account;
  api::Json labels = api::Json::object();       ///< of the Deployment
  api::Json annotations = api::Json::object();  ///< of the Deployment
  api::Json selector = api::Json::object();     ///< labels by which the Deployment knows its pods
  api::Json pod_labels = api::Json::object();   ///< besides the selector's
  api::Json pod_annotations = api::Json::object();
  api::Json owner_references = api::Json::array();
  std::vector<std::uint16_t> ports;  ///< that its pods listen on; any, those below 1024 too
};

/// The whole Deployment (apps/v1): pods that run `weft proxy router` as the user of sidecars, with their
/// environment, volumes and probes. How many there are is left to the cluster and its autoscalers. A pure
/// function.
api::Json gateway_deployment(const GatewayDeployment& gateway, const Settings& settings);

}  // namespace weft::inject
