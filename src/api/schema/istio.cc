#include "api/schema/formats.h"
#include "api/schema/tables.h"

namespace weft::api {
namespace {

// The text forms of a match. An empty prefix or regex is rejected as Istio rejects it.
constexpr std::string_view kMatchForms[] = {"exact", "prefix", "regex"};
constexpr Field kStringMatchFields[] = {text("exact"), text("prefix", not_empty), text("regex", regex)};
constexpr Schema kStringMatch{kStringMatchFields, kMatchForms, true};
/// Of a header or a query parameter: {} says that it is there at all.
constexpr Schema kPresenceMatch{kStringMatchFields, kMatchForms, false};

constexpr Field kHttpMatchFields[] = {
    text("name", one_line).ignored(),  // it would only label what is logged
    object("uri", kStringMatch),
    object("scheme", kStringMatch),
    object("method", kStringMatch),
    object("authority", kStringMatch),
    object("headers", kPresenceMatch).map().keys(header_name),
    object("withoutHeaders", kPresenceMatch).map().keys(header_name),
    object("queryParams", kPresenceMatch).map().keys(not_empty),
    flag("ignoreUriCase"),
    port("port"),
    text("sourceLabels", label_value).map().keys(label_key),
    text("gateways", gateway_name).list(),
    later("sourceNamespace", "match by sourceLabels"),
    later("statPrefix", "remove it"),
};
constexpr Schema kHttpMatch{kHttpMatchFields};

constexpr Field kPortSelectorFields[] = {port("number").required()};
constexpr Schema kPortSelector{kPortSelectorFields};
constexpr Field kDestinationFields[] = {text("host", host).required(), text("subset", dns_label),
                                        object("port", kPortSelector)};
constexpr Schema kDestination{kDestinationFields};

constexpr Field kHeaderOperationsFields[] = {text("set", header_value).map().keys(changed_header),
                                             text("add", header_value).map().keys(changed_header),
                                             text("remove", changed_header).list()};
constexpr Schema kHeaderOperations{kHeaderOperationsFields};
constexpr Field kHeadersFields[] = {object("request", kHeaderOperations),
                                    object("response", kHeaderOperations)};
constexpr Schema kHeaders{kHeadersFields};

constexpr Field kRouteFields[] = {object("destination", kDestination).required(), integer("weight"),
                                  object("headers", kHeaders)};
constexpr Schema kRoute{kRouteFields};

constexpr Field kRedirectFields[] = {
    text("uri", location_path),
    text("authority", authority),
    port("port"),
    text("scheme", url_scheme),
    integer("redirectCode", 300, 399),
    later("derivePort", "write the port"),
    later("uriRegexRewrite", "write the uri"),
};
constexpr Schema kRedirect{kRedirectFields};
constexpr Field kRewriteFields[] = {text("uri", request_target), text("authority", authority),
                                    later("uriRegexRewrite", "rewrite by a prefix")};
constexpr Schema kRewrite{kRewriteFields};

constexpr std::string_view kBodyForms[] = {"string", "bytes"};
constexpr Field kBodyFields[] = {text("string"), text("bytes", base64)};
constexpr Schema kBody{kBodyFields, kBodyForms, true};
constexpr Field kDirectResponseFields[] = {integer("status", 200, 599).required(), object("body", kBody)};
constexpr Schema kDirectResponse{kDirectResponseFields};

constexpr Field kRetriesFields[] = {
    integer("attempts"),       text("perTryTimeout", duration_or_zero), text("retryOn"),
    text("backoff", duration), flag("retryRemoteLocalities").ignored(), flag("retryIgnorePreviousHosts"),
};
constexpr Schema kRetries{kRetriesFields};

constexpr Field kPercentFields[] = {number("value", 0, 100)};
constexpr Schema kPercent{kPercentFields};
constexpr Field kDelayFields[] = {
    text("fixedDelay", duration).required(),
    object("percentage", kPercent),
    integer("percent", 0, 100),
    later("exponentialDelay", "write fixedDelay"),
};
constexpr Schema kDelay{kDelayFields};
constexpr std::string_view kAbortForms[] = {"httpStatus", "grpcStatus"};
constexpr Field kAbortFields[] = {
    integer("httpStatus", 200, 599),
    text("grpcStatus", grpc_status_name),
    object("percentage", kPercent),
    later("http2Error", "write httpStatus"),
};
constexpr Schema kAbort{kAbortFields, kAbortForms, true};
constexpr Field kFaultFields[] = {object("delay", kDelay), object("abort", kAbort)};
constexpr Schema kFault{kFaultFields};

constexpr std::string_view kMirrorAdvice = "remove it; the route itself works without";
constexpr Field kHttpRouteFields[] = {
    text("name", one_line),
    object("match", kHttpMatch).list(),
    object("route", kRoute).list(),
    object("redirect", kRedirect),
    object("rewrite", kRewrite),
    object("directResponse", kDirectResponse),
    text("timeout", duration_or_zero),
    object("retries", kRetries),
    object("headers", kHeaders),
    object("fault", kFault),
    later("mirror", kMirrorAdvice),
    later("mirrors", kMirrorAdvice),
    later("mirrorPercent", kMirrorAdvice),
    later("mirror_percent", kMirrorAdvice),
    later("mirrorPercentage", kMirrorAdvice),
    later("corsPolicy", "let the application respond to preflight requests"),
    later("delegate", "write the routes here"),
};
constexpr Schema kHttpRoute{kHttpRouteFields};

constexpr Field kTcpMatchFields[] = {
    port("port"),
    text("sourceLabels", label_value).map().keys(label_key),
    text("gateways", gateway_name).list(),
    later("destinationSubnets", "match by port"),
    later("sourceSubnet", "match by sourceLabels"),
    later("sourceNamespace", "match by sourceLabels"),
};
constexpr Schema kTcpMatch{kTcpMatchFields};
constexpr Field kTcpDestinationFields[] = {object("destination", kDestination).required(), integer("weight")};
constexpr Schema kTcpDestination{kTcpDestinationFields};
constexpr Field kTcpRouteFields[] = {object("match", kTcpMatch).list(),
                                     object("route", kTcpDestination).list().required()};
constexpr Schema kTcpRoute{kTcpRouteFields};

constexpr Field kVirtualServiceSpecFields[] = {
    text("hosts", host_or_wildcard).list(), text("gateways", gateway_name).list(),
    object("http", kHttpRoute).list(),      object("tcp", kTcpRoute).list(),
    text("exportTo", export_to).list(),     later("tls", "route by tcp; TLS pass-through comes later"),
};
constexpr Schema kVirtualServiceSpec{kVirtualServiceSpecFields};
constexpr Field kVirtualServiceFields[] = {api_version(), kind(), metadata(),
                                           object("spec", kVirtualServiceSpec).required(), status()};

constexpr std::string_view kBalancers[] = {"ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN",
                                           "RANDOM",      "PASSTHROUGH",   "UNSPECIFIED"};
constexpr Field kLoadBalancerFields[] = {
    one_of("simple", kBalancers),
    later("consistentHash", "use simple").even_empty(),
    later("localityLbSetting", "remove it; there is one locality"),
    later("warmup", "remove it").even_empty(),
    later("warmupDurationSecs", "remove it"),
};
constexpr Schema kLoadBalancer{kLoadBalancerFields};
constexpr Field kTcpPoolFields[] = {
    integer("maxConnections", 1),
    text("connectTimeout", duration),
    later("tcpKeepalive", "remove it").even_empty(),
    later("maxConnectionDuration", "remove it"),
    later("idleTimeout", "set http.idleTimeout"),
};
constexpr Schema kTcpPool{kTcpPoolFields};
constexpr std::string_view kUpgradePolicies[] = {"DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"};
constexpr Field kHttpPoolFields[] = {
    integer("http1MaxPendingRequests"),
    integer("http2MaxRequests"),
    integer("maxRequestsPerConnection"),
    integer("maxRetries"),
    text("idleTimeout", duration_or_zero),
    one_of("h2UpgradePolicy", kUpgradePolicies),
    flag("useClientProtocol"),
    integer("maxConcurrentStreams", 1),
};
constexpr Schema kHttpPool{kHttpPoolFields};
constexpr Field kPoolFields[] = {object("tcp", kTcpPool), object("http", kHttpPool)};
constexpr Schema kPool{kPoolFields};
constexpr std::string_view kTlsModes[] = {"DISABLE"};
constexpr std::string_view kOtherTlsModes[] = {"SIMPLE", "MUTUAL", "ISTIO_MUTUAL"};
constexpr Field kClientTlsFields[] = {
    one_of("mode", kTlsModes)
        .rejecting(kOtherTlsModes, "certificates come later; write DISABLE or remove tls"),
    later("clientCertificate", "certificates come later"),
    later("privateKey", "certificates come later"),
    later("caCertificates", "certificates come later"),
    later("caCrl", "certificates come later"),
    later("credentialName", "certificates come later"),
    later("subjectAltNames", "certificates come later"),
    later("sni", "certificates come later"),
    later("insecureSkipVerify", "certificates come later"),
};
constexpr Schema kClientTls{kClientTlsFields};
constexpr Field kTrafficPolicyFields[] = {
    object("loadBalancer", kLoadBalancer),
    object("connectionPool", kPool),
    object("tls", kClientTls),
    later("outlierDetection", "remove it; ejection comes later").even_empty(),
    later("portLevelSettings", "set the policy for all ports"),
    later("tunnel", "remove it"),
    later("proxyProtocol", "remove it").even_empty(),
    later("retryBudget", "remove it").even_empty(),
};
constexpr Schema kTrafficPolicy{kTrafficPolicyFields};
constexpr Field kSubsetFields[] = {text("name", dns_label).required(),
                                   text("labels", label_value).map().keys(label_key),
                                   object("trafficPolicy", kTrafficPolicy)};
constexpr Schema kSubset{kSubsetFields};
constexpr Field kDestinationRuleSpecFields[] = {
    text("host", host_or_wildcard).required(),
    object("trafficPolicy", kTrafficPolicy),
    object("subsets", kSubset).list(),
    text("exportTo", export_to).list(),
    later("workloadSelector", "remove it; the rule holds for every client").even_empty(),
};
constexpr Schema kDestinationRuleSpec{kDestinationRuleSpecFields};
constexpr Field kDestinationRuleFields[] = {api_version(), kind(), metadata(),
                                            object("spec", kDestinationRuleSpec).required(), status()};

constexpr std::string_view kServerProtocols[] = {"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "TCP"};
constexpr std::string_view kOtherServerProtocols[] = {"HTTPS", "TLS", "MONGO"};
constexpr Field kServerPortFields[] = {
    port("number").required(),
    text("name", not_empty).required(),
    one_of("protocol", kServerProtocols)
        .rejecting(kOtherServerProtocols, "write HTTP, HTTP2, GRPC, GRPC-WEB or TCP")
        .required(),
    later("targetPort", "write the port the gateway listens on as number"),
};
constexpr Schema kServerPort{kServerPortFields};
constexpr Field kServerFields[] = {
    object("port", kServerPort).required(),
    text("hosts", gateway_host).list().required(),
    text("name").ignored(),
    later("tls", "certificates come later; serve HTTP"),
    later("bind", "remove it; a gateway listens on all addresses"),
    later("defaultEndpoint", "remove it"),
};
constexpr Schema kServer{kServerFields};
constexpr Field kGatewaySpecFields[] = {object("servers", kServer).list().required(),
                                        text("selector", label_value).map().keys(label_key)};
constexpr Schema kGatewaySpec{kGatewaySpecFields};
constexpr Field kGatewayFields[] = {api_version(), kind(), metadata(),
                                    object("spec", kGatewaySpec).required(), status()};

}  // namespace

constexpr Schema kGateway{kGatewayFields};
constexpr Schema kVirtualService{kVirtualServiceFields};
constexpr Schema kDestinationRule{kDestinationRuleFields};

}  // namespace weft::api
