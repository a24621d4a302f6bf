#pragma once

#include <memory>
#include <string>

#include "control/registry.h"
#include "control/translation/gateway_api.h"
#include "control/translation/resource_set.h"
#include "control/translation/rules.h"
#include "control/world.h"

namespace weft::control {

/// Who a configuration is for.
struct ProxyIdentity {
  enum class Kind : std::uint8_t { kSidecar, kGateway };
  Kind kind = Kind::kSidecar;
  std::string ns, pod, service_account;
  Labels labels;
  bool ipv6 = false;  ///< its pod's first address is one of IPv6: capture then has rules for both families
  std::string id() const { return pod + "." + ns; }
};

/// One World, read for translation. Immutable.
struct Inputs {
  explicit Inputs(WorldPtr from, std::uint64_t number = 1)
      : world(std::move(from)),
        generation(number),
        registry(*world),
        rules(*world, registry),
        gateway_api(*world, registry) {}
  WorldPtr world;
  std::uint64_t generation;  ///< grows with each change that translation could see
  Registry registry;
  Rules rules;
  GatewayApi gateway_api;
};

/// What `proxy` is to run. A pure function: the same objects and identity give the same bytes.
ResourceSet translate(const Inputs& inputs, const ProxyIdentity& proxy);

/// Whether a proxy listens at this port for itself: administration, capture, probes. No gateway can have it.
bool is_proxys_own(std::uint16_t port);

/// Where a gateway listens for a server's `port`: what a Service that selects its pod maps it to, or the port
/// itself. The one-machine gateway, which has no Pod, is behind istio-ingressgateway in istio-system.
std::uint16_t gateway_listener_port(const Registry& registry, const ProxyIdentity& proxy, std::uint16_t port);

}  // namespace weft::control
