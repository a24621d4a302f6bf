#include "api/schema/formats.h"
#include "api/schema/tables.h"

namespace weft::api {
namespace {

constexpr Field kNamespaceSpecFields[] = {text("finalizers").list().ignored()};
constexpr Schema kNamespaceSpec{kNamespaceSpecFields};
constexpr Field kNamespaceFields[] = {api_version(), kind(), metadata(), object("spec", kNamespaceSpec),
                                      status()};

constexpr std::string_view kProtocols[] = {"TCP"};
constexpr std::string_view kOtherProtocols[] = {"UDP", "SCTP"};
constexpr Field kServicePortFields[] = {
    text("name", port_name),
    port("port").required(),
    one_of("protocol", kProtocols).rejecting(kOtherProtocols, "the mesh carries TCP; remove this port"),
    int_or_text("targetPort", port_name_or_number),
    text("appProtocol", not_empty),
    port("nodePort").ignored(),
};
constexpr Schema kServicePort{kServicePortFields};

constexpr std::string_view kServiceTypes[] = {"ClusterIP", "NodePort", "LoadBalancer"};
constexpr std::string_view kOtherServiceTypes[] = {"ExternalName"};
constexpr std::string_view kAffinities[] = {"None"};
constexpr std::string_view kOtherAffinities[] = {"ClientIP"};
constexpr Field kServiceSpecFields[] = {
    text("selector", label_value).map().keys(label_key),
    object("ports", kServicePort).list(),
    one_of("type", kServiceTypes).rejecting(kOtherServiceTypes, "name the external host where it is used"),
    text("clusterIP"),
    text("clusterIPs").list(),
    one_of("sessionAffinity", kAffinities).rejecting(kOtherAffinities, "remove it"),
    text("ipFamilies").list().ignored(),
    text("ipFamilyPolicy").ignored(),
    text("internalTrafficPolicy").ignored(),
    text("externalTrafficPolicy").ignored(),
    flag("publishNotReadyAddresses"),
    flag("allocateLoadBalancerNodePorts").ignored(),
    text("loadBalancerClass").ignored(),
    later("sessionAffinityConfig", "remove it"),
    later("externalIPs", "publish ports through a Gateway or an Ingress"),
    later("externalName", "name the external host where it is used"),
    later("loadBalancerIP", "remove it"),
    later("loadBalancerSourceRanges", "remove it"),
    later("healthCheckNodePort", "remove it"),
    later("trafficDistribution", "remove it"),
};
constexpr Schema kServiceSpec{kServiceSpecFields};
constexpr Field kServiceFields[] = {api_version(), kind(), metadata(),
                                    object("spec", kServiceSpec).required(), status()};

constexpr Field kReferenceFields[] = {text("name", dns_subdomain)};
constexpr Schema kReference{kReferenceFields};
constexpr Field kServiceAccountFields[] = {
    api_version(),
    kind(),
    metadata(),
    flag("automountServiceAccountToken").ignored(),
    object("imagePullSecrets", kReference).list().ignored(),
    object("secrets", kReference).list().ignored(),
};

constexpr Field kConfigMapFields[] = {
    api_version(),
    kind(),
    metadata(),
    text("data").map().keys(config_key),
    text("binaryData", base64).map().keys(config_key),
    flag("immutable"),
};
constexpr Field kSecretFields[] = {
    api_version(),
    kind(),
    metadata(),
    text("data", base64).map().keys(config_key),
    text("stringData").map().keys(config_key),
    text("type"),
    flag("immutable"),
};

}  // namespace

constexpr Schema kNamespace{kNamespaceFields};
constexpr Schema kService{kServiceFields};
constexpr Schema kServiceAccount{kServiceAccountFields};
constexpr Schema kConfigMap{kConfigMapFields};
constexpr Schema kSecret{kSecretFields};

}  // namespace weft::api
