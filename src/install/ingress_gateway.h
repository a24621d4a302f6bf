#pragma once

#include "install/plan.h"
#include "install/section.h"

namespace weft::install {

/// A gateway that is installed: what it is called, and where it stands.
struct IngressGateway {
  const char* name;  ///< of its Deployment, Service and ServiceAccount, and its label `app`
  const char* ns;
  const char* label;  ///< its label `istio`, by which Gateways select it
};

inline constexpr IngressGateway kIngressGateway = {"istio-ingressgateway", "weft-system", "ingressgateway"};
/// Where the walk-through looks for it.
inline constexpr IngressGateway kWalkthroughIngress = {"istio-ingress", "istio-system", "ingress"};

/// ServiceAccount, Service and Deployment of one gateway. Any thread.
Parts ingress_gateway(const IngressGateway& gateway, const Plan::Entry& entry, const Plan& plan);

/// The class by which Ingresses ask for the mesh's gateways.
Part ingress_class();

}  // namespace weft::install
