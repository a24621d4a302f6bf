#include <algorithm>
#include <string>

#include "api/schema/formats.h"
#include "api/schema/tables.h"

namespace weft::api {
namespace {

// Hostnames of the Gateway API are names or *.names; "every host" is said by leaving them out.
std::string route_host(std::string_view text) {
  if (text == "*") return "must be a host name or one that begins with *.; leave it out for all hosts";
  if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; })) return "must be in lower case";
  return host_or_wildcard(text);
}
template <std::size_t kMax>
std::string matched_value(std::string_view text) {
  return !text.empty() && text.size() <= kMax ? std::string()
                                              : "must have 1 to " + std::to_string(kMax) + " characters";
}
/// What takes the place of a matched prefix: nothing takes it away.
std::string prefix_or_nothing(std::string_view text) {
  return text.empty() ? std::string() : request_target(text);
}
std::string group_name(std::string_view text) { return text.empty() ? std::string() : dns_subdomain(text); }
/// The spec's own durations: up to four numbers with h, m, s or ms, no fractions (GEP-2257).
std::string whole_duration(std::string_view text) {
  if (text.find_first_not_of("0123456789hms") != text.npos)
    return "must be a duration in whole numbers such as 10s, 500ms or 1h30m";
  return duration_or_zero(text);
}

constexpr Field kClassSpecFields[] = {
    text("controllerName", not_empty).required(),
    text("description"),
    later("parametersRef", "remove it; gateways of a class are all deployed alike"),
};
constexpr Schema kClassSpec{kClassSpecFields};
constexpr Field kClassFields[] = {api_version(), kind(), metadata(), object("spec", kClassSpec).required(),
                                  status()};

constexpr std::string_view kFrom[] = {"All", "Same", "Selector", "None"};
constexpr Field kRouteNamespacesFields[] = {
    one_of("from", kFrom),
    object("selector", kLabelSelectorSchema),
};
constexpr Schema kRouteNamespaces{kRouteNamespacesFields};
constexpr Field kRouteKindFields[] = {text("group", group_name), text("kind", not_empty).required()};
constexpr Schema kRouteKind{kRouteKindFields};
constexpr Field kAllowedRoutesFields[] = {object("namespaces", kRouteNamespaces),
                                          object("kinds", kRouteKind).list()};
constexpr Schema kAllowedRoutes{kAllowedRoutesFields};

constexpr std::string_view kProtocols[] = {"HTTP"};
constexpr std::string_view kOtherProtocols[] = {"HTTPS", "TLS", "TCP", "UDP"};
constexpr Field kListenerFields[] = {
    text("name", dns_subdomain).required(),
    text("hostname", route_host),
    port("port").required(),
    one_of("protocol", kProtocols).rejecting(kOtherProtocols, "write HTTP").required(),
    object("allowedRoutes", kAllowedRoutes),
    later("tls", "certificates come later; serve HTTP"),
};
constexpr Schema kListener{kListenerFields};

constexpr std::string_view kAddressTypes[] = {"Hostname"};
constexpr std::string_view kOtherAddressTypes[] = {"IPAddress", "NamedAddress"};
constexpr Field kAddressFields[] = {
    one_of("type", kAddressTypes)
        .rejecting(kOtherAddressTypes, "name the Service of a gateway that is there, or remove addresses"),
    text("value", host).required(),
};
constexpr Schema kAddress{kAddressFields};
constexpr Field kInfrastructureFields[] = {
    text("labels", label_value).map().keys(label_key),
    text("annotations").map().keys(label_key),
    later("parametersRef", "remove it; write labels and annotations here"),
};
constexpr Schema kInfrastructure{kInfrastructureFields};
constexpr Field kApiGatewaySpecFields[] = {
    text("gatewayClassName", dns_subdomain).required(),
    object("listeners", kListener).list().required(),
    object("addresses", kAddress).list(),
    object("infrastructure", kInfrastructure),
    later("allowedListeners", "write the listeners here"),
    later("backendTLS", "certificates come later"),
    later("tls", "certificates come later"),
    later("defaultScope", "name the gateway in each route's parentRefs"),
};
constexpr Schema kApiGatewaySpec{kApiGatewaySpecFields};
constexpr Field kApiGatewayFields[] = {api_version(), kind(), metadata(),
                                       object("spec", kApiGatewaySpec).required(), status()};

constexpr Field kParentFields[] = {
    text("group", group_name),          text("kind", not_empty),
    text("namespace", dns_label),       text("name", not_empty).required(),
    text("sectionName", dns_subdomain), port("port"),
};
constexpr Schema kParent{kParentFields};

constexpr std::string_view kPathTypes[] = {"Exact", "PathPrefix", "RegularExpression"};
constexpr Field kPathMatchFields[] = {one_of("type", kPathTypes), text("value")};
constexpr Schema kPathMatch{kPathMatchFields};
constexpr std::string_view kTextTypes[] = {"Exact", "RegularExpression"};
constexpr Field kHeaderMatchFields[] = {one_of("type", kTextTypes), text("name", header_name).required(),
                                        text("value", matched_value<4096>).required()};
constexpr Schema kHeaderMatch{kHeaderMatchFields};
constexpr Field kQueryMatchFields[] = {one_of("type", kTextTypes), text("name", not_empty).required(),
                                       text("value", matched_value<1024>).required()};
constexpr Schema kQueryMatch{kQueryMatchFields};
constexpr std::string_view kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH"};
constexpr Field kMatchFields[] = {
    object("path", kPathMatch),
    object("headers", kHeaderMatch).list(),
    object("queryParams", kQueryMatch).list(),
    one_of("method", kMethods),
};
constexpr Schema kMatch{kMatchFields};

constexpr Field kHeaderFields[] = {text("name", changed_header).required(),
                                   text("value", header_value).required()};
constexpr Schema kHeader{kHeaderFields};
constexpr Field kHeaderFilterFields[] = {object("set", kHeader).list(), object("add", kHeader).list(),
                                         text("remove", changed_header).list()};
constexpr Schema kHeaderFilter{kHeaderFilterFields};
constexpr std::string_view kPathChanges[] = {"ReplaceFullPath", "ReplacePrefixMatch"};
constexpr std::string_view kPathChangeValues[] = {"replaceFullPath", "replacePrefixMatch"};
constexpr Field kPathChangeFields[] = {one_of("type", kPathChanges).required(),
                                       text("replaceFullPath", location_path),
                                       text("replacePrefixMatch", prefix_or_nothing)};
constexpr Schema kPathChange{kPathChangeFields, kPathChangeValues, true};
constexpr std::string_view kSchemes[] = {"http", "https"};
constexpr Field kRedirectFields[] = {
    one_of("scheme", kSchemes),      text("hostname", host), object("path", kPathChange), port("port"),
    integer("statusCode", 301, 308),
};
constexpr Schema kRedirect{kRedirectFields};
constexpr Field kRewriteFields[] = {text("hostname", host), object("path", kPathChange)};
constexpr Schema kRewrite{kRewriteFields};

constexpr std::string_view kFilterTypes[] = {"RequestHeaderModifier", "ResponseHeaderModifier",
                                             "RequestRedirect", "URLRewrite"};
constexpr std::string_view kBackendFilterTypes[] = {"RequestHeaderModifier", "ResponseHeaderModifier"};
constexpr std::string_view kOtherFilterTypes[] = {"RequestMirror", "ExtensionRef", "CORS", "ExternalAuth"};
constexpr std::string_view kOtherBackendFilterTypes[] = {"RequestRedirect", "URLRewrite", "RequestMirror",
                                                         "ExtensionRef",    "CORS",       "ExternalAuth"};
constexpr std::string_view kFilterAdvice = "remove the filter; the rule works without";
constexpr Field kFilterFields[] = {
    one_of("type", kFilterTypes).rejecting(kOtherFilterTypes, kFilterAdvice).required(),
    object("requestHeaderModifier", kHeaderFilter),
    object("responseHeaderModifier", kHeaderFilter),
    object("requestRedirect", kRedirect),
    object("urlRewrite", kRewrite),
    later("requestMirror", kFilterAdvice),
    later("extensionRef", kFilterAdvice),
    later("cors", "let the application respond to preflight requests"),
    later("externalAuth", kFilterAdvice),
};
constexpr Schema kFilter{kFilterFields};
constexpr Field kBackendFilterFields[] = {
    one_of("type", kBackendFilterTypes)
        .rejecting(kOtherBackendFilterTypes, "write it among the filters of the rule, or remove it")
        .required(),
    object("requestHeaderModifier", kHeaderFilter),
    object("responseHeaderModifier", kHeaderFilter),
    later("requestRedirect", "write it among the filters of the rule"),
    later("urlRewrite", "write it among the filters of the rule"),
    later("requestMirror", kFilterAdvice),
    later("extensionRef", kFilterAdvice),
    later("cors", "let the application respond to preflight requests"),
    later("externalAuth", kFilterAdvice),
};
constexpr Schema kBackendFilter{kBackendFilterFields};

constexpr Field kBackendFields[] = {
    text("group", group_name),
    text("kind", not_empty),
    text("namespace", dns_label),
    text("name", not_empty).required(),
    port("port"),
    integer("weight", 0, 1'000'000),
    object("filters", kBackendFilter).list(),
};
constexpr Schema kBackend{kBackendFields};
constexpr Field kTimeoutsFields[] = {text("request", whole_duration), text("backendRequest", whole_duration)};
constexpr Schema kTimeouts{kTimeoutsFields};
constexpr Field kRuleFields[] = {
    text("name", dns_subdomain),
    object("matches", kMatch).list(),
    object("filters", kFilter).list(),
    object("backendRefs", kBackend).list(),
    object("timeouts", kTimeouts),
    later("retry", "remove it; a failed connection is tried again twice"),
    later("sessionPersistence", "remove it").even_empty(),
};
constexpr Schema kRule{kRuleFields};
constexpr Field kHttpRouteSpecFields[] = {
    object("parentRefs", kParent).list(),
    text("hostnames", route_host).list(),
    object("rules", kRule).list(),
    later("useDefaultGateways", "name the gateway in parentRefs"),
};
constexpr Schema kHttpRouteSpec{kHttpRouteSpecFields};
constexpr Field kHttpRouteFields[] = {api_version(), kind(), metadata(),
                                      object("spec", kHttpRouteSpec).required(), status()};

constexpr Field kGrantFromFields[] = {text("group", group_name).required(),
                                      text("kind", not_empty).required(),
                                      text("namespace", dns_label).required()};
constexpr Schema kGrantFrom{kGrantFromFields};
constexpr Field kGrantToFields[] = {text("group", group_name).required(), text("kind", not_empty).required(),
                                    text("name", not_empty)};
constexpr Schema kGrantTo{kGrantToFields};
constexpr Field kGrantSpecFields[] = {object("from", kGrantFrom).list().required(),
                                      object("to", kGrantTo).list().required()};
constexpr Schema kGrantSpec{kGrantSpecFields};
constexpr Field kGrantFields[] = {api_version(), kind(), metadata(), object("spec", kGrantSpec).required()};

}  // namespace

constexpr Schema kGatewayClass{kClassFields};
constexpr Schema kApiGateway{kApiGatewayFields};
constexpr Schema kHttpRoute{kHttpRouteFields};
constexpr Schema kReferenceGrant{kGrantFields};

}  // namespace weft::api
