#include <gtest/gtest.h>

#include "api/admit.h"
#include "api/parse.h"

namespace weft::api {
namespace {

constexpr std::string_view kVersion = "gateway.networking.k8s.io/v1";

/// What is wrong with a spec, the file and the line left off; "none" when nothing is.
std::string wrong(std::string_view kind, std::string_view spec, std::string_view version = kVersion) {
  std::string text = "apiVersion: " + std::string(version) + "\nkind: " + std::string(kind) +
                     "\nmetadata: {name: a}\nspec: " + std::string(spec) + "\n";
  Parsed parsed = parse_objects(text, "f");
  std::string found;
  for (Problem& problem : parsed.problems)
    found += (found.empty() ? "" : " | ") + problem.field + ": " + problem.text;
  return found.empty() ? "none" : found;
}

TEST(GatewayApi, gateways_are_checked) {
  const char* begin = "{gatewayClassName: istio, listeners: ";
  auto listeners = [&](const std::string& list) { return wrong("Gateway", begin + list + "}"); };
  EXPECT_EQ(listeners("[{name: http, port: 80, protocol: HTTP, hostname: '*.example.com'}]"), "none");
  EXPECT_EQ(listeners("[{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, "
                      "selector: {matchLabels: {a: b}}}, kinds: [{kind: HTTPRoute}]}}]"),
            "none");
  EXPECT_EQ(listeners("[]"), "spec.listeners: must have at least one listener");
  EXPECT_EQ(listeners("[{name: a, port: 80, protocol: HTTP, hostname: '*'}]"),
            "spec.listeners[0].hostname: \"*\": must be a host name or one that begins with *.; leave it out "
            "for all hosts");
  EXPECT_EQ(listeners("[{name: a, port: 443, protocol: HTTPS}]"),
            "spec.listeners[0].protocol: HTTPS is not supported by weft yet; write HTTP");
  EXPECT_EQ(listeners("[{name: a, port: 80, protocol: HTTP}, {name: a, port: 80, protocol: HTTP}]"),
            "spec.listeners[1].name: \"a\": this listener's name is there twice | spec.listeners[1]: \"80 "
            "HTTP \": a listener with this port, protocol and hostname is there twice");
  EXPECT_EQ(listeners("[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}}]"),
            "spec.listeners[0].allowedRoutes.namespaces.selector: is required with from: Selector");
  EXPECT_EQ(wrong("Gateway",
                  "{gatewayClassName: istio, addresses: [{type: IPAddress, value: 1.2.3.4}], "
                  "listeners: [{name: a, port: 80, protocol: HTTP}]}"),
            "spec.addresses[0].type: IPAddress is not supported by weft yet; name the Service of a gateway "
            "that is there, or remove addresses");
}

TEST(GatewayApi, routes_are_checked) {
  auto rule = [](const std::string& text) { return wrong("HTTPRoute", "{rules: [" + text + "]}"); };
  EXPECT_EQ(wrong("HTTPRoute", "{parentRefs: [{name: g}], hostnames: [a.b, '*.c.d']}"), "none");
  EXPECT_EQ(wrong("HTTPRoute", "{parentRefs: [{name: g}, {name: g}]}"),
            "spec.parentRefs[1]: \"///g\": this parent is there twice");
  EXPECT_EQ(wrong("HTTPRoute", "{parentRefs: [{name: g}], hostnames: [Shop.example]}"),
            "spec.hostnames[0]: \"Shop.example\": must be in lower case");
  EXPECT_EQ(rule("{matches: [{headers: [{name: a, value: ''}], queryParams: [{name: a, value: ''}]}]}"),
            "spec.rules[0].matches[0].headers[0].value: \"\": must have 1 to 4096 characters | "
            "spec.rules[0].matches[0].queryParams[0].value: \"\": must have 1 to 1024 characters");
  EXPECT_EQ(rule("{matches: [{headers: [{name: a, value: " + std::string(4096, 'x') +
                 "}], queryParams: [{name: a, value: " + std::string(1024, 'x') + "}]}]}"),
            "none");
  EXPECT_EQ(rule("{matches: [{path: {value: a}}]}"),
            "spec.rules[0].matches[0].path.value: \"a\": must begin with /");
  EXPECT_EQ(rule("{matches: [{path: {value: /a//b}}, {path: {value: /a/..}}]}"),
            "spec.rules[0].matches[0].path.value: \"/a//b\": must not contain // | "
            "spec.rules[0].matches[1].path.value: \"/a/..\": must not end with /..");
  EXPECT_EQ(rule("{matches: [{headers: [{name: a, value: b}, {name: A, value: c}], method: get}]}"),
            "spec.rules[0].matches[0].method: \"get\": must be one of GET, HEAD, POST, PUT, DELETE, CONNECT, "
            "OPTIONS, TRACE, PATCH");
  EXPECT_EQ(rule("{matches: [{method: CONNECT}]}"),
            "spec.rules[0].matches[0].method: \"CONNECT\": is not routed by weft: the response is 404; match "
            "another method");
  EXPECT_EQ(rule("{matches: [{queryParams: [{type: RegularExpression, name: a, value: '('}]}]}"),
            "spec.rules[0].matches[0].queryParams[0].value: \"(\": must be an RE2 regular expression: "
            "missing ): (");
  EXPECT_EQ(rule("{backendRefs: [{name: s}]}"),
            "spec.rules[0].backendRefs[0].port: is required: the Service's port");
  EXPECT_EQ(
      rule("{timeouts: {request: 0.5s}}"),
      "spec.rules[0].timeouts.request: \"0.5s\": must be a duration in whole numbers such as 10s, 500ms "
      "or 1h30m");
  EXPECT_EQ(rule("{timeouts: {request: 500ms, backendRequest: 0s}}"), "none");
  EXPECT_EQ(rule("{matches: [{path: {type: RegularExpression, value: ''}}]}"),
            "spec.rules[0].matches[0].path.value: \"\": must not be empty");
  EXPECT_EQ(rule("{matches: [{path: {type: RegularExpression}}]}"), "none");
}

TEST(GatewayApi, an_attempt_may_not_take_longer_than_its_request) {
  const auto timeouts = [](const std::string& text) {
    return wrong("HTTPRoute", "{rules: [{timeouts: {" + text + "}}]}");
  };
  EXPECT_EQ(timeouts("request: 200ms, backendRequest: 1s"),
            "spec.rules[0].timeouts.backendRequest: \"1s\": must not be longer than request, which is "
            "\"200ms\"");
  EXPECT_EQ(timeouts("request: 1s, backendRequest: 1s"), "none");
  EXPECT_EQ(timeouts("request: 1m, backendRequest: 59s"), "none");
  EXPECT_EQ(timeouts("request: 0s, backendRequest: 1s"), "none") << "0s is no limit";
  EXPECT_EQ(timeouts("request: 1s, backendRequest: 0s"), "none");
  EXPECT_EQ(timeouts("backendRequest: 1s"), "none");
}

TEST(GatewayApi, filters_are_checked) {
  auto filters = [](const std::string& list, const std::string& more = "") {
    return wrong("HTTPRoute", "{rules: [{filters: " + list + more + "}]}");
  };
  EXPECT_EQ(filters("[{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: a, value: b}]}}]"),
            "none");
  EXPECT_EQ(filters("[{type: RequestHeaderModifier, urlRewrite: {hostname: a}}]"),
            "spec.rules[0].filters[0].requestHeaderModifier: is required with type RequestHeaderModifier | "
            "spec.rules[0].filters[0].urlRewrite: does not belong to type RequestHeaderModifier");
  EXPECT_EQ(filters("[{type: RequestMirror, requestMirror: {backendRef: {name: a}}}]"),
            "spec.rules[0].filters[0].type: RequestMirror is not supported by weft yet; remove the filter; "
            "the rule works without | spec.rules[0].filters[0].requestMirror: requestMirror is not supported "
            "by weft yet; remove the filter; the rule works without");
  EXPECT_EQ(filters("[{type: RequestRedirect, requestRedirect: {statusCode: 305}}]",
                    ", backendRefs: [{name: a, port: 1}]"),
            "spec.rules[0].filters[0].requestRedirect.statusCode: 305: must be 301, 302, 303, 307 or 308 | "
            "spec.rules[0].backendRefs: a rule that redirects has no backends");
  EXPECT_EQ(filters("[{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: "
                    "/}}}]",
                    ", matches: [{path: {type: Exact, value: /a}}]"),
            "spec.rules[0].filters[0].urlRewrite.path.type: ReplacePrefixMatch needs matches of type "
            "PathPrefix only");
}

TEST(GatewayApi, grants_and_classes_are_checked_and_older_versions_are_read) {
  EXPECT_EQ(wrong("GatewayClass", "{controllerName: istio.io/gateway-controller}",
                  "gateway.networking.k8s.io/v1beta1"),
            "none");
  EXPECT_EQ(wrong("ReferenceGrant", "{from: [], to: [{group: '', kind: Service}]}", kVersion),
            "spec.from: must have at least one entry");
  EXPECT_EQ(wrong("ReferenceGrant",
                  "{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}], to: "
                  "[{group: '', kind: Service}]}",
                  "gateway.networking.k8s.io/v1beta1"),
            "none");
  EXPECT_EQ(wrong("Gateway", "{}", "gateway.networking.k8s.io/v1alpha2"),
            "apiVersion: \"gateway.networking.k8s.io/v1alpha2\": weft does not know this version of Gateway; "
            "write gateway.networking.k8s.io/v1");
}

TEST(GatewayApi, what_is_not_written_gets_its_default) {
  auto defaulted = [](const char* kind, const char* spec) {
    auto object = admit({{"apiVersion", std::string(kVersion)},
                         {"kind", kind},
                         {"metadata", {{"name", "a"}}},
                         {"spec", Json::parse(spec)}});
    EXPECT_TRUE(object) << object.error().text;
    return object ? object->spec().dump() : std::string();
  };
  EXPECT_EQ(
      defaulted("Gateway",
                R"({"gatewayClassName":"istio","listeners":[{"name":"a","port":80,"protocol":"HTTP"}]})"),
      R"({"gatewayClassName":"istio","listeners":[{"name":"a","port":80,"protocol":"HTTP","allowedRoutes":{"namespaces":{"from":"Same"}}}]})");
  EXPECT_EQ(
      defaulted("HTTPRoute",
                R"({"parentRefs":[{"name":"g"}],"rules":[{"backendRefs":[{"name":"s","port":1}]}]})"),
      R"({"parentRefs":[{"name":"g","group":"gateway.networking.k8s.io","kind":"Gateway"}],"rules":[{"backendRefs":[{"name":"s","port":1,"group":"","kind":"Service","weight":1}],"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]})");
}

TEST(GatewayApi, a_rule_that_redirects_has_nothing_for_requests_that_are_forwarded) {
  const std::string redirect = "{type: RequestRedirect, requestRedirect: {hostname: a.b}}";
  const auto rule = [&](const std::string& filters, const std::string& more) {
    return wrong("HTTPRoute", "{rules: [{filters: [" + redirect + filters + "]" + more + "}]}");
  };
  EXPECT_EQ(rule("", ", timeouts: {request: 1s}"),
            "spec.rules[0].timeouts: a rule that redirects forwards nothing that could take time");
  EXPECT_EQ(rule(", {type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}", ""),
            "spec.rules[0].filters[1].type: RequestHeaderModifier has no effect in a rule that redirects: it "
            "forwards nothing");
  EXPECT_EQ(rule(", {type: ResponseHeaderModifier, responseHeaderModifier: {remove: [x]}}", ", timeouts: {}"),
            "none");
}

}  // namespace
}  // namespace weft::api
