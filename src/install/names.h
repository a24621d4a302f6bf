#pragma once

namespace weft::install {

/// Names that the parts of an installation know each other by (docs/kubernetes.md). They are not settable:
/// the control plane and the sidecars expect them.
inline constexpr const char* kNamespace = "weft-system";
inline constexpr const char* kControl = "weft-control";
inline constexpr const char* kPartOfLabel = "app.kubernetes.io/part-of";
inline constexpr const char* kPartOf = "weft";
inline constexpr const char* kPartOfSelector = "app.kubernetes.io/part-of=weft";
inline constexpr const char* kInjectorSettings = "weft-injector";
inline constexpr const char* kSidecarInjector = "weft-sidecar-injector";
inline constexpr const char* kValidator = "weft-validator";
inline constexpr const char* kRootCertificate = "weft-ca-root-cert";
inline constexpr const char* kAuthority = "weft-ca";
inline constexpr const char* kLeader = "weft-control-leader";
inline constexpr const char* kGatewayClass = "istio";
inline constexpr const char* kGatewayController = "istio.io/gateway-controller";
inline constexpr const char* kRevision = "default";

/// Namespaces whose pods never get a sidecar. kNamespace is one more: the control plane must start when it
/// cannot be asked.
inline constexpr const char* kNeverInjected[] = {"kube-system", "kube-public", "kube-node-lease",
                                                 "local-path-storage"};
/// Namespaces that do not get the root certificate.
inline constexpr const char* kWithoutCertificate[] = {"kube-public", "kube-node-lease", "local-path-storage"};

}  // namespace weft::install
