#include "api/schema/formats.h"

#include <charconv>
#include "api/schema/tables.h"

namespace weft::api {
namespace {

constexpr std::string_view kAddressTypes[] = {"IPv4", "IPv6"};
constexpr std::string_view kProtocols[] = {"TCP"};
constexpr std::string_view kOtherProtocols[] = {"UDP", "SCTP"};
constexpr Field kConditionsFields[] = {flag("ready"), flag("serving"), flag("terminating")};
constexpr Schema kConditions{kConditionsFields};
constexpr Field kTargetFields[] = {text("kind"),     text("name"),       text("namespace"),
                                   text("uid"),      text("apiVersion"), text("resourceVersion"),
                                   text("fieldPath")};
constexpr Schema kTarget{kTargetFields};
constexpr Field kEndpointFields[] = {
    text("addresses", ip_address).list().required(),
    object("conditions", kConditions),
    text("hostname", dns_label),
    object("targetRef", kTarget),
    text("nodeName"),
    text("zone"),
    raw("hints").ignored(),
    text("deprecatedTopology").map().ignored(),
};
constexpr Schema kEndpoint{kEndpointFields};
// A slice's port may have an empty name: that of a Service with one unnamed port.
constexpr Field kEndpointPortFields[] = {
    text("name"), port("port"), text("appProtocol"),
    one_of("protocol", kProtocols).rejecting(kOtherProtocols, "the mesh carries TCP; remove this port")};
constexpr Schema kEndpointPort{kEndpointPortFields};
constexpr Field kEndpointSliceFields[] = {
    api_version(),
    kind(),
    metadata(),
    one_of("addressType", kAddressTypes).required(),
    object("endpoints", kEndpoint).list(),
    object("ports", kEndpointPort).list(),
};

constexpr std::string_view kPortChoice[] = {"number", "name"};
constexpr Field kBackendPortFields[] = {port("number"), text("name", port_name)};
constexpr Schema kBackendPort{kBackendPortFields, kPortChoice, true};
constexpr Field kBackendServiceFields[] = {text("name", service_name).required(),
                                           object("port", kBackendPort).required()};
constexpr Schema kBackendService{kBackendServiceFields};
constexpr Field kBackendFields[] = {object("service", kBackendService).required(),
                                    later("resource", "name a service")};
constexpr Schema kBackend{kBackendFields};
/// ImplementationSpecific paths may be empty; check_rules rejects it of the others.
std::string path_or_nothing(std::string_view text) {
  return text.empty() ? std::string() : absolute_path(text);
}

constexpr std::string_view kPathTypes[] = {"Exact", "Prefix", "ImplementationSpecific"};
constexpr Field kPathFields[] = {text("path", path_or_nothing), one_of("pathType", kPathTypes).required(),
                                 object("backend", kBackend).required()};
constexpr Schema kPath{kPathFields};
constexpr Field kHttpFields[] = {object("paths", kPath).list().required()};
constexpr Schema kHttp{kHttpFields};
constexpr Field kRuleFields[] = {text("host", host_or_wildcard), object("http", kHttp)};
constexpr Schema kRule{kRuleFields};
constexpr std::string_view kTlsAdvice = "certificates come later; serve HTTP";
constexpr Field kIngressSpecFields[] = {
    text("ingressClassName", dns_subdomain),
    object("defaultBackend", kBackend),
    object("rules", kRule).list(),
    later("tls", kTlsAdvice),
};
constexpr Schema kIngressSpec{kIngressSpecFields};
constexpr Field kIngressFields[] = {api_version(), kind(), metadata(),
                                    object("spec", kIngressSpec).required(), status()};

/// The old versions took a number in quotes too; convert() makes it one.
std::string old_port(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? std::string()
                                                                                : port_name(text);
}

constexpr Field kOldBackendFields[] = {text("serviceName", service_name).required(),
                                       int_or_text("servicePort", old_port).required(),
                                       later("resource", "name a service")};
constexpr Schema kOldBackend{kOldBackendFields};
constexpr Field kOldPathFields[] = {text("path", path_or_nothing), one_of("pathType", kPathTypes),
                                    object("backend", kOldBackend).required()};
constexpr Schema kOldPath{kOldPathFields};
constexpr Field kOldHttpFields[] = {object("paths", kOldPath).list().required()};
constexpr Schema kOldHttp{kOldHttpFields};
constexpr Field kOldRuleFields[] = {text("host", host_or_wildcard), object("http", kOldHttp)};
constexpr Schema kOldRule{kOldRuleFields};
constexpr Field kOldIngressSpecFields[] = {
    text("ingressClassName", dns_subdomain),
    object("backend", kOldBackend),
    object("rules", kOldRule).list(),
    later("tls", kTlsAdvice),
};
constexpr Schema kOldIngressSpec{kOldIngressSpecFields};
constexpr Field kOldIngressFields[] = {api_version(), kind(), metadata(),
                                       object("spec", kOldIngressSpec).required(), status()};

constexpr Field kIngressClassSpecFields[] = {text("controller", not_empty), later("parameters", "remove it")};
constexpr Schema kIngressClassSpec{kIngressClassSpecFields};
constexpr Field kIngressClassFields[] = {api_version(), kind(), metadata(),
                                         object("spec", kIngressClassSpec)};

}  // namespace

constexpr Schema kEndpointSlice{kEndpointSliceFields};
constexpr Schema kIngress{kIngressFields};
constexpr Schema kIngressV1Beta1{kOldIngressFields};
constexpr Schema kIngressClass{kIngressClassFields};

}  // namespace weft::api
