#pragma once

#include <memory>
#include <string>

#include "control/translation/push_context.h"
#include "control/translation/resource_set.h"

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

/// What `proxy` is to run, as it is written: what no proxy would accept is in it. A pure function: the same
/// objects and identity give the same bytes. Translator does it for many proxies.
ResourceSet translate(const PushContext& push, const ProxyIdentity& proxy);

/// Whether a proxy listens at this port for itself: administration, capture, probes. No gateway can have it.
bool is_proxys_own(std::uint16_t port);
/// Whether a pod of these labels is a gateway, and no sidecar: it carries istio: ingressgateway or ingress,
/// or was made for one Gateway.
bool is_gateway(const Labels& labels);

/// Where a gateway listens for a server's `port`: what a Service that selects its pod maps it to, or the port
/// itself. The one-machine gateway, which has no Pod, is behind istio-ingressgateway in istio-system.
std::uint16_t gateway_listener_port(const Registry& registry, const ProxyIdentity& proxy, std::uint16_t port);

}  // namespace weft::control
